"""Naloxone over HTTP: offered to the client and to the household, taken back when it was a mistake."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from caseload.db.naloxone import OF_CLIENT
from caseload.db.tables.naloxone import naloxone
from caseload.domain.access import Role
from caseload.domain.ids import new_id
from tests.api.conftest import Clinic
from tests.api.dispensary import Dispensary, dispensary, fresh
from tests.factories.explain import plan_of, walks

pytestmark = pytest.mark.anyio

SUPPLIED = {"outcome": "supplied", "trained": True, "form": "nasal_spray", "units": 2}


def path(here: Dispensary) -> str:
    return f"/clients/{here.client}/naloxone"


async def offered(here: Dispensary, **said: Any) -> dict[str, Any]:
    answer = await here.nurse.post(path(here), SUPPLIED | said, key=fresh())
    assert answer.status_code == 201, answer.text
    return answer.json()


async def somebody_around(here: Dispensary) -> str:
    counsellor = await here.clinic.person((Role.SUPERVISOR, here.programme))
    answer = await counsellor.post(
        f"/clients/{here.client}/related-people",
        {"name": "Mira Example", "relationship": "mother", "involvements": [{"kind": "household_naloxone"}]},
        key=fresh(),
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_naloxone_is_offered_to_the_client_and_to_the_household(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    person = await somebody_around(here)
    await offered(here, outcome="declined", form=None, units=None, trained=False)
    await offered(here)
    await offered(here, recipient="household", person_id=person)
    items = (await here.colleague.get(path(here))).json()["items"]
    assert [(each["recipient"], each["outcome"], each["person_id"]) for each in items] == [
        ("household", "supplied", person),
        ("client", "supplied", None),
        ("client", "declined", None),
    ]
    assert {each["offered_on"] for each in items} == {str(here.today)}


async def test_somebody_who_is_not_around_this_client_is_refused(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    other = await dispensary(clinic)
    for person in (await somebody_around(other), str(new_id())):
        refused = await here.nurse.post(path(here), SUPPLIED | {"recipient": "household", "person_id": person})
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["person_id"])


async def test_a_record_that_was_a_mistake_is_taken_back_once_and_stays_readable(clinic: Clinic) -> None:
    here, key = await dispensary(clinic), fresh()
    made = await offered(here)
    where = f"{path(here)}/{made['id']}/withdrawal"
    first, again = [await here.nurse.post(where, {"reason": "Another client."}, key=key) for _ in range(2)]
    assert (first.status_code, first.json()) == (201, again.json())
    assert first.json()["taken_back"] == "Another client."
    twice = await here.colleague.post(where, {"reason": "Again."})
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:caseload:problem:naloxone-taken-back")
    (line,) = (await here.nurse.get(path(here))).json()["items"]
    assert (line["units"], line["taken_back_by"]) == (2, str(here.nurse.staff.id))
    other = await offered(here)
    where = f"{path(here)}/{other['id']}/withdrawal"
    answers = await asyncio.gather(*(by.post(where, {"reason": "Both."}) for by in (here.nurse, here.colleague)))
    assert sorted(each.status_code for each in answers) == [201, 409]


async def test_a_retry_records_no_second_supply(clinic: Clinic) -> None:
    here, key = await dispensary(clinic), fresh()
    first, again = [await here.nurse.post(path(here), SUPPLIED, key=key) for _ in range(2)]
    assert first.json() == again.json()
    assert len((await here.nurse.get(path(here))).json()["items"]) == 1


async def test_nobody_beyond_the_programme_learns_of_it(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    made = await offered(here)
    stranger = await clinic.person((Role.NURSE, await clinic.programme()))
    assert (await stranger.get(path(here))).status_code == 404
    assert (await stranger.post(path(here), SUPPLIED)).status_code == 404
    assert (await here.nurse.post(f"{path(here)}/{new_id()}/withdrawal", {"reason": "?"})).status_code == 404
    counsellor = await clinic.person((Role.COUNSELLOR, here.programme))
    assert (await counsellor.post(f"{path(here)}/{made['id']}/withdrawal", {"reason": "?"})).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"recipient": "dog"}, "naloxone_recipient_check"),
        ({"outcome": "lost"}, "naloxone_outcome_check"),
        ({"form": "tablet", "units": 1, "outcome": "supplied"}, "naloxone_form_check"),
        ({"outcome": "supplied"}, "naloxone_supplied_says_what_check"),
        ({"form": "injection", "units": 1}, "naloxone_supplied_says_what_check"),
        ({"form": "injection", "units": 0, "outcome": "supplied"}, "naloxone_units_check"),
    ],
)
async def test_a_wrong_record_cannot_be_stored(clinic: Clinic, wrong: dict[str, Any], constraint: str) -> None:
    here = await dispensary(clinic)
    row = {
        "id": new_id(),
        "client_id": here.client,
        "programme_id": here.programme,
        "offered_on": here.today,
        "recipient": "client",
        "outcome": "declined",
        "trained": False,
        "note": "",
        "recorded_by": here.nurse.staff.id,
        "recorded_at": clinic.service.clock(),
    }
    with pytest.raises(IntegrityError, match=constraint):
        async with clinic.service.engine.begin() as connection:
            await connection.execute(insert(naloxone).values(**row | wrong))


@pytest.mark.parametrize("table", ["naloxone", "naloxone_taken_back"])
async def test_the_service_can_neither_change_nor_delete_a_record(clinic: Clinic, table: str) -> None:
    for statement in (f"delete from clinic.{table}", f"update clinic.{table} set recorded_at = now()"):  # noqa: S608  ours
        async with clinic.service.engine.connect() as connection:
            with pytest.raises(ProgrammingError, match="permission denied"):
                await connection.execute(text(statement))


async def test_records_are_found_by_their_client(clinic: Clinic) -> None:
    async with clinic.service.engine.connect() as connection:
        await connection.execute(text("set local enable_seqscan = off"))
        plan = await plan_of(connection, OF_CLIENT, {"client": new_id()})
    assert not walks(plan), "\n".join(plan)
