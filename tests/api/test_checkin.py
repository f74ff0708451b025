"""Check-ins over HTTP: planned, done, tried, moved, given up and corrected; and the list that explains itself."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from caseload.domain.access import Role
from caseload.domain.schedule import Weekday, local_day
from tests.api.conftest import Clinic
from tests.api.house import DAY, ZONE, House, open_house

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(clinic: Clinic) -> House:
    return await open_house(clinic)


def weekly(clinic: Clinic, **changes: Any) -> dict[str, Any]:
    tomorrow = local_day(clinic.service.clock(), ZONE) + DAY
    return {
        "every": 1,
        "unit": "weeks",
        "weekday": tuple(Weekday)[tomorrow.weekday()],
        "at": "09:00",
        "starts_on": tomorrow.isoformat(),
        "mode": "telephone",
        **changes,
    }


async def test_a_plan_schedules_the_coming_weeks_with_the_grace_of_the_profile(house: House) -> None:
    client = await house.client()

    made = await house.robin.post(f"/clients/{client.id}/check-in-plans", weekly(house.clinic), key=str(uuid4()))

    assert made.status_code == 201, made.text
    plan = made.json()
    assert made.headers["ETag"] == '"1"'
    assert (plan["terms"]["grace_days"], plan["terms"]["grace_rule"]) == (1, "US-1 us.check_in_grace")
    check_ins = await house.check_ins(client.id)
    assert len(check_ins) == 9
    assert {each["plan_id"] for each in check_ins} == {plan["id"]}
    assert (await house.robin.get(f"/check-in-plans/{plan['id']}")).json() == plan
    assert (await house.robin.get(f"/clients/{client.id}/check-in-plans")).json() == {"items": [plan]}


async def test_a_plan_is_made_and_changed_by_a_rule_as_rfc_5545_writes_it(house: House) -> None:
    client = await house.client()
    spelled = {"every": None, "unit": None, "weekday": None, "rrule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;COUNT=3"}
    made = (await house.robin.post(f"/clients/{client.id}/check-in-plans", weekly(house.clinic, **spelled))).json()

    terms = made["terms"]
    assert (terms["rule"], len(await house.check_ins(client.id))) == ("every 2 weeks on Tuesday at 09:00", 3)
    assert terms["rrule"].startswith("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;UNTIL=")

    again = weekly(house.clinic, **spelled | {"rrule": terms["rrule"]}, reason="The same once more")
    changed = await house.robin.put(f"/check-in-plans/{made['id']}", again, headers={"If-Match": '"1"'})
    assert changed.status_code == 200, changed.text
    assert changed.json()["terms"] == terms


async def test_a_plan_with_phases_makes_each_check_in_by_its_own_and_answers_with_all(house: House) -> None:
    client, begins = await house.client(), local_day(house.clinic.service.clock(), ZONE) + DAY
    phase = {"every": 2, "unit": "weeks", "weekday": tuple(Weekday)[begins.weekday()], "grace_days": 3}
    body = weekly(house.clinic, phases=[{**phase, "starts_on": str(begins + 14 * DAY)}])
    made = await house.robin.post(f"/clients/{client.id}/check-in-plans", body, key=str(uuid4()))
    assert made.status_code == 201, made.text
    plan = made.json()

    assert plan["terms"]["ends_on"] == str(begins + 13 * DAY)
    assert [each["rule"].split(" on ")[0] for each in plan["later_phases"]] == ["every 2 weeks"]
    assert (await house.robin.get(f"/check-in-plans/{plan['id']}")).json() == plan
    check_ins = sorted(await house.check_ins(client.id), key=lambda each: each["due_at"])
    days = [str(begins + day * DAY) for day in (0, 7, 14, 28, 42, 56)]
    assert [each["scheduled_on"] for each in check_ins] == days
    assert [each["terms"]["grace_days"] for each in check_ins] == [1, 1, 3, 3, 3, 3]
    assert {each["terms"]["rule"] for each in check_ins[2:]} == {plan["later_phases"][0]["rule"]}

    usual = weekly(house.clinic, usual_phases=True, reason="As everybody")
    changed = await house.robin.put(f"/check-in-plans/{plan['id']}", usual, headers={"If-Match": '"1"'})
    assert [each["every"] for each in changed.json()["later_phases"]] == [2, 4, 13]
    both = await house.robin.put(
        f"/check-in-plans/{plan['id']}", body | usual | {"phases": body["phases"]}, headers={"If-Match": '"2"'}
    )
    assert [each["field"] for each in both.json()["errors"]] == ["phases"]


async def test_a_retry_of_a_plan_makes_no_second_one(house: House) -> None:
    client, key = await house.client(), str(uuid4())
    body = weekly(house.clinic)

    first = await house.robin.post(f"/clients/{client.id}/check-in-plans", body, key=key)
    again = await house.robin.post(f"/clients/{client.id}/check-in-plans", body, key=key)

    assert again.json() == first.json()
    assert len((await house.robin.get(f"/clients/{client.id}/check-in-plans")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"every": 0}, {"every"}),
        ({"at": "24:00"}, {"at"}),
        ({"at": "9:00"}, {"at"}),
        ({"unit": "seconds"}, {"unit"}),
        ({"weekday": None}, {"weekday"}),
        ({"starts_on": "1025-01-01"}, {"starts_on"}),
        ({"starts_on": "2198-01-01"}, {"starts_on"}),
        ({"starts_on": "2026-02-30"}, {"starts_on"}),
        ({"grace_days": 10**30, "early_days": -1}, {"grace_days", "early_days"}),
        ({"every": 10**30}, {"every"}),
        ({"every": None, "unit": None}, {"every", "unit"}),
        ({"rrule": "FREQ=DAILY"}, {"every", "unit", "weekday"}),
        ({"every": None, "unit": None, "weekday": None, "rrule": "FREQ=SECONDLY"}, {"rrule"}),
        ({"surprise": 1, "mode": "smoke"}, {"surprise", "mode"}),
    ],
)
async def test_a_plan_that_cannot_be_is_refused_with_every_field(
    house: House, changes: dict[str, Any], fields: set[str]
) -> None:
    client = await house.client()

    refused = await house.robin.post(f"/clients/{client.id}/check-in-plans", weekly(house.clinic, **changes))

    assert refused.status_code == 422, refused.text
    assert {each["field"] for each in refused.json()["errors"]} == fields


async def test_a_plan_is_changed_under_the_version_one_saw(house: House) -> None:
    client = await house.client()
    plan = (await house.robin.post(f"/clients/{client.id}/check-in-plans", weekly(house.clinic))).json()
    path = f"/check-in-plans/{plan['id']}"
    change = weekly(house.clinic, every=2, reason="Doing well")

    assert (await house.robin.put(path, change)).status_code == 428
    assert (await house.robin.put(path, change, headers={"If-Match": '"7"'})).status_code == 412
    changed = await house.robin.put(path, change, headers={"If-Match": '"1"'})

    assert changed.status_code == 200, changed.text
    assert changed.headers["ETag"] == '"2"'
    assert (changed.json()["terms"]["rule"], changed.json()["reason"]) == (
        f"every 2 weeks on {change['weekday'].capitalize()} at 09:00",
        "Doing well",
    )
    check_ins = await house.check_ins(client.id)
    assert {each["outcome"]["ended"] for each in check_ins if each["plan_version"] == 1} == {"withdrawn"}
    assert {each["waiting"] for each in check_ins if each["plan_version"] == 2} == {True}


async def test_a_stopped_plan_leaves_nothing_waiting_and_a_retry_says_the_same(house: House) -> None:
    client, key = await house.client(), str(uuid4())
    plan = (await house.robin.post(f"/clients/{client.id}/check-in-plans", weekly(house.clinic))).json()
    path = f"/check-in-plans/{plan['id']}/stop"

    first = await house.robin.post(path, {"reason": "Moved away"}, key=key, headers={"If-Match": '"1"'})
    again = await house.robin.post(path, {"reason": "Moved away"}, key=key, headers={"If-Match": '"1"'})
    once_more = await house.robin.post(path, {"reason": "Moved away"}, headers={"If-Match": '"2"'})

    assert (first.status_code, first.json()["terms"]) == (200, None)
    assert again.json() == first.json()
    assert once_more.status_code == 409
    assert not any(each["waiting"] for each in await house.check_ins(client.id))


async def test_the_list_says_why_since_when_and_what_clears_it_and_the_count_agrees(house: House) -> None:
    client = await house.client(given_name="Ada", family_name="Overdue")
    await house.planned(client, days_ago=8)

    (line,) = await house.overdue()

    assert (line["given_name"], line["family_name"], line["client_id"]) == ("Ada", "Overdue", str(client.id))
    assert line["why"].startswith("It is planned every 7 days at ")
    days = local_day(house.clinic.service.clock(), ZONE) - local_day(datetime.fromisoformat(line["due_at"]), ZONE)
    assert (line["grace_days"], line["grace_rule"], line["days_late"]) == (1, None, days.days)
    assert (line["attempts"], line["last_fact"], line["last_fact_by"]) == (0, "scheduled", None)
    assert line["cleared_by"] == ["complete", "reschedule_for_provider", "miss"]
    counted = await house.robin.get("/overdue-check-ins/count")
    assert counted.json() == {"count": 1}


async def test_a_programmes_list_is_for_whoever_works_there_and_shows_whom_they_may_see(house: House) -> None:
    client = await house.client()
    await house.planned(client, days_ago=8)
    nurse = await house.clinic.person((Role.NURSE, house.programme))
    colleague = await house.clinic.person((Role.COUNSELLOR, house.programme))
    stranger = await house.clinic.person((Role.COUNSELLOR, await house.clinic.programme()))
    desk = await house.clinic.person((Role.FRONT_DESK, house.programme))

    query = {"programme": str(house.programme)}
    assert len(await house.overdue(nurse, **query)) == 1
    assert await house.overdue(colleague, **query) == []
    assert (await stranger.get("/overdue-check-ins", params=query)).status_code == 403
    assert (await desk.get("/overdue-check-ins", params=query)).status_code == 403
    counts = [await each.get("/overdue-check-ins/count", params=query) for each in (nurse, colleague)]
    assert [each.json()["count"] for each in counts] == [1, 0]


async def test_a_supervisor_asks_for_a_counsellors_list(house: House) -> None:
    client = await house.client()
    await house.planned(client, days_ago=8)
    supervisor = await house.clinic.person((Role.SUPERVISOR, house.programme))
    robin = {"counsellor": str(house.robin.staff.id)}

    assert len(await house.overdue(supervisor, **robin)) == 1
    assert await house.overdue(supervisor) == []
    both = await supervisor.get("/overdue-check-ins", params={**robin, "programme": str(house.programme)})
    assert both.status_code == 422


async def test_the_list_comes_in_pages(house: House) -> None:
    for _ in range(3):
        await house.planned(await house.client(), days_ago=8)

    first = (await house.robin.get("/overdue-check-ins", params={"limit": 2})).json()
    second = (await house.robin.get("/overdue-check-ins", params={"limit": 2, "after": first["next"]})).json()

    assert [len(first["items"]), len(second["items"]), second["next"]] == [2, 1, None]
    assert len({each["check_in_id"] for each in first["items"] + second["items"]}) == 3


async def test_completing_clears_the_list_and_overtakes_what_was_open_before(house: House) -> None:
    client = await house.client()
    await house.planned(client, days_ago=9)
    old, recent = (await house.check_ins(client.id))[:2]

    done = await house.robin.post(
        f"/check-ins/{recent['id']}/completion", {"mode": "telephone", "note": "Slept well"}, key=str(uuid4())
    )

    assert done.status_code == 201, done.text
    assert done.json()["outcome"]["punctuality"] == "late"
    assert done.json()["outcome"]["recorded_by"] == str(house.robin.staff.id)
    assert await house.overdue() == []
    before = (await house.robin.get(f"/check-ins/{old['id']}")).json()
    assert (before["outcome"]["ended"], before["outcome"]["overtaken_by"]) == ("overtaken", recent["id"])


async def test_of_many_who_complete_one_check_in_at_once_one_does_and_the_others_learn_when(house: House) -> None:
    client = await house.client()
    await house.planned(client, days_ago=2)
    (line,) = await house.overdue()
    people = [house.robin, *[await house.clinic.person((Role.NURSE, house.programme)) for _ in range(3)]]

    answers = await asyncio.gather(
        *(each.post(f"/check-ins/{line['check_in_id']}/completion", {"mode": "telephone"}) for each in people)
    )

    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    won = next(each.json() for each in answers if each.status_code == 201)
    lost = [each.json() for each in answers if each.status_code == 409]
    assert {each["type"] for each in lost} == {"urn:caseload:problem:already-settled"}
    at = datetime.fromisoformat(won["outcome"]["occurred_at"])
    assert {datetime.fromisoformat(each["facts"]["at"]) for each in lost} == {at}


async def test_a_retry_of_a_completion_gets_the_first_answer(house: House) -> None:
    client, key = await house.client(), str(uuid4())
    await house.planned(client, days_ago=2)
    (line,) = await house.overdue()
    path, body = f"/check-ins/{line['check_in_id']}/completion", {"mode": "telephone"}

    first = await house.robin.post(path, body, key=key)
    again = await house.robin.post(path, body, key=key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.json()["version"] == 1


async def test_attempts_are_told_on_the_list_and_clear_nothing(house: House) -> None:
    client = await house.client()
    await house.planned(client, days_ago=2)
    (line,) = await house.overdue()

    for _ in range(2):
        tried = await house.robin.post(
            f"/check-ins/{line['check_in_id']}/attempts", {"mode": "telephone", "result": "no_answer"}
        )
        assert tried.status_code == 201, tried.text

    (still,) = await house.overdue()
    assert (still["attempts"], still["last_fact"]) == (2, "attempted")
    assert still["last_fact_by"] == str(house.robin.staff.id)


async def test_moving_takes_it_off_the_list_and_the_client_may_not_move_it_for_ever(house: House) -> None:
    client = await house.client()
    await house.planned(client, days_ago=2)
    (line,) = await house.overdue()
    path = f"/check-ins/{line['check_in_id']}/moves"
    limit = datetime.fromisoformat(line["movable_until"])

    too_far = {"due_at": (limit + DAY).isoformat(), "asked_by": "client", "reason": "Work"}
    assert (await house.robin.post(path, too_far)).status_code == 422
    moved = await house.robin.post(path, {"due_at": limit.isoformat(), "asked_by": "client", "reason": "Work"})

    assert moved.status_code == 201, moved.text
    assert datetime.fromisoformat(moved.json()["due_at"]) == limit
    assert moved.json()["moves"][0]["asked_by"] == "client"
    assert await house.overdue() == []


async def test_missing_needs_a_reason_and_is_corrected_under_the_version_one_saw(house: House) -> None:
    client = await house.client()
    await house.planned(client, days_ago=2)
    (line,) = await house.overdue()
    path = f"/check-ins/{line['check_in_id']}"

    assert (await house.robin.post(f"{path}/miss", {"reason": " "})).status_code == 422
    missed = await house.robin.post(f"{path}/miss", {"reason": "In hospital"})
    assert (missed.status_code, missed.headers["ETag"]) == (201, '"1"')
    assert (await house.robin.post(f"{path}/completion", {"mode": "telephone"})).status_code == 409
    found = {
        "ended": "completed",
        "occurred_at": line["due_at"],
        "mode": "telephone",
        "reason": "They had rung the ward",
    }
    assert (await house.robin.put(f"{path}/outcome", found)).status_code == 428
    corrected = await house.robin.put(f"{path}/outcome", found, headers={"If-Match": '"1"'})
    stale = await house.robin.put(f"{path}/outcome", found, headers={"If-Match": '"1"'})

    assert corrected.status_code == 200, corrected.text
    assert [each["ended"] for each in corrected.json()["outcomes"]] == ["missed", "completed"]
    assert stale.status_code == 412


async def test_a_correction_cannot_say_what_only_follows_from_other_facts(house: House) -> None:
    client = await house.client()
    await house.planned(client, days_ago=2)
    (line,) = await house.overdue()
    path = f"/check-ins/{line['check_in_id']}/outcome"

    refused = await house.robin.put(path, {"ended": "overtaken", "reason": "x"}, headers={"If-Match": '"0"'})
    nothing = await house.robin.put(path, {"ended": "missed", "reason": "x"}, headers={"If-Match": '"0"'})

    assert refused.status_code == 422
    assert nothing.status_code == 409


async def test_a_discharge_takes_everything_of_the_client_off_the_lists(house: House) -> None:
    client = await house.client()
    await house.planned(client, days_ago=2)
    assert len(await house.overdue()) == 1

    gone = await house.robin.post(f"/clients/{client.id}/discharge", {"reason": "completed"})

    assert gone.status_code == 201, gone.text
    supervisor = await house.clinic.person((Role.SUPERVISOR, house.programme))
    assert await house.overdue(supervisor, programme=str(house.programme)) == []
    plans = (await supervisor.get(f"/clients/{client.id}/check-in-plans")).json()["items"]
    assert [(each["terms"], each["reason"]) for each in plans] == [(None, "Discharged: completed")]


async def test_a_discharge_takes_off_what_a_plan_that_was_stopped_before_had_left_waiting(house: House) -> None:
    client = await house.client()
    plan = await house.planned(client, days_ago=2)
    stopped = await house.robin.post(
        f"/check-in-plans/{plan}/stop", {"reason": "Is leaving."}, headers={"If-Match": '"1"'}
    )
    assert stopped.status_code == 200, stopped.text
    [late] = await house.overdue()

    gone = await house.robin.post(f"/clients/{client.id}/discharge", {"reason": "completed"})

    assert gone.status_code == 201, gone.text
    supervisor = await house.clinic.person((Role.SUPERVISOR, house.programme))
    assert await house.overdue(supervisor, programme=str(house.programme)) == []
    left = (await supervisor.get(f"/check-ins/{late['check_in_id']}")).json()
    assert (left["waiting"], left["outcome"]["ended"], left["outcome"]["reason"]) == (
        False,
        "withdrawn",
        "Discharged: completed",
    )


async def test_a_mistake_that_is_found_after_a_discharge_puts_nobody_on_a_list(house: House) -> None:
    client = await house.client()
    await house.planned(client, days_ago=9)
    late = await house.overdue()
    path = f"/check-ins/{late[-1]['check_in_id']}"
    done = await house.robin.post(f"{path}/completion", {"mode": "telephone"})
    assert done.status_code == 201, done.text
    gone = await house.robin.post(f"/clients/{client.id}/discharge", {"reason": "completed"})
    assert gone.status_code == 201, gone.text
    supervisor = await house.clinic.person((Role.SUPERVISOR, house.programme))

    wrong = {"ended": "recorded_in_error", "reason": "It was another client."}
    corrected = await supervisor.put(f"{path}/outcome", wrong, headers={"If-Match": '"1"'})

    assert corrected.status_code == 200, corrected.text
    assert [each["ended"] for each in corrected.json()["outcomes"]] == ["completed", "recorded_in_error", "withdrawn"]
    assert await house.overdue(supervisor, programme=str(house.programme)) == []
    assert not any(
        each["waiting"] for each in (await supervisor.get(f"/clients/{client.id}/check-ins")).json()["items"]
    )


async def test_outside_ones_reach_there_is_nothing_and_nobody_learns_that_somebody_is_in_treatment(
    house: House,
) -> None:
    client = await house.client()
    plan = await house.planned(client, days_ago=2)
    (line,) = await house.overdue()
    stranger = await house.clinic.person((Role.COUNSELLOR, await house.clinic.programme()))
    check_in = f"/check-ins/{line['check_in_id']}"

    answers = [
        await stranger.get(f"/clients/{client.id}/check-ins"),
        await stranger.get(f"/clients/{client.id}/check-in-plans"),
        await stranger.get(f"/check-in-plans/{plan}"),
        await stranger.get(check_in),
        await stranger.post(f"/clients/{client.id}/check-in-plans", weekly(house.clinic)),
        await stranger.post(f"{check_in}/completion", {"mode": "telephone"}),
        await stranger.post(f"{check_in}/attempts", {"mode": "telephone", "result": "no_answer"}),
        await stranger.post(f"{check_in}/miss", {"reason": "x"}),
        await stranger.post(f"/check-in-plans/{plan}/stop", {"reason": "x"}, headers={"If-Match": '"1"'}),
        await stranger.get(f"/check-ins/{uuid4()}"),
    ]

    assert [each.status_code for each in answers] == [404] * len(answers)


async def test_every_answer_about_a_client_has_its_entry(house: House) -> None:
    client = await house.client()
    await house.planned(client, days_ago=2)

    answer = await house.robin.get("/overdue-check-ins")

    assert "audit-entry" in answer.headers
