"""Relatives at sessions over HTTP: by consent beside the client, or in their own right; at the door, and in the register."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.api.test_attendance import House, line

pytestmark = pytest.mark.anyio

SIGNED = "2026-03-01T12:00:00Z"
KNOWN = {"method": "in_person"}


class Family(House):
    """A programme, its counsellor, and clients with somebody around them."""

    async def relative(self, client: str, name: str = "Rosa Lindqvist", relationship: str = "mother") -> str:
        body = {"name": name, "relationship": relationship}
        made = await self.robin.post(f"/clients/{client}/related-people", body)
        assert made.status_code == 201, made.text
        return made.json()["id"]

    async def consent(self, client: str, person: str, *, of: str = "us-named-2026-02", **changes: Any) -> str:
        body = {
            "kind": "named",
            "form": of,
            "discloser_id": str(self.programme),
            "recipients": [{"person_id": person}],
            "categories": ["joint_sessions"],
            "purposes": ["family_involvement"],
            "expiry": {"last_day": "2040-05-01"},
            "signature": {"signatory": "client", "name": "Ada Lindqvist", "signed_at": SIGNED},
            **changes,
        }
        given = await self.robin.post(f"/clients/{client}/consents", body)
        assert given.status_code == 201, given.text
        return given.json()["id"]

    async def revoke(self, client: str, consent: str, *, hours_ago: float = 0) -> None:
        received = self.clinic.service.clock() - timedelta(hours=hours_ago)
        body = {"how": "spoken", "received_at": received.isoformat()}
        revoked = await self.robin.post(f"/clients/{client}/consents/{consent}/revocation", body)
        assert revoked.status_code == 201, revoked.text

    async def restrict(self, client: str, person: str) -> None:
        """What the client asked for and the privacy officer agreed to: not to have this person sit there."""
        officer = await self.clinic.person((Role.PRIVACY_OFFICER, self.programme))
        asked = {
            "kind": "restriction",
            "says": "Not my mother, after Sunday.",
            "received_at": self.clinic.service.clock().isoformat(),
            "check": KNOWN,
        }
        taken = await self.robin.post(f"/clients/{client}/rights-requests", asked)
        assert taken.status_code == 201, taken.text
        answer = {
            "outcome": "granted",
            "says": "Told in person.",
            "restricts": {"categories": ["joint_sessions"], "recipient": {"person_id": person}},
        }
        granted = await officer.post(f"/rights-requests/{taken.json()['id']}/answer", answer)
        assert granted.status_code == 201, granted.text

    async def seat(
        self,
        session: str,
        client: str,
        person: str,
        comes_as: str = "with_client",
        *,
        by: Person | None = None,
        others_agreed: bool = True,
    ) -> httpx.Response:
        body = {"client_id": client, "person_id": person, "comes_as": comes_as, "others_agreed": others_agreed}
        return await (by or self.robin).post(f"/sessions/{session}/relatives", body)

    async def seated(self, session: str, client: str, person: str, comes_as: str = "with_client") -> str:
        made = await self.seat(session, client, person, comes_as)
        assert made.status_code == 201, made.text
        return made.json()["relatives"][-1]["id"]

    async def door(self, session: str, place: str, check: dict[str, Any] | None) -> dict[str, Any]:
        asked = await self.robin.post(f"/sessions/{session}/relatives/{place}/door", {"check": check})
        assert asked.status_code == 200, asked.text
        return asked.json()

    async def take(self, session: str, *lines: dict[str, Any], relatives: list[dict[str, Any]]) -> httpx.Response:
        return await self.robin.post(f"/sessions/{session}/register", {"lines": lines, "relatives": relatives})


@pytest.fixture
async def family(clinic: Clinic) -> Family:
    programme = await clinic.programme(time_zone="America/New_York", profile="US")
    return Family(clinic, programme, await clinic.person((Role.COUNSELLOR, programme)))


def relative(place: str, status: str = "attended", **more: Any) -> dict[str, Any]:
    return {"place_id": place, "status": status, **more}


async def test_a_mother_is_on_the_register_of_a_family_session_by_the_clients_consent(family: Family) -> None:
    ada = await family.client()
    mother = await family.relative(ada)
    session = await family.plan(ada, kind="family")
    refused = await family.seat(session, ada, mother)
    assert refused.status_code == 409, refused.text
    assert refused.json()["title"] == "Nothing allows this person to sit in the session with the client."
    await family.consent(ada, mother)
    place = await family.seated(session, ada, mother)

    came = relative(place, "attended_late", late_minutes=10, check=KNOWN, note="Brought a picture")
    taken = await family.take(session, line(ada), relatives=[came])

    assert taken.status_code == 201, taken.text
    [there] = taken.json()["register"]["relatives"]
    assert (there["name"], there["minutes"], there["in_spite_because"]) == ("Rosa Lindqvist", 50, None)
    assert (await family.robin.get(f"/sessions/{session}")).json() == taken.json()
    [first] = (await family.robin.get(f"/sessions/{session}/registers")).json()["items"]
    assert first["relatives"] == [there]


async def test_what_a_relative_attended_counts_in_nobodys_hours(family: Family) -> None:
    ada = await family.client()
    mother = await family.relative(ada)
    await family.consent(ada, mother)
    session = await family.plan(ada, kind="family")
    place = await family.seated(session, ada, mother)
    before = (await family.robin.get(f"/clients/{ada}/attendance")).json()

    taken = await family.take(session, line(ada), relatives=[relative(place, check=KNOWN)])
    after = (await family.robin.get(f"/clients/{ada}/attendance")).json()
    of_client = (await family.robin.get(f"/clients/{ada}/sessions")).json()["items"]

    assert taken.status_code == 201, taken.text
    assert (before["minutes"], after["minutes"]) == (0, 60)
    assert [each["minutes"] for each in of_client] == [60]


async def test_a_consent_revoked_since_it_was_planned_is_found_at_the_door(family: Family) -> None:
    ada = await family.client()
    mother = await family.relative(ada)
    consent = await family.consent(ada, mother)
    session = await family.plan(ada, kind="family", hours_ago=0)
    place = await family.seated(session, ada, mother)

    nobody_looked = await family.door(session, place, None)
    welcome = await family.door(session, place, KNOWN)
    await family.revoke(ada, consent)
    turned_away = await family.door(session, place, KNOWN)

    assert [each["may_come_in"] for each in (nobody_looked, welcome, turned_away)] == [False, True, False]
    assert (welcome["advice"], welcome["notice"] is not None) == (None, True)
    assert "Neither confirm nor deny" in turned_away["advice"]
    assert consent not in str(turned_away)


async def test_who_was_there_by_no_consent_is_refused_by_the_register_until_it_says_why(family: Family) -> None:
    ada = await family.client()
    mother = await family.relative(ada)
    consent = await family.consent(ada, mother)
    session = await family.plan(ada, kind="family")
    place = await family.seated(session, ada, mother)
    await family.revoke(ada, consent, hours_ago=3)

    refused = await family.take(session, line(ada), relatives=[relative(place, check=KNOWN)])
    kept = await family.take(
        session, line(ada), relatives=[relative(place, check=KNOWN, in_spite_because="Nobody had read the revocation.")]
    )

    assert refused.status_code == 422, refused.text
    assert [each["field"] for each in refused.json()["errors"]] == ["relatives.0.in_spite_because"]
    assert kept.status_code == 201, kept.text
    [there] = kept.json()["register"]["relatives"]
    assert there["in_spite_because"] == "Nobody had read the revocation."


async def test_a_consent_revoked_after_they_came_in_leaves_the_register_as_it_was(family: Family) -> None:
    ada = await family.client()
    mother = await family.relative(ada)
    consent = await family.consent(ada, mother)
    session = await family.plan(ada, kind="family")
    place = await family.seated(session, ada, mother)
    await family.revoke(ada, consent, hours_ago=1)

    taken = await family.take(session, line(ada), relatives=[relative(place, check=KNOWN)])
    mended = await family.robin.put(
        f"/sessions/{session}/register",
        {
            "lines": [line(ada)],
            "relatives": [relative(place, "left_early", left_early_minutes=5, check=KNOWN)],
            "reason": "She left before the end",
        },
        headers={"If-Match": '"1"'},
    )

    assert (taken.status_code, mended.status_code) == (201, 200), mended.text
    assert mended.json()["register"]["relatives"][0]["minutes"] == 55


async def test_everything_wrong_with_the_lines_of_relatives_is_named_at_once(family: Family) -> None:
    ada, ben = await family.client(), await family.client()
    mother, father = await family.relative(ada), await family.relative(ben, "Olu Okafor", "father")
    await family.consent(ada, mother)
    await family.consent(ben, father)
    session = await family.plan(ada, ben, kind="education")
    first, second = await family.seated(session, ada, mother), await family.seated(session, ben, father)

    refused = await family.take(
        session,
        line(ada),
        line(ben, "did_not_attend"),
        relatives=[
            relative(first),
            relative(first, "did_not_attend"),
            relative(str(uuid4())),
            relative(second, "did_not_attend", check=KNOWN),
        ],
    )
    without_the_client = await family.take(
        session,
        line(ada),
        line(ben, "did_not_attend"),
        relatives=[relative(first, check={"method": "document"}), relative(second, check=KNOWN)],
    )
    none = await family.take(session, line(ada), line(ben), relatives=[])
    needless = await family.take(
        session,
        line(ada),
        line(ben),
        relatives=[relative(first, check=KNOWN, in_spite_because="It felt right."), relative(second, check=KNOWN)],
    )

    def fields(answer: httpx.Response) -> list[str]:
        return [each["field"] for each in answer.json()["errors"]]

    assert fields(refused) == [
        "relatives.0.check",
        "relatives.1.place_id",
        "relatives.2.place_id",
        "relatives.3.check",
    ]
    assert fields(without_the_client) == ["relatives.0.check.detail", "relatives.1.in_spite_because"]
    assert fields(none) == ["relatives"]
    assert fields(needless) == ["relatives.0.in_spite_because"]


async def test_whose_relative_comes_in_their_own_right_is_said_to_nobody(clinic: Clinic, family: Family) -> None:
    ada = await family.client()
    mother = await family.relative(ada)
    leader = await clinic.person((Role.COUNSELLOR, family.programme))
    session = await family.plan(kind="education", facilitators=[str(leader.staff.id)])
    place = await family.seated(session, ada, mother, "in_own_right")

    seen = await leader.get(f"/sessions/{session}")
    taken = await leader.post(f"/sessions/{session}/register", {"lines": [], "relatives": [relative(place)]})

    [shown] = seen.json()["relatives"]
    assert (shown["name"], shown["comes_as"], shown["client_id"]) == ("Rosa Lindqvist", "in_own_right", None)
    assert taken.status_code == 201, taken.text
    for text in (seen.text, taken.text):
        assert ada not in text
        assert mother not in text
    assert (await leader.get(f"/clients/{ada}")).status_code == 404
    assert (await leader.get(f"/clients/{ada}/related-people")).status_code == 404


async def test_a_relative_in_their_own_right_never_meets_their_client_without_a_consent(family: Family) -> None:
    ada, ben = await family.client(), await family.client()
    mother = await family.relative(ada)
    evening = await family.plan(kind="education", hours_ago=0, capacity=3)
    await family.seated(evening, ada, mother, "in_own_right")

    booked = await family.robin.post(f"/sessions/{evening}/bookings", {"clients": [ada]})
    other = await family.robin.post(f"/sessions/{evening}/bookings", {"clients": [ben], "others_agreed": True})
    theirs = await family.plan(ada, kind="education", hours_ago=0, clashes_agreed=True)
    seated = await family.seat(theirs, ada, mother, "in_own_right")

    for refused in (booked, seated):
        assert refused.status_code == 409, refused.text
        assert refused.json()["title"] == "Somebody around a client comes to this session in their own right."
    assert other.status_code == 201, other.text


async def test_somebody_who_may_harm_the_client_sits_in_no_session_with_them_whatever_was_signed(
    family: Family,
) -> None:
    ada = await family.client()
    partner = await family.relative(ada, "Sam Berg", "partner")
    await family.consent(ada, partner)
    session = await family.plan(ada, kind="family", hours_ago=0)
    place = await family.seated(session, ada, partner)
    warned = {"kind": "domestic_risk", "note": "She fears him."}
    assert (await family.robin.post(f"/clients/{ada}/related-people/{partner}/warnings", warned)).status_code == 201

    turned_away = await family.door(session, place, KNOWN)
    later = await family.plan(ada, kind="family", hours_ago=0, clashes_agreed=True)
    refused = await family.seat(later, ada, partner)

    assert turned_away["may_come_in"] is False
    assert refused.status_code == 409
    for text in (str(turned_away), refused.text):
        assert "arning" not in text


async def test_whoever_leads_learns_that_somebody_may_not_come_in_and_not_what_the_client_asked_for(
    family: Family,
) -> None:
    ada, ben = await family.client(), await family.client()
    mother, uncle = await family.relative(ada), await family.relative(ben, "Olu Berg", "other_relative")
    await family.consent(ada, mother)
    consent = await family.consent(ben, uncle)
    of_ada, of_ben = [await family.plan(each, kind="family", hours_ago=0, clashes_agreed=True) for each in (ada, ben)]
    hers, his = await family.seated(of_ada, ada, mother), await family.seated(of_ben, ben, uncle)

    await family.restrict(ada, mother)
    await family.revoke(ben, consent)
    restricted, revoked = await family.door(of_ada, hers, KNOWN), await family.door(of_ben, his, KNOWN)
    nobody_looked = await family.door(of_ada, hers, None)
    refused = await family.seat(await family.plan(ada, kind="family", hours_ago=0, clashes_agreed=True), ada, mother)

    assert restricted["may_come_in"] is False
    assert {**restricted, "place_id": None} == {**revoked, "place_id": None}, "one refusal, whatever stands in the way"
    assert refused.status_code == 409
    for told in (str(restricted), refused.text):
        assert "estrict" not in told
        assert "164.522" not in told
        assert "agreed" not in told
    assert nobody_looked["advice"] != restricted["advice"], "that they have to look is said"


async def test_relatives_take_places_and_who_waits_moves_up_when_one_is_called_off(family: Family) -> None:
    ada, ben = await family.client(), await family.client()
    mother, father = await family.relative(ada), await family.relative(ada, "Olu", "father")
    for person in (mother, father):
        await family.consent(ada, person)
    session = await family.plan(ada, kind="family", hours_ago=0, capacity=2)
    place = await family.seated(session, ada, mother)

    full = await family.seat(session, ada, father)
    also_full = await family.robin.post(f"/sessions/{session}/bookings", {"clients": [ben]})
    waits = await family.robin.post(f"/sessions/{session}/waiting-list", {"clients": [ben], "others_agreed": True})
    path = f"/sessions/{session}/relatives/{place}/cancellation"
    no_reason = await family.robin.post(path, {"cancelled_by": "client", "reason": " "})
    called_off = await family.robin.post(path, {"cancelled_by": "client", "reason": "She works"})
    twice = await family.robin.post(path, {"cancelled_by": "client", "reason": "She works"})

    assert {each.json()["title"] for each in (full, also_full)} == {"The session has no place left."}
    assert (waits.status_code, no_reason.status_code, twice.status_code) == (201, 422, 404)
    assert called_off.status_code == 201, called_off.text
    assert [each["client_id"] for each in called_off.json()["roster"]] == [ada, ben]
    assert called_off.json()["session"]["relatives_expected"] == 0
    assert called_off.json()["relatives"][0]["cancelled_by"] == "client"
    taken = await family.take(session, line(ada, "did_not_attend"), line(ben, "did_not_attend"), relatives=[])
    assert [each["status"] for each in taken.json()["register"]["relatives"]] == ["cancelled_by_client"]


async def test_a_relative_loses_the_place_with_the_client_and_moves_with_the_session(family: Family) -> None:
    ada, ben = await family.client(), await family.client()
    mother, other = await family.relative(ada), await family.relative(ben, "Olu", "father")
    for client, person in ((ada, mother), (ben, other)):
        await family.consent(client, person)
    session = await family.plan(ada, ben, kind="family", hours_ago=-2)
    for client, person in ((ada, mother), (ben, other)):
        await family.seated(session, client, person)
    away = {"client_id": ben, "cancelled_by": "client", "reason": "Away"}
    without_ben = await family.robin.post(f"/sessions/{session}/cancellations", away)
    starts_at = family.clinic.service.clock() + timedelta(hours=6)
    to = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=1)).isoformat()}

    moved = await family.robin.post(f"/sessions/{session}/move", {**to, "reason": "The room is taken"})
    old = await family.robin.get(f"/sessions/{session}")

    assert without_ben.json()["session"]["relatives_expected"] == 1
    assert [each["cancelled_by"] for each in without_ben.json()["relatives"]] == [None, "client"]
    assert moved.status_code == 201, moved.text
    assert [(each["name"], each["client_id"]) for each in moved.json()["relatives"]] == [("Rosa Lindqvist", ada)]
    assert old.json()["session"]["relatives_expected"] == 0
    off = await family.robin.post(f"/sessions/{moved.json()['session']['id']}/calling-off", {"reason": "Flood"})
    assert [each["status"] for each in off.json()["register"]["relatives"]] == ["cancelled_by_provider"]


async def test_relatives_come_to_sessions_of_family_and_education_only_and_beside_their_client(family: Family) -> None:
    ada, ben = await family.client(), await family.client()
    mother = await family.relative(ada)
    await family.consent(ada, mother)
    group, without_ada = await family.plan(ada), await family.plan(ben, kind="family", clashes_agreed=True)
    session = await family.plan(ada, kind="family", clashes_agreed=True)

    in_a_group, alone = await family.seat(group, ada, mother), await family.seat(without_ada, ada, mother)
    not_theirs = await family.seat(session, ben, mother)
    nobody = await family.seat(session, ada, str(uuid4()))
    key = str(uuid4())
    body = {"client_id": ada, "person_id": mother, "comes_as": "with_client"}
    first = await family.robin.post(f"/sessions/{session}/relatives", body, key=key)
    again = await family.robin.post(f"/sessions/{session}/relatives", body, key=key)
    twice = await family.robin.post(f"/sessions/{session}/relatives", body)

    assert [each["field"] for each in in_a_group.json()["errors"]] == ["session_id"]
    assert [each["field"] for each in alone.json()["errors"]] == ["client_id"]
    assert (not_theirs.status_code, nobody.status_code) == (404, 404)
    assert (first.status_code, again.json(), twice.status_code) == (201, first.json(), 409)


async def test_a_colleague_beyond_reach_is_shown_no_relative_and_cannot_call_one_off(
    clinic: Clinic, family: Family
) -> None:
    ada = await family.client()
    mother = await family.relative(ada)
    await family.consent(ada, mother)
    session = await family.plan(ada, kind="family", hours_ago=0)
    place = await family.seated(session, ada, mother)
    colleague = await clinic.person((Role.COUNSELLOR, family.programme))

    seen = await colleague.get(f"/sessions/{session}")
    off = {"cancelled_by": "provider", "reason": "By mistake"}
    called_off = await colleague.post(f"/sessions/{session}/relatives/{place}/cancellation", off)
    asked = await colleague.post(f"/sessions/{session}/relatives/{place}/door", {"check": KNOWN})
    seated = await family.seat(session, ada, mother, by=colleague)

    assert (seen.json()["relatives"], seen.json()["session"]["relatives_expected"]) == ([], 1)
    assert [each.status_code for each in (called_off, asked, seated)] == [404, 404, 404]


async def test_a_common_note_that_names_a_relative_says_which(family: Family) -> None:
    ada = await family.client(given_name="Zoë")
    mother = await family.relative(ada)
    await family.consent(ada, mother)
    session = await family.plan(ada, kind="family")
    place = await family.seated(session, ada, mother)
    body = {"lines": [line(ada)], "relatives": [relative(place, check=KNOWN)], "note": "Rosa spoke of her fear."}

    taken = await family.robin.post(f"/sessions/{session}/register", body)

    assert (taken.json()["note_names"], taken.json()["note_relatives"]) == ([], [place])


async def test_in_britain_a_carer_needs_explicit_consent_too(clinic: Clinic) -> None:
    programme = await clinic.programme(time_zone="Europe/London", profile="UK")
    family = Family(clinic, programme, await clinic.person((Role.COUNSELLOR, programme)))
    ada = await family.client()
    carer = await family.relative(ada, "Sam Berg", "partner")
    session = await family.plan(ada, kind="family", hours_ago=0)
    refused = await family.seat(session, ada, carer)
    await family.consent(ada, carer, of="uk-named-2024-01")
    place = await family.seated(session, ada, carer)

    assert refused.status_code == 409
    assert (await family.door(session, place, KNOWN))["may_come_in"] is True


async def test_a_consent_that_ends_before_the_session_lets_nobody_be_planned(family: Family) -> None:
    ada = await family.client()
    mother = await family.relative(ada)
    last_day = datetime.now(UTC).date() + timedelta(days=3)
    await family.consent(ada, mother, expiry={"last_day": str(last_day)})
    soon = await family.plan(ada, kind="family", hours_ago=-24)
    late = await family.plan(ada, kind="family", hours_ago=-24 * 6)

    assert (await family.seat(soon, ada, mother)).status_code == 201
    assert (await family.seat(late, ada, mother)).status_code == 409
