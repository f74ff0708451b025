"""A named giver who has left: nobody speaks in their place, and somebody who answers for the programme closes the question."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg
import httpx
import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import Dispensary, fresh
from tests.api.test_downtime import paper
from tests.api.test_giver import CONFIRMED, entered, say
from tests.factories import people

pytestmark = pytest.mark.anyio

FOUND = {"reason": "The agency says she was here that day; the bottle agrees."}


async def close(
    by: Person, dose: dict[str, Any], said: dict[str, Any] | None = None, *, version: int = 1, key: str | None = None
) -> httpx.Response:
    seen = {"If-Match": f'"{version}"'}
    return await by.post(f"/doses/{dose['id']}/giver-closure", said or FOUND, headers=seen, key=key or fresh())


async def supervising(here: Dispensary) -> Person:
    return await here.clinic.person((Role.SUPERVISOR, here.programme))


async def listed(by: Person, here: Dispensary, **asked: Any) -> list[str]:
    answer = await by.get(f"/programmes/{here.programme}/doses-without-giver", params=asked)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["items"]]


async def leave(here: Dispensary) -> None:
    """The account is closed."""
    administrator = await here.clinic.person((Role.ADMINISTRATOR, None))
    closed = await administrator.post(f"/staff/{here.nurse.staff.id}/deactivation", {"reason": "Agency, one week."})
    assert closed.status_code == 204, closed.text


async def move(here: Dispensary) -> None:
    """The role ends here."""
    administrator = await here.clinic.person((Role.ADMINISTRATOR, None))
    roles = (await administrator.get(f"/staff/{here.nurse.staff.id}")).json()["roles"]
    [grant] = [each["id"] for each in roles if each["programme_id"] == str(here.programme)]
    ended = await administrator.post(f"/roles/{grant}/revocation", {"reason": "Works across town."})
    assert ended.status_code == 204, ended.text


@pytest.mark.parametrize("leaves", [leave, move])
async def test_what_a_colleague_left_unsaid_is_closed_with_what_was_found(
    clinic: Clinic, leaves: Callable[[Dispensary], Coroutine[Any, Any, None]]
) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    dose = await entered(sheet)
    supervisor = await supervising(here)
    assert await listed(supervisor, here) == [], "she is here, and can say it"
    await leaves(here)
    assert await listed(supervisor, here) == [dose["id"]]

    key = fresh()
    closed = await close(supervisor, dose, key=key)

    assert closed.status_code == 201, closed.text
    giver = closed.json()["giver"]
    assert (giver["standing"], giver["reason"]) == ("closed", FOUND["reason"])
    assert giver["said_by"] == str(supervisor.staff.id)
    assert closed.headers["audit-entry"]
    assert (await close(supervisor, dose, key=key)).json() == closed.json()
    assert await listed(supervisor, here) == []
    chart = await here.chart(here.colleague)
    assert ([each["giver"] for each in chart["doses"]], chart["holds"]) == ([giver], []), "it counts as it did"
    assert [each["standing"] for each in chart["doses"]] == ["waiting"], "a second look is asked for as before"
    [entry] = (await here.colleague.get(f"/programmes/{here.programme}/downtime-entries")).json()["items"]
    assert (entry["to_confirm"], entry["disputed"], entry["closed"]) == (0, 0, 1)


async def test_nobody_closes_what_the_giver_can_say(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    dose = await entered(sheet)
    supervisor = await supervising(here)
    refused = await close(supervisor, dose)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:giver-can-speak")
    owner = await asyncpg.connect(clinic.addresses.owner)
    try:
        await owner.execute("set session_replication_role = replica")
        expired = "update clinic.registration_check set expires_on = current_date - 1 where staff_id = $1"
        await owner.execute(expired, here.nurse.staff.id)
    finally:
        await owner.close()
    refused = await close(supervisor, dose)
    assert refused.json()["type"] == "urn:caseload:problem:giver-can-speak", "an expired registration is renewed"
    assert await listed(supervisor, here) == []


async def test_it_is_closed_once_by_whoever_answers_for_the_programme_and_had_no_hand_in_it(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    director = await clinic.person((Role.MEDICAL_DIRECTOR, here.programme))
    supervisor = await supervising(here)
    order = await sheet.order()
    [line] = await sheet.answers(sheet.line(given=sheet.given(order)), by=director)
    dose = (await here.nurse.get(f"/doses/{line['record_id']}")).json()
    await leave(here)
    for unentitled in (here.colleague, here.prescriber):
        assert (await close(unentitled, dose)).status_code == 403
        path = f"/programmes/{here.programme}/doses-without-giver"
        assert (await unentitled.get(path)).status_code == 403
    elsewhere = await clinic.person((Role.SUPERVISOR, await clinic.programme()))
    assert (await close(elsewhere, dose)).status_code == 404
    assert (await elsewhere.get(f"/programmes/{here.programme}/doses-without-giver")).status_code == 403
    own = await close(director, dose)
    assert (own.status_code, own.json()["type"]) == (403, "urn:caseload:problem:own-question")
    assert (await close(supervisor, dose, {"reason": " "})).status_code == 422
    assert (await close(supervisor, dose, version=2)).status_code == 412
    assert (await supervisor.post(f"/doses/{dose['id']}/giver-closure", FOUND)).status_code == 428

    other = await supervising(here)
    answers = await asyncio.gather(close(supervisor, dose), close(other, dose))

    assert sorted(each.status_code for each in answers) == [201, 409]
    again = await close(other, dose)
    assert (again.status_code, again.json()["type"]) == (409, "urn:caseload:problem:giver-has-spoken")


async def test_nothing_is_closed_that_nobody_is_asked(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    [own] = await sheet.answers(sheet.line(given=sheet.given(await sheet.order())), by=here.nurse)
    await leave(here)
    supervisor = await supervising(here)
    refused = await close(supervisor, {"id": own["record_id"]})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:nobody-is-asked")
    assert await listed(supervisor, here) == []


async def test_whoever_comes_back_says_it_themselves(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    first = await entered(sheet)
    client = await here.another_client()
    second = await sheet.only(client=client, given=sheet.given(await sheet.order(client=client)))
    supervisor = await supervising(here)
    await move(here)
    assert len(await listed(supervisor, here, limit=1)) == 1
    assert await listed(supervisor, here, after=first["id"]) == [second["record_id"]]
    assert (await close(supervisor, first)).status_code == 201
    async with clinic.service.engine.begin() as connection:
        now = clinic.service.clock()
        await people.grant(connection, to=here.nurse.staff.id, role=Role.NURSE, programme=here.programme, starts_at=now)
    assert await listed(supervisor, here) == []
    assert (await say(here.nurse, {"id": second["record_id"]}, CONFIRMED)).status_code == 201
    spoken = await say(here.nurse, first, CONFIRMED)
    assert (spoken.status_code, spoken.json()["type"]) == (409, "urn:caseload:problem:giver-has-spoken")


async def test_the_database_lets_nobody_close_it_who_wrote_the_record(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    dose = await entered(sheet)
    owner = await asyncpg.connect(clinic.addresses.owner)
    insert = "insert into clinic.dose_giver_word values ($1, 1, 'closed', $2, $3, now())"
    try:
        for by in (sheet.here.nurse, sheet.here.colleague):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="named giver"):
                await owner.execute(insert, dose["id"], "She has left.", by.staff.id)
        with pytest.raises(asyncpg.CheckViolationError, match="reason"):
            await owner.execute(insert, dose["id"], None, sheet.here.prescriber.staff.id)
    finally:
        await owner.close()
