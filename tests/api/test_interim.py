"""Interim treatment over HTTP: its clocks, those before it, who is listed, and what may be said of it."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from caseload.db.tables.interim import interim_end, interim_plan, interim_treatment
from caseload.domain.access import Role
from caseload.domain.ids import ClientId, new_id
from tests.api.conftest import Clinic
from tests.api.dispensary import Dispensary, fresh
from tests.api.test_admission import admit, house

pytestmark = pytest.mark.anyio

ELSEWHERE = "Hill Clinic"


def at(here: Dispensary, client: ClientId | None = None) -> str:
    return f"/clients/{client or here.client}/interim-treatments"


async def begun(here: Dispensary, started_on: date | None = None, **also: Any) -> dict[str, Any]:
    said = {**({} if started_on is None else {"started_on": str(started_on)}), **also}
    answer = await here.nurse.post(at(here), said, key=fresh())
    assert answer.status_code == 201, answer.text
    return answer.json()


async def all_of(here: Dispensary) -> list[dict[str, Any]]:
    answer = await here.nurse.get(at(here))
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def listed(here: Dispensary, **asked: Any) -> list[dict[str, Any]]:
    answer = await here.nurse.get(f"/programmes/{here.programme}/interim-due", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_33_of_an_interim_treatment_from_1_january_29_june_is_the_last_day_and_the_plan_is_due_by_30_april(
    clinic: Clinic,
) -> None:
    """Worked example 33 (42 CFR 8.12(j))."""
    here = await house(clinic)
    await admit(here, date(2026, 1, 1))
    one = await begun(here, date(2026, 1, 1))
    stands = one["stands"]
    assert (stands["last_day"], stands["plan_due_on"]) == ("2026-06-29", "2026-04-30")
    assert (stands["rule"], stands["at_most_days"]) == ("us.interim of US-1", 180)
    plan = {"made_by": "Dr Ada Osei", "made_on": "2026-04-30"}
    planned = await here.nurse.post(f"{at(here)}/{one['id']}/plan", plan, key=fresh())
    assert planned.json()["stands"]["plan"] == "done"
    over = {"how": "comprehensive", "last_on": "2026-06-29"}
    ended = await here.nurse.post(f"{at(here)}/{one['id']}/end", over, key=fresh())
    assert (ended.status_code, ended.json()["stands"]["is_over"]) == (201, False)
    again = await begun(here, date(2026, 8, 1))
    assert again["stands"]["last_day"] == "2026-07-31", "180 days lie in the twelve months before"


async def test_days_elsewhere_count_and_none_begins_today_when_none_is_left(clinic: Clinic) -> None:
    here = await house(clinic)
    await admit(here, days_ago=30)
    first = here.today - timedelta(days=200)
    was = await begun(here, first, elsewhere=ELSEWHERE, last_on=str(first + timedelta(days=179)))
    assert (was["elsewhere"], was["stands"], was["episode_id"]) == (ELSEWHERE, None, None)
    refused = await here.nurse.post(at(here), {}, key=fresh())
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:interim-days-used"), (
        refused.text
    )
    assert refused.json()["facts"]["rule"] == "us.interim of US-1"
    assert [each["first_on"] for each in refused.json()["facts"]["used"]] == [str(first)]
    late = await begun(here, here.today - timedelta(days=1))
    assert (late["stands"]["is_over"], late["stands"]["days_used"]) == (True, 182), "what has begun is recorded"
    wrong = await here.nurse.post(f"{at(here)}/{was['id']}/withdrawal", {"reason": "Another client."}, key=fresh())
    assert (wrong.status_code, wrong.json()["taken_back"]) == (201, "Another client.")
    assert [each["stands"] and each["stands"]["days_used"] for each in await all_of(here)] == [None, 2]


async def test_who_has_no_plan_is_listed_from_so_many_days_ahead_and_then_for_the_last_day(clinic: Clinic) -> None:
    here = await house(clinic)
    await admit(here, days_ago=150)
    one = await begun(here, here.today - timedelta(days=120))
    [line] = await listed(here, ahead_days=0)
    due = str(here.today - timedelta(days=1))
    assert (line["interim_id"], line["due_on"], line["stands"]["plan"]) == (one["id"], due, "overdue")
    await here.nurse.post(f"{at(here)}/{one['id']}/plan", {"made_by": "Dr Ada Osei"}, key=fresh())
    assert await listed(here, ahead_days=58) == []
    [line] = await listed(here, ahead_days=59)
    assert (line["due_on"], line["stands"]["plan"]) == (one["stands"]["last_day"], "done_late")
    await here.nurse.post(f"{at(here)}/{one['id']}/end", {"how": "comprehensive"}, key=fresh())
    assert await listed(here, ahead_days=90) == []


async def test_random_screens_of_its_days_are_counted(clinic: Clinic) -> None:
    here = await house(clinic)
    await admit(here, days_ago=364)
    await here.order()
    await begun(here)
    drawn = await here.nurse.post(f"/programmes/{here.programme}/drug-screen-draws")
    assert len(drawn.json()["items"]) == 1, "nobody was screened all year, and this is its last day"
    sample = {"why": "random", "drawn_on": drawn.json()["day"], "matrix": "urine", "observed": False}
    taken = await here.nurse.post(f"/clients/{here.client}/drug-screens", sample)
    assert taken.status_code == 201, taken.text
    [shown] = await all_of(here)
    assert (shown["stands"]["random_screens"], shown["stands"]["random_screens_needed"]) == (1, 2)


async def test_a_discharge_ends_it(clinic: Clinic) -> None:
    here = await house(clinic)
    await admit(here, days_ago=10)
    await begun(here, here.today - timedelta(days=10))
    assert len(await listed(here, ahead_days=92)) == 0, "the plan is due on day 120"
    left = await here.prescriber.post(
        f"/clients/{here.client}/discharge", {"reason": "dropped_out", "note": "Moved away."}
    )
    assert left.status_code == 201, left.text
    [shown] = await all_of(here)
    assert (shown["last_on"], shown["ended"], shown["stands"]["days_used"]) == (str(here.today), None, 11)
    assert (await here.nurse.post(at(here), {})).status_code == 409


async def test_two_at_once_and_a_retry_record_one(clinic: Clinic) -> None:
    here, key = await house(clinic), fresh()
    await admit(here)
    answers = await asyncio.gather(*(by.post(at(here), {}, key=fresh()) for by in (here.nurse, here.colleague)))
    assert sorted(each.status_code for each in answers) == [201, 409]
    [one] = await all_of(here)
    for what, said in (("plan", {"made_by": "Dr Ada Osei"}), ("end", {"how": "left"})):
        where = f"{at(here)}/{one['id']}/{what}"
        both = await asyncio.gather(*(by.post(where, said, key=fresh()) for by in (here.nurse, here.colleague)))
        assert sorted(each.status_code for each in both) == [201, 409]
    wrong = [
        await here.nurse.post(f"{at(here)}/{one['id']}/withdrawal", {"reason": "Not yet."}, key=key) for _ in range(2)
    ]
    assert (wrong[0].status_code, wrong[0].json()) == (201, wrong[1].json())
    key = fresh()
    first, again = [await here.nurse.post(at(here), {}, key=key) for _ in range(2)]
    assert (first.status_code, first.json()) == (201, again.json())


async def test_a_wrong_plan_is_put_right_and_what_was_said_first_stays_readable(clinic: Clinic) -> None:
    here = await house(clinic)
    await admit(here, days_ago=130)
    one = await begun(here, here.today - timedelta(days=130))
    path = f"{at(here)}/{one['id']}/plan"
    said = {"made_by": "Dr Ada Osei", "made_on": str(here.today - timedelta(days=20))}
    nothing = await here.nurse.put(path, said | {"reason": "?"}, headers={"If-Match": '"0"'})
    assert (nothing.status_code, nothing.json()["type"]) == (409, "urn:caseload:problem:interim-settled")
    made = (await here.nurse.post(path, {"made_by": "Dr Ada Osei"}, key=fresh())).json()
    assert (made["stands"]["plan"], [each["version"] for each in made["plans"]]) == ("done_late", [1])

    body = said | {"reason": "It was made three weeks ago."}
    assert (await here.nurse.put(path, body)).status_code == 428
    assert (await here.nurse.put(path, body, headers={"If-Match": '"2"'})).status_code == 412
    both = await asyncio.gather(
        *(by.put(path, body, headers={"If-Match": '"1"'}) for by in (here.nurse, here.colleague))
    )
    assert {200} < {each.status_code for each in both} <= {200, 409, 412}
    [shown] = await all_of(here)
    assert (shown["planned_on"], shown["stands"]["plan"]) == (said["made_on"], "done")
    assert [(each["made_on"], each["reason"]) for each in shown["plans"]] == [
        (str(here.today), None),
        (said["made_on"], body["reason"]),
    ]

    none = await here.nurse.put(path, {"reason": "Of another client."}, headers={"If-Match": '"2"'})
    assert (none.status_code, none.json()["planned_on"], none.json()["stands"]["plan"]) == (200, None, "overdue")
    assert len(none.json()["plans"]) == 3
    [line] = await listed(here)
    assert line["interim_id"] == one["id"], "it is listed again"


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"version": 0, "reason": "?"}, "interim_plan_version_check"),
        ({"version": 2}, "interim_plan_says_why_check"),
        ({"version": 2, "reason": " "}, "interim_plan_reason_not_blank_check"),
        ({"version": 2, "reason": "?", "made_by": None}, "interim_plan_whole_check"),
        ({"version": 1, "made_by": None, "made_on": None}, "interim_plan_first_check"),
    ],
)
async def test_a_plan_that_cannot_be_is_not_stored(clinic: Clinic, wrong: dict[str, Any], constraint: str) -> None:
    here = await house(clinic)
    await admit(here)
    row = {
        "interim_treatment_id": (await begun(here))["id"],
        "version": 1,
        "made_on": here.today,
        "made_by": "Dr Ada Osei",
        "reason": None,
        "recorded_by": here.nurse.staff.id,
        "recorded_at": clinic.service.clock(),
    }
    with pytest.raises(IntegrityError, match=constraint):
        async with clinic.service.engine.begin() as connection:
            await connection.execute(insert(interim_plan), [row | wrong])


async def test_outside_the_us_there_is_none(clinic: Clinic) -> None:
    here = await house(clinic, "UK")
    await admit(here, days_ago=10)
    refused = await here.nurse.post(at(here), {}, key=fresh())
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:no-interim-here")
    assert await all_of(here) == await listed(here) == []


async def test_it_is_for_who_looks_after_them(clinic: Clinic) -> None:
    here = await house(clinic)
    assert await all_of(here) == [], "never admitted"
    missing = f"{at(here)}/{new_id()}"
    assert (await here.nurse.post(f"{missing}/end", {"how": "left"})).status_code == 404
    await admit(here, days_ago=130)
    one = await begun(here, here.today - timedelta(days=130))
    desk = await clinic.person((Role.FRONT_DESK, here.programme))
    assert (await desk.get(f"/programmes/{here.programme}/interim-due")).status_code == 403
    stranger = await clinic.person((Role.NURSE, await clinic.programme()))
    assert (await stranger.get(at(here))).status_code == 404
    assert (await stranger.post(at(here), {})).status_code == 404
    for what, said in (("plan", {"made_by": "?"}), ("end", {"how": "left"}), ("withdrawal", {"reason": "?"})):
        assert (await stranger.post(f"{at(here)}/{one['id']}/{what}", said)).status_code == 404
        assert (await here.nurse.post(f"{missing}/{what}", said)).status_code == 404
    other = await clinic.person((Role.COUNSELLOR, here.programme))
    answer = await other.get(f"/programmes/{here.programme}/interim-due")
    assert (answer.status_code, answer.json()["items"]) == (200, []), "none of theirs"


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"number": 0}, "interim_treatment_number_check"),
        ({"elsewhere": " ", "last_on": date(2026, 1, 1), "episode_id": None}, "interim_treatment_elsewhere_not_blank"),
        ({"elsewhere": ELSEWHERE}, "interim_treatment_here_or_elsewhere_check"),
        ({"last_on": date(2026, 1, 1)}, "interim_treatment_here_or_elsewhere_check"),
        ({"elsewhere": ELSEWHERE, "last_on": date(2025, 1, 1), "episode_id": None}, "interim_treatment_days_check"),
        ({}, "interim_treatment_client_id_number_key"),
    ],
)
async def test_a_wrong_state_cannot_be_stored(clinic: Clinic, wrong: dict[str, Any], constraint: str) -> None:
    here = await house(clinic)
    await admit(here)
    one = await begun(here)
    row = {
        "id": new_id(),
        "client_id": here.client,
        "number": 1 if not wrong else 2,
        "episode_id": one["episode_id"],
        "started_on": date(2026, 1, 1),
        "recorded_by": here.nurse.staff.id,
        "recorded_at": clinic.service.clock(),
    }
    with pytest.raises(IntegrityError, match=constraint):
        async with clinic.service.engine.begin() as connection:
            await connection.execute(insert(interim_treatment), [{"elsewhere": None, "last_on": None} | row | wrong])
    ends = {"last_on": date(2026, 1, 1), "how": "walked", "recorded_by": here.nurse.staff.id}
    with pytest.raises(IntegrityError, match="interim_end_how_check"):
        async with clinic.service.engine.begin() as connection:
            await connection.execute(
                insert(interim_end),
                [ends | {"interim_treatment_id": one["id"], "recorded_at": clinic.service.clock()}],
            )
