"""An evening of several families: what any of their charts and relatives reaches shows nobody else who was there."""

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from caseload.domain.access import WITHOUT_PROGRAMME, Role
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import PASSWORD, give_password
from tests.api.test_attendance import line
from tests.api.test_attendance_relatives import KNOWN, Family, relative
from tests.architecture.test_role_by_route import doors

pytestmark = pytest.mark.anyio

PLACE = re.compile(r"\{(\w+):\w+\}")
OTHERS = ("Benedict", "Okafor", "Olumide", "Xanthe", "Trevanion", "Cleopatra")
"""What the others are called: another client with his father, and the sister of somebody who is not there, in her own right."""
NAMED_BY_STAFF = "Sat beside Benedict and spoke with Olumide."


@dataclass
class Evening:
    """What came of it."""

    family: Family
    everything: Person
    """Somebody with every role in the clinic."""
    session: str
    ada: str
    rosa: str
    strangers: tuple[str, ...]
    """The identifiers of everybody but Ada and her mother."""

    def shows_others(self, text: str) -> list[str]:
        return [each for each in (*OTHERS, *self.strangers) if each in text]


async def evening(clinic: Clinic, *, note_of_ada: str | None = None) -> Evening:
    programme = await clinic.programme(time_zone="America/New_York", profile="US")
    holds = [
        (role, None if role in WITHOUT_PROGRAMME else programme) for role in Role if role is not Role.ADMINISTRATOR
    ]
    robin, everything = await clinic.person((Role.COUNSELLOR, programme)), await clinic.person(*holds)
    await give_password(clinic, robin)
    family = Family(clinic, programme, robin)
    ada = await family.client(given_name="Adaline", family_name="Quorn")
    ben = await family.client(given_name="Benedict", family_name="Okafor")
    cleo = await family.client(given_name="Cleopatra", family_name="Trevanion")
    rosa, father = await family.relative(ada, "Rosa Quorn"), await family.relative(ben, "Olumide Okafor", "father")
    sister = await family.relative(cleo, "Xanthe Trevanion", "sibling")
    for client, person in ((ada, rosa), (ben, father)):
        await family.consent(client, person, categories=["joint_sessions", "attendance", "session_records"])
    session = await family.plan(ada, ben, kind="education", title="Families learn together")
    places = [
        await family.seated(session, ada, rosa),
        await family.seated(session, ben, father),
        await family.seated(session, cleo, sister, "in_own_right"),
    ]
    of_rosa = {} if note_of_ada is None else {"note": "Xanthe brought her home."}
    if note_of_ada is not None:
        una = await family.relative(ada, "Una Quorn", "sibling")
        await family.consent(ada, una, categories=["joint_sessions", "attendance"])
        place, off = await family.seated(session, ada, una), {"cancelled_by": "client", "reason": note_of_ada}
        assert (await robin.post(f"/sessions/{session}/relatives/{place}/cancellation", off)).is_success
    came = [relative(places[0], check=KNOWN, **of_rosa), relative(places[1], check=KNOWN), relative(places[2])]
    of_ada = {} if note_of_ada is None else {"note": note_of_ada}
    taken = await family.take(session, line(ada, **of_ada), line(ben), relatives=came)
    assert taken.status_code == 201, taken.text
    return Evening(family, everything, session, ada, rosa, (ben, cleo, father, sister, *places[1:]))


async def test_no_reading_of_a_chart_shows_anybody_else_of_the_evening(clinic: Clinic) -> None:
    told = await evening(clinic)
    mine = {"client_id": told.ada, "person_id": told.rosa, "kind": "part2"}
    read = 0
    for door in doors(clinic.application.litestar):
        places = PLACE.findall(door.path)
        if door.method != "GET" or "client_id" not in places or not set(places) <= set(mine):
            continue
        answer = await told.everything.http.get(PLACE.sub(lambda place: mine[place[1]], door.path))
        read += answer.status_code == 200
        assert not told.shows_others(answer.text), f"{door}: {answer.text}"
    assert read > 40


async def test_nothing_that_a_relative_is_told_names_anybody_else_of_the_evening(clinic: Clinic) -> None:
    told = await evening(clinic)
    text = "Asked about sleep, and how to keep the box locked."
    for said in (text, "Xanthe asked about naloxone.", "Olumide spoke of his fear."):
        await signed(told, said)
    told_of = await told.family.robin.post(
        f"/clients/{told.ada}/disclosures",
        {
            "recipient": {"person_id": told.rosa},
            "name": "Rosa Quorn",
            "categories": ["attendance", "session_records"],
            "purpose": "family_involvement",
            "manner": "written",
            "check": KNOWN,
        },
    )
    assert told_of.status_code == 201, told_of.text
    assert not told.shows_others(told_of.text)
    records = told_of.json()["content"]["session_records"]
    assert ([each["text"] for each in records["records"]], records["left_out_because_they_name_somebody_else"]) == (
        [text],
        2,
    )


async def signed(told: Evening, text: str) -> None:
    """A note about the client; whoever wrote it is warned where it names somebody else, and means it."""
    body = {"kind": "progress", "text": text, "client_id": told.ada}
    written = await told.family.robin.post(f"/sessions/{told.session}/notes", body)
    assert written.status_code == 201, written.text
    path, said = f"/notes/{written.json()['id']}/signature", {"version": 1, "password": PASSWORD}
    warned = await told.family.robin.post(path, said)
    assert (warned.status_code == 409) is bool(told.shows_others(text)), warned.text
    if warned.status_code == 409:
        assert (await told.family.robin.post(path, {**said, "names_confirmed": True})).status_code == 201


async def test_whose_relative_a_note_names_who_came_in_their_own_right_is_said_to_nobody(clinic: Clinic) -> None:
    told = await evening(clinic)
    body = {"kind": "progress", "text": "Xanthe and Olumide asked about naloxone.", "client_id": told.ada}
    written = await told.family.robin.post(f"/sessions/{told.session}/notes", body)
    ben, cleo = told.strangers[:2]
    assert written.json()["names"] == [ben], "he came with him, as the roster says"
    assert cleo not in written.text


@pytest.mark.parametrize("said", [NAMED_BY_STAFF, "Miss Trevanion sat with Mr OKAFOR.", "Asked how Trévanion is."])
async def test_a_copy_of_the_record_holds_back_what_names_anybody_else_of_the_evening(
    clinic: Clinic, said: str
) -> None:
    told = await evening(clinic, note_of_ada=said)
    body: dict[str, Any] = {
        "kind": "record_copy",
        "says": "All of it.",
        "received_at": (clinic.service.clock() - timedelta(minutes=1)).isoformat(),
        "check": KNOWN,
    }
    asked = await told.everything.post(f"/clients/{told.ada}/rights-requests", body)
    copy = await told.everything.post(f"/rights-requests/{asked.json()['id']}/copies")
    assert copy.status_code == 201, copy.text
    shown = await told.everything.get(f"/record-copies/{copy.json()['id']}/entries", params={"limit": 200})
    entries = shown.json()["items"]
    naming = [
        each
        for each in entries
        if said in (content := each["content"]).values() or told.shows_others(json.dumps(content))
    ]
    assert {(each["kind"], each["held_for"], each["waits"]) for each in naming} == {
        ("therapy_session_line", "another_client", True),
        ("session_relative_line", "another_person", True),
        ("session_relative_cancellation", "another_person", True),
    }


NOT_ASKED = "Other clients and relatives would meet at this session, and nobody has said that they agree to it."


async def test_families_meet_only_when_whoever_plans_it_says_that_the_other_clients_agreed(clinic: Clinic) -> None:
    programme = await clinic.programme(time_zone="America/New_York", profile="US")
    family = Family(clinic, programme, await clinic.person((Role.COUNSELLOR, programme)))
    ada, ben, cleo = [await family.client() for _ in range(3)]
    rosa = await family.relative(ada)
    await family.consent(ada, rosa)
    mixed = await family.plan(ada, ben, kind="family", hours_ago=-2, capacity=3)
    alone = await family.plan(ada, kind="family", hours_ago=-9, capacity=2)

    unasked = await family.seat(mixed, ada, rosa, others_agreed=False)
    asked = await family.seat(mixed, ada, rosa)
    among_themselves = await family.seat(alone, ada, rosa, others_agreed=False)
    waiting = await family.robin.post(f"/sessions/{mixed}/waiting-list", {"clients": [cleo]})
    assert (await family.robin.post(f"/sessions/{alone}/waiting-list", {"clients": [ada]})).status_code == 409
    off = {"cancelled_by": "client", "reason": "Away"}
    place = among_themselves.json()["relatives"][0]["id"]
    assert (await family.robin.post(f"/sessions/{mixed}/cancellations", {**off, "client_id": ben})).is_success
    booked = await family.robin.post(f"/sessions/{mixed}/bookings", {"clients": [cleo]})
    assert (await family.robin.post(f"/sessions/{alone}/relatives/{place}/cancellation", off)).is_success
    agreed = await family.robin.post(f"/sessions/{mixed}/bookings", {"clients": [cleo], "others_agreed": True})

    assert [each.status_code for each in (asked, among_themselves, agreed)] == [201, 201, 201]
    assert [each.json()["title"] for each in (unasked, waiting, booked)] == [NOT_ASKED] * 3
