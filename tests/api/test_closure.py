"""The closure days of a programme over HTTP: kept by its supervisor, read by everybody, settled by their key."""

import asyncio
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from caseload.domain.access import Role
from caseload.domain.ids import ProgrammeId
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import dispensary, fresh

pytestmark = pytest.mark.anyio


async def close(
    by: Person, programme: ProgrammeId, *days: date, reason: str = "Sunday", **options: Any
) -> httpx.Response:
    said = {"days": [str(day) for day in days], "reason": reason}
    return await by.post(f"/programmes/{programme}/closure-days", said, **options)


async def listed(by: Person, programme: ProgrammeId, first: date, last: date) -> list[str]:
    answer = await by.get(f"/programmes/{programme}/closure-days?first={first}&last={last}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["programme_id"] == str(programme)
    return [each["day"] for each in answer.json()["items"]]


async def test_closed_days_are_listed_until_one_is_open_after_all(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    supervisor = await clinic.person((Role.SUPERVISOR, here.programme))
    days = [here.today + timedelta(days=number) for number in (3, 10, 40)]
    key = fresh()
    kept = await close(supervisor, here.programme, *days, key=key)
    assert (kept.status_code, [each["is_closed"] for each in kept.json()["items"]]) == (201, [True] * 3)
    assert (await close(supervisor, here.programme, *days, key=key)).json() == kept.json()
    soon = await here.nurse.get(f"/programmes/{here.programme}/closure-days")
    assert [each["day"] for each in soon.json()["items"]] == [str(day) for day in days[:2]]
    assert await listed(here.nurse, here.programme, days[1], days[2]) == [str(days[1]), str(days[2])]
    path, reopen, said = (
        f"/programmes/{here.programme}/closure-days/{days[0]}/reopening",
        fresh(),
        {"reason": "Staffed."},
    )
    reopened = await supervisor.post(path, said, key=reopen)
    assert (reopened.status_code, reopened.json()["is_closed"]) == (201, False)
    assert (await supervisor.post(path, said, key=reopen)).json() == reopened.json()
    assert await listed(here.nurse, here.programme, days[0], days[1]) == [str(days[1])]
    assert (await supervisor.post(path, said)).status_code == 404
    assert (await close(supervisor, here.programme, days[0], reason="Closed again")).status_code == 201
    assert await listed(here.nurse, here.programme, days[0], days[1]) == [str(days[0]), str(days[1])]


async def test_only_who_keeps_the_calendar_of_the_programme_closes_its_window(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    elsewhere = await clinic.person((Role.SUPERVISOR, await clinic.programme()))
    for by in (here.nurse, here.prescriber, elsewhere):
        assert (await close(by, here.programme, here.today)).status_code == 403
    administrator = await clinic.person((Role.ADMINISTRATOR, None))
    assert (await close(administrator, here.programme, here.today)).status_code == 201
    path = f"/programmes/{here.programme}/closure-days/{here.today}/reopening"
    assert (await elsewhere.post(path, {"reason": "x"})).status_code == 403


async def test_a_day_is_closed_once_within_reason(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    supervisor = await clinic.person((Role.SUPERVISOR, here.programme))
    for days, fault in (
        ((), "days"),
        ((here.today, here.today), "days"),
        ((here.today - timedelta(days=32),), "days"),
        ((here.today + timedelta(days=731),), "days"),
        (tuple(here.today + timedelta(days=number) for number in range(121)), "days"),
    ):
        refused = await close(supervisor, here.programme, *days)
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, [fault])
    for reason in (" ", "x" * 201):
        refused = await close(supervisor, here.programme, here.today, reason=reason)
        assert [each["field"] for each in refused.json()["errors"]] == ["reason"]
    edges = (here.today - timedelta(days=31), here.today + timedelta(days=730))
    assert (await close(supervisor, here.programme, *edges, reason="x" * 200)).status_code == 201
    again = await close(supervisor, here.programme, here.today, edges[0])
    assert (again.status_code, again.json()["facts"]["days"]) == (409, [str(edges[0])])
    assert await listed(here.nurse, here.programme, here.today, here.today) == []
    path = f"/programmes/{here.programme}/closure-days/{edges[0]}/reopening"
    assert (await supervisor.post(path, {"reason": " "})).status_code == 422


async def test_of_two_who_close_a_day_at_once_one_is_told(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    supervisors = [await clinic.person((Role.SUPERVISOR, here.programme)) for _ in range(2)]
    answers = await asyncio.gather(*(close(each, here.programme, here.today) for each in supervisors))
    assert sorted(each.status_code for each in answers) == [201, 409]
    assert await listed(here.nurse, here.programme, here.today, here.today) == [str(here.today)]
