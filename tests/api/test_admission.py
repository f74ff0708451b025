"""The clocks of an admission over HTTP: recorded, taken back, shown for one client and listed for a programme."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from caseload.db.tables.admission import admission_done
from caseload.domain.access import Role
from caseload.domain.ids import ClientId, new_id
from tests.api.conftest import Clinic
from tests.api.dispensary import Dispensary, dispensary, fresh

pytestmark = pytest.mark.anyio

EXAMINED = {"duty": "examination", "done_by": "Dr Ada Osei"}
ASSESSED = {"duty": "assessment", "done_by": "Robin Ashdown"}


async def house(clinic: Clinic, profile: str = "US") -> Dispensary:
    return await dispensary(clinic, profile=profile, time_zone="America/New_York")


async def admit(
    here: Dispensary, on: date | None = None, *, days_ago: int = 0, client: ClientId | None = None
) -> dict[str, Any]:
    counsellor = await here.clinic.person((Role.COUNSELLOR, here.programme))
    said: dict[str, Any] = {
        "counsellor_id": str(counsellor.staff.id),
        "level_of_care": {"edition": "asam_4", "level": "1.5"},
    }
    at = here.clinic.service.clock() - timedelta(days=days_ago)
    if on is not None:
        at = datetime(on.year, on.month, on.day, 9, tzinfo=here.zone)
    said["admitted_at"] = at.isoformat()
    answer = await here.nurse.post(f"/clients/{client or here.client}/episodes", said, key=fresh())
    assert answer.status_code == 201, answer.text
    return answer.json()


def done_at(here: Dispensary, client: ClientId | None = None) -> str:
    return f"/clients/{client or here.client}/admission-done"


async def done(here: Dispensary, said: Mapping[str, Any] = EXAMINED, **also: Any) -> dict[str, Any]:
    answer = await here.nurse.post(done_at(here), {**said, **also}, key=fresh())
    assert answer.status_code == 201, answer.text
    return answer.json()


async def clocks(here: Dispensary) -> dict[str, Any]:
    answer = await here.nurse.get(f"/clients/{here.client}/admission-clocks")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"][0]


async def listed(here: Dispensary, **asked: Any) -> list[dict[str, Any]]:
    answer = await here.nurse.get(f"/programmes/{here.programme}/admissions-due", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_30_of_an_admission_on_1_june_the_examination_and_the_assessment_are_due_by_15_june(
    clinic: Clinic,
) -> None:
    """Worked example 30 (42 CFR 8.12(f)(2)(iii), (4)(i))."""
    here = await house(clinic)
    await admit(here, date(2026, 6, 1))
    shown = await clocks(here)
    assert (shown["admitted_on"], shown["rule"]) == ("2026-06-01", "us.admission of US-1")
    assert [(each["duty"], each["due_on"]) for each in shown["clocks"]] == [
        ("examination", "2026-06-15"),
        ("assessment", "2026-06-15"),
    ]
    await done(here, done_on="2026-06-15")
    await done(here, ASSESSED, done_on="2026-06-16")
    assert [each["state"] for each in (await clocks(here))["clocks"]] == ["done", "done_late"]


@pytest.mark.parametrize(("days_ago", "state"), [(14, "due"), (15, "overdue")])
async def test_the_14th_day_is_the_last_one_and_who_is_done_leaves_the_list(
    clinic: Clinic, days_ago: int, state: str
) -> None:
    here = await house(clinic)
    await admit(here, here.today - timedelta(days=days_ago))
    [line] = await listed(here, ahead_days=0)
    assert (line["client_id"], [each["state"] for each in line["clocks"]]) == (str(here.client), [state, state])
    await done(here)
    [line] = await listed(here, ahead_days=0)
    assert [each["duty"] for each in line["clocks"]] == ["assessment"]
    await done(here, ASSESSED)
    assert await listed(here) == []


async def test_the_longest_due_comes_first_and_who_is_due_later_only_when_asked_for(clinic: Clinic) -> None:
    here = await house(clinic)
    other = await here.another_client()
    await admit(here)
    await admit(here, days_ago=40, client=other)
    assert [each["client_id"] for each in await listed(here)] == [str(other), str(here.client)]
    assert [each["client_id"] for each in await listed(here, ahead_days=13)] == [str(other)]
    for wrong in (-1, 93):
        answer = await here.nurse.get(f"/programmes/{here.programme}/admissions-due?ahead_days={wrong}")
        assert answer.status_code == 422


async def test_outside_the_us_there_is_no_clock_and_no_line(clinic: Clinic) -> None:
    here = await house(clinic, "UK")
    await admit(here, days_ago=40)
    shown = await clocks(here)
    assert (shown["rule"], shown["source"], shown["clocks"]) == (None, None, [])
    assert await listed(here) == []


async def test_a_mistake_is_taken_back_once_and_the_clock_runs_again(clinic: Clinic) -> None:
    here = await house(clinic)
    await admit(here)
    made = await done(here)
    where = f"{done_at(here)}/{made['id']}/withdrawal"
    answers = await asyncio.gather(*(by.post(where, {"reason": "Another."}) for by in (here.nurse, here.colleague)))
    assert sorted(each.status_code for each in answers) == [201, 409]
    shown = await clocks(here)
    assert [each["state"] for each in shown["clocks"]] == ["due", "due"]
    assert [(each["id"], each["taken_back"]) for each in shown["done"]] == [(made["id"], "Another.")]
    missing = await here.nurse.post(f"{done_at(here)}/{new_id()}/withdrawal", {"reason": "?"})
    assert missing.status_code == 404
    key, other = fresh(), await done(here)
    where = f"{done_at(here)}/{other['id']}/withdrawal"
    first, again = [await here.nurse.post(where, {"reason": "Too early."}, key=key) for _ in range(2)]
    assert (first.status_code, first.json()) == (201, again.json())


async def test_a_retry_records_nothing_twice(clinic: Clinic) -> None:
    here, key = await house(clinic), fresh()
    await admit(here)
    first, again = [await here.nurse.post(done_at(here), EXAMINED, key=key) for _ in range(2)]
    assert (first.status_code, first.json()) == (201, again.json())
    assert len((await clocks(here))["done"]) == 1


async def test_who_left_is_on_no_list_and_their_clocks_stay_as_they_stood(clinic: Clinic) -> None:
    here = await house(clinic)
    await admit(here, days_ago=10)
    left = await here.prescriber.post(
        f"/clients/{here.client}/discharge", {"reason": "dropped_out", "note": "Moved away."}
    )
    assert left.status_code == 201, left.text
    assert await listed(here) == []
    assert [each["state"] for each in (await clocks(here))["clocks"]] == ["due", "due"]
    assert (await here.nurse.post(done_at(here), EXAMINED)).status_code == 409


async def test_it_is_for_who_looks_after_them(clinic: Clinic) -> None:
    here = await house(clinic)
    await admit(here, days_ago=20)
    desk = await clinic.person((Role.FRONT_DESK, here.programme))
    assert (await desk.get(f"/programmes/{here.programme}/admissions-due")).status_code == 403
    stranger = await clinic.person((Role.NURSE, await clinic.programme()))
    assert (await stranger.get(f"/clients/{here.client}/admission-clocks")).status_code == 404
    assert (await stranger.post(done_at(here), EXAMINED)).status_code == 404
    other = await clinic.person((Role.COUNSELLOR, here.programme))
    answer = await other.get(f"/programmes/{here.programme}/admissions-due")
    assert (answer.status_code, answer.json()["items"]) == (200, []), "none of theirs"


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"duty": "walk"}, "admission_done_duty_check"),
        ({"done_by": " "}, "admission_done_done_by_not_blank_check"),
        ({"episode_id": new_id()}, "admission_done_episode_id_fkey"),
    ],
)
async def test_a_wrong_record_cannot_be_stored(clinic: Clinic, wrong: dict[str, Any], constraint: str) -> None:
    here = await house(clinic)
    row = {
        "id": new_id(),
        "episode_id": (await admit(here))["id"],
        **EXAMINED,
        "done_on": here.today,
        "recorded_by": here.nurse.staff.id,
        "recorded_at": clinic.service.clock(),
    }
    with pytest.raises(IntegrityError, match=constraint):
        async with clinic.service.engine.begin() as connection:
            await connection.execute(insert(admission_done).values(**row | wrong))


@pytest.mark.parametrize("table", ["admission_done", "admission_done_taken_back"])
async def test_the_service_can_neither_change_nor_delete_a_record(clinic: Clinic, table: str) -> None:
    for statement in (f"delete from clinic.{table}", f"update clinic.{table} set recorded_at = now()"):  # noqa: S608  ours
        async with clinic.service.engine.connect() as connection:
            with pytest.raises(ProgrammingError, match="permission denied"):
                await connection.execute(text(statement))
