"""A denied amendment goes along with what is told of the entry; a granted one is linked to what put it right."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from caseload.db.rights import KeptRights
from caseload.domain.access import Act, Role
from caseload.domain.ids import RightsRequestId
from caseload.domain.rights import Side, Statement
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import Dispensary, fresh
from tests.api.test_dosing_handing_on import american, telling
from tests.api.test_dosing_statements import dosed_daily
from tests.factories.families import Seen

pytestmark = pytest.mark.anyio

DENIED = {
    "outcome": "denied", "ground": "accurate_and_complete", "disputed": ["medication"],
    "says": "By letter: two people saw the dose.",
}  # fmt: skip


async def taken(here: Dispensary, officer: Person, **changes: Any) -> str:
    body = {
        "kind": "amendment",
        "says": "I was given less on Tuesday.",
        "received_at": (here.clinic.service.clock() - timedelta(minutes=1)).isoformat(),
        "check": {"method": "in_person"},
        **changes,
    }
    made = await officer.post(f"/clients/{here.client}/rights-requests", body, key=fresh())
    assert made.status_code == 201, made.text
    return f"/rights-requests/{made.json()['id']}"


async def said(officer: Person, path: str, **body: Any) -> dict[str, Any]:
    made = await officer.post(path, body, key=fresh())
    assert made.status_code == 201, made.text
    return made.json()


async def told(here: Dispensary, *categories: str, **changes: Any) -> Any:
    body = telling(**{"categories": list(categories), "manner": "written", **changes})
    made = await here.nurse.post(f"/clients/{here.client}/disclosures", body, key=fresh())
    assert made.status_code == 201, made.text
    return made.json()["disputes"]


@pytest.fixture
async def here(clinic: Clinic) -> Dispensary:
    return await american(clinic, categories=["medication", "attendance"])


@pytest.fixture
async def officer(clinic: Clinic, here: Dispensary) -> Person:
    return await clinic.person((Role.PRIVACY_OFFICER, here.programme))


async def test_a_denied_amendment_with_a_statement_goes_with_medication_and_not_with_attendance(
    here: Dispensary, officer: Person
) -> None:
    await dosed_daily(here, then=1, amounts_mg={"whole": "50"})
    request = await taken(here, officer)
    await said(officer, f"{request}/answer", **DENIED)
    assert await told(here, "medication") == [], "nobody has disagreed, and the client has not asked for it"
    await said(officer, f"{request}/statements", side="disagreement", says="It was 40 mg.")
    await said(officer, f"{request}/statements", side="rebuttal", says="The scale says 50 mg.")
    [along] = await told(here, "medication")
    assert along["words"] == {
        "received_on": along["words"]["received_on"],
        "request": "I was given less on Tuesday.",
        "denial": "By letter: two people saw the dose.",
        "disagreement": "It was 40 mg.",
        "rebuttal": "The scale says 50 mg.",
    }
    assert await told(here, "attendance") == []
    [spoken] = await told(here, "medication", manner="spoken", notice_how="read_out")
    assert (spoken["words"], "disputes" in spoken["says"]) == ({}, True)


async def test_a_last_dose_statement_and_an_emergency_carry_it_and_keep_it_as_it_went(
    here: Dispensary, officer: Person
) -> None:
    await dosed_daily(here, then=1, amounts_mg={"whole": "50"})
    request = await taken(here, officer)
    await said(officer, f"{request}/answer", **DENIED)
    await said(officer, f"{request}/asked-along", says="Send it with everything, she said at the desk.")
    path = f"/clients/{here.client}/last-dose-statements"
    made = await said(here.nurse, path, **telling())
    assert [each["words"]["request"] for each in made["disputes"]] == ["I was given less on Tuesday."]
    await said(officer, f"{request}/statements", side="disagreement", says="It was 40 mg.")
    again = (await here.nurse.get(f"/last-dose-statements/{made['id']}")).json()
    assert again == made, "what was told stays as it was told"
    emergency = await said(
        here.nurse,
        f"/clients/{here.client}/emergency-releases",
        name="Dr Example",
        emergency="Found unconscious.",
        facility="General Hospital",
    )
    assert [each["words"]["disagreement"] for each in emergency["disputes"]] == ["It was 40 mg."]


async def test_a_disagreement_that_is_being_recorded_is_waited_for_and_goes_along(
    clinic: Clinic, here: Dispensary, officer: Person
) -> None:
    """Two people at once: one writes down what the client has just said, the other has begun to disclose."""
    await dosed_daily(here, then=1, amounts_mg={"whole": "50"})
    path = await taken(here, officer)
    await said(officer, f"{path}/answer", **DENIED)
    request = RightsRequestId(UUID(path.rpartition("/")[2]))
    async with clinic.service.engine.connect() as connection:
        now = clinic.service.clock()
        kept = KeptRights(connection, Seen(), now=now)
        denied = await kept.get(request, by=officer.staff, act=Act.ANSWER_RIGHTS_REQUEST)
        statement = Statement(side=Side.DISAGREEMENT, says="It was 40 mg.", by=officer.staff.id, at=now)
        await kept.add_statement(denied, statement)
        disclosing = asyncio.create_task(told(here, "medication"))
        await asyncio.sleep(0.3)
        assert not disclosing.done()
        await connection.commit()
        [along] = await disclosing
    assert along["words"]["disagreement"] == "It was 40 mg."


async def test_whoever_discloses_and_whoever_writes_down_a_disagreement_at_once_leave_one_of_two_stories(
    here: Dispensary, officer: Person
) -> None:
    """Told before it, without it, or after it, with it: never with half of it, and never without it from then on."""
    await dosed_daily(here, then=1, amounts_mg={"whole": "50"})
    request = await taken(here, officer)
    await said(officer, f"{request}/answer", **DENIED)
    first, stated, second = await asyncio.gather(
        told(here, "medication"),
        said(officer, f"{request}/statements", side="disagreement", says="It was 40 mg."),
        told(here, "medication"),
    )
    assert [each["side"] for each in stated["statements"]] == ["disagreement"]
    words = [[each["words"]["disagreement"] for each in along] for along in (first, second)]
    assert all(each in ([], ["It was 40 mg."]) for each in words), words
    listed = (await here.nurse.get(f"/clients/{here.client}/disclosures")).json()["items"]
    kept = [(await here.nurse.get(f"/disclosures/{each['id']}")).json()["disputes"] for each in listed]
    assert sorted(map(len, kept)) == sorted(map(len, (first, second))), "what went along is kept as it went"
    assert len(await told(here, "medication")) == 1


async def test_the_client_asks_once_and_only_of_what_was_denied(
    clinic: Clinic, here: Dispensary, officer: Person
) -> None:
    request = await taken(here, officer)
    body = {"says": "Send it along."}
    assert (await officer.post(f"{request}/asked-along", body)).status_code == 409
    await said(officer, f"{request}/answer", **DENIED)
    stranger = await clinic.person((Role.PRIVACY_OFFICER, await clinic.programme()))
    assert (await stranger.post(f"{request}/asked-along", body)).status_code == 404
    asked = await said(officer, f"{request}/asked-along", **body)
    assert asked["asked_along_at"] is not None
    assert (await officer.post(f"{request}/asked-along", body, key=fresh())).status_code == 409
    assert (await officer.get(request)).json() == asked


async def test_a_granted_amendment_names_the_version_that_put_the_dose_right(here: Dispensary, officer: Person) -> None:
    dose = (await here.give(await here.order(amounts_mg={"whole": "50"}))).json()
    path = f"/clients/{here.client}/rights-requests"
    wrong = {"kind": "dose", "id": dose["id"], "version": 1}
    body = {
        "kind": "amendment", "says": "Less.", "received_at": here.clinic.service.clock().isoformat(),
        "check": {"method": "in_person"}, "about": wrong | {"id": str(uuid4())},
    }  # fmt: skip
    assert (await officer.post(path, body, key=fresh())).status_code == 422
    request = await taken(here, officer, about=wrong)
    granted = {"outcome": "granted", "says": "By letter."}
    for amended in (None, {"how": "corrected", "entry": wrong}, {"how": "corrected", "entry": wrong | {"version": 2}}):
        refused = await officer.post(f"{request}/answer", granted | {"amended": amended}, key=fresh())
        assert refused.status_code == 422
    order = {"how": "statement_added"}
    answered = await said(officer, f"{request}/answer", **granted, amended=order)
    assert (answered["about"], answered["amended"]) == (wrong, {"how": "statement_added", "entry": None})
    other = await taken(here, officer)
    by_dose = {"how": "corrected", "entry": wrong}
    assert (await said(officer, f"{other}/answer", **granted, amended=by_dose))["amended"] == by_dose


@pytest.mark.parametrize("kind", ["order", "dose", "drug_screen", "observation", "attendance", "note", "check_in"])
async def test_an_entry_that_is_not_there_is_refused_whatever_its_kind(
    here: Dispensary, officer: Person, kind: str
) -> None:
    body = {
        "kind": "amendment", "says": "Less.", "received_at": here.clinic.service.clock().isoformat(),
        "check": {"method": "in_person"}, "about": {"kind": kind, "id": str(uuid4()), "version": 1},
    }  # fmt: skip
    refused = await officer.post(f"/clients/{here.client}/rights-requests", body)
    assert refused.status_code == 422
    assert "must stand in the client's record" in refused.text
