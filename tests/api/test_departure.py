"""Discharges that wait for a prescriber, and deaths, over HTTP."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import PASSWORD, Dispensary, days_ago, dispensary, fresh, give_password
from tests.api.homes import begun

pytestmark = pytest.mark.anyio

TODAY_60: dict[str, Any] = {"amounts_mg": {"whole": "60"}}


async def in_care(clinic: Clinic, **options: Any) -> tuple[Dispensary, Person]:
    """A dispensary whose client is in an episode of care, with the counsellor who answers for them."""
    here = await dispensary(clinic, **options)
    counsellor = await clinic.person((Role.COUNSELLOR, here.programme))
    await admit(here, counsellor)
    return here, counsellor


async def admit(here: Dispensary, counsellor: Person) -> None:
    admitted = await here.prescriber.post(
        f"/clients/{here.client}/episodes",
        {
            "counsellor_id": str(counsellor.staff.id),
            "level_of_care": {"edition": "uk_modality", "level": "prescribing"},
            "admitted_at": days_ago(here, 30),
        },
    )
    assert admitted.status_code == 201, admitted.text


async def ask(here: Dispensary, by: Person, *, key: str | None = None, **said: Any) -> httpx.Response:
    return await by.post(f"/clients/{here.client}/discharge", {"reason": "completed", **said}, key=key)


async def waiting(here: Dispensary, by: Person) -> str:
    asked = await ask(here, by)
    assert (asked.status_code, asked.json()["waits"] is not None) == (201, True), asked.text
    return asked.json()["waits"]


async def decide(
    here: Dispensary, discharge: str, fate: str, *, by: Person | None = None, key: str | None = None, **said: Any
) -> httpx.Response:
    decision = {"fate": fate, "reason": "Agreed with the client.", "password": PASSWORD, **said}
    return await (by or here.prescriber).post(f"/discharges/{discharge}/decision", decision, key=key)


async def standings(here: Dispensary) -> dict[str, str]:
    return {each["id"]: each["standing"] for each in (await here.chart())["orders"]}


async def open_episodes(here: Dispensary) -> list[str | None]:
    episodes = (await here.prescriber.get(f"/clients/{here.client}/episodes")).json()["items"]
    return [each["discharge_reason"] for each in episodes]


def day(here: Dispensary, ahead: int) -> str:
    return str(here.today + timedelta(days=ahead))


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rsplit(":", 1)[1]


async def test_a_discharge_waits_while_an_order_is_in_force_and_the_medicine_goes_on(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    order = await here.order()
    key = fresh()
    asked = await ask(here, counsellor, key=key, note="Moves away.")
    assert asked.status_code == 201
    assert (await ask(here, counsellor, key=key, note="Moves away.")).json() == asked.json()
    assert problem(await ask(here, counsellor)) == (409, "asked-already")
    assert await open_episodes(here) == [None]
    assert (await here.give(order)).status_code == 201
    [listed] = (await here.prescriber.get(f"/programmes/{here.programme}/discharges")).json()["items"]
    assert (listed["id"], listed["orders"], listed["waits"]) == (asked.json()["waits"], [order["id"]], True)
    assert listed["note"] == "Moves away."
    assert (await here.nurse.get(f"/programmes/{here.programme}/discharges")).status_code == 403


async def test_a_draft_and_an_order_that_has_ended_keep_nobody_waiting(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    await here.draft()
    ended = await here.order()
    stopped = await here.prescriber.post(f"/orders/{ended['id']}/stop", {"reason": "Done.", "password": PASSWORD})
    assert stopped.status_code == 201
    assert (await ask(here, counsellor)).json() == {"waits": None}
    assert await open_episodes(here) == ["completed"]


async def test_to_stop_ends_every_order_now_and_discharges(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    order = await here.order()
    discharge, key = await waiting(here, counsellor), fresh()
    decided = await decide(here, discharge, "stop", key=key)
    assert decided.status_code == 201, decided.text
    assert (await decide(here, discharge, "stop", key=key)).json() == decided.json()
    answer = decided.json()["answer"]
    assert (answer["fate"], answer["reason"], decided.json()["waits"]) == ("stop", "Agreed with the client.", False)
    [fact] = answer["facts"]["orders"]
    assert (fact["order"], fact["becomes"], answer["facts"]["profile"]) == (order["id"], "stopped", "UK-1")
    assert await standings(here) == {order["id"]: "stopped"}
    assert await open_episodes(here) == ["completed"]
    refused = await here.give(order)
    assert problem(refused) == (409, "order-changed")
    assert problem(await decide(here, discharge, "stop")) == (409, "asked-moved")
    assert (await here.prescriber.get(f"/programmes/{here.programme}/discharges")).json()["items"] == []
    assert (await here.prescriber.get(f"/discharges/{discharge}")).json() == decided.json()


async def test_to_continue_ends_the_order_on_its_day_and_the_chain_stays_whole(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    order = await here.order()
    decided = await decide(here, await waiting(here, counsellor), "continue", until=day(here, 14))
    assert decided.status_code == 201, decided.text
    shorter, former = (await here.chart())["orders"]
    if shorter["id"] == order["id"]:
        shorter, former = former, shorter
    assert (former["id"], former["standing"], former["replaced_by"]) == (order["id"], "replaced", shorter["id"])
    assert (shorter["ends_on"], shorter["amounts_mg"], shorter["version"]) == (day(here, 14), order["amounts_mg"], 2)
    assert (shorter["standing"], shorter["replaces"]) == ("in_force", order["id"])
    assert decided.json()["answer"]["facts"]["orders"][0]["becomes"] == shorter["id"]
    assert (await here.give(shorter)).status_code == 201
    assert await open_episodes(here) == ["completed"]


async def test_an_order_that_ends_by_then_stays_as_it_is(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    order = await here.order(ends_on=day(here, 14))
    discharge = await waiting(here, counsellor)
    decided = await decide(here, discharge, "transfer", until=day(here, 14), to="Northside clinic")
    assert decided.status_code == 201, decided.text
    assert (await standings(here), decided.json()["answer"]["to"]) == ({order["id"]: "in_force"}, "Northside clinic")
    assert decided.json()["answer"]["facts"]["orders"][0]["becomes"] == "stays"


async def test_one_day_less_and_it_is_shortened(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    order = await here.order(ends_on=day(here, 14))
    decided = await decide(here, await waiting(here, counsellor), "continue", until=day(here, 13))
    assert decided.status_code == 201, decided.text
    assert (await standings(here))[order["id"]] == "replaced"


async def test_every_second_day_stays_every_second_day(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    order = await here.order(every_days=2, starts_on=day(here, 1))
    decided = await decide(here, await waiting(here, counsellor), "continue", until=day(here, 9))
    assert decided.status_code == 201, decided.text
    [shorter] = [each for each in (await here.chart())["orders"] if each["id"] != order["id"]]
    assert (shorter["starts_on"], shorter["every_days"], shorter["ends_on"]) == (day(here, 1), 2, day(here, 9))


async def test_a_taper_is_an_order_that_steps_down_and_ends_by_then(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    steps = [{"from_on": day(here, 7), "amounts_mg": {"whole": "40"}}]
    level = await here.order()
    discharge = await waiting(here, counsellor)
    refused = await decide(here, discharge, "taper", until=day(here, 14))
    assert problem(refused) == (409, "orders-outlast")
    assert refused.json()["facts"]["orders"] == [level["id"]]
    flat = await here.order(replaces=level["id"], ends_on=day(here, 14))
    assert problem(await decide(here, discharge, "taper", until=day(here, 14))) == (409, "orders-outlast")
    down = await here.order(replaces=flat["id"], ends_on=day(here, 14), steps=steps)
    assert problem(await decide(here, discharge, "taper", until=day(here, 13))) == (409, "orders-outlast")
    decided = await decide(here, discharge, "taper", until=day(here, 14))
    assert decided.status_code == 201, decided.text
    assert (await standings(here))[down["id"]] == "in_force"
    assert await open_episodes(here) == ["completed"]


async def test_what_has_steps_is_not_shortened_by_itself(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    order = await here.order(steps=[{"from_on": day(here, 7), "amounts_mg": {"whole": "65"}}])
    discharge = await waiting(here, counsellor)
    refused = await decide(here, discharge, "continue", until=day(here, 14))
    assert (problem(refused), refused.json()["facts"]["orders"]) == ((409, "orders-outlast"), [order["id"]])
    assert problem(await decide(here, discharge, "taper", until=day(here, 14))) == (409, "orders-outlast")


async def test_what_the_profile_asks_about_a_shorter_order_is_answered_in_the_decision(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    first = await here.order(ends_on=day(here, 2))
    await here.order(starts_on=day(here, 3), amounts_mg={"whole": "65"})
    await here.prescriber.post(f"/orders/{first['id']}/stop", {"reason": "Given elsewhere.", "password": PASSWORD})
    discharge = await waiting(here, counsellor)
    asked = await decide(here, discharge, "continue", until=day(here, 5))
    assert problem(asked) == (409, "order-needs-confirmation")
    rules = [each["rule"] for each in asked.json()["facts"]["rules"]]
    assert rules == ["uk.uncovered_days", "uk.first_day"]
    confirmed = [{"rule": rule, "reason": "As it is."} for rule in rules]
    stray = [*confirmed, {"rule": "uk.rise", "reason": "Not asked."}]
    refused = await decide(here, discharge, "continue", until=day(here, 5), confirmed=stray)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "confirmed.uk.rise")
    decided = await decide(here, discharge, "continue", until=day(here, 5), confirmed=confirmed)
    assert decided.status_code == 201, decided.text


async def test_an_order_that_begins_after_the_date_is_the_prescribers_to_stop(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    later = await here.order(starts_on=day(here, 10))
    discharge = await waiting(here, counsellor)
    refused = await decide(here, discharge, "continue", until=day(here, 9))
    assert (problem(refused), refused.json()["facts"]["orders"]) == ((409, "orders-outlast"), [later["id"]])
    assert (await decide(here, discharge, "continue", until=day(here, 10))).status_code == 201


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"fate": "stop", "until": 1}, "until"),
        ({"fate": "continue"}, "until"),
        ({"fate": "continue", "until": -1}, "until"),
        ({"fate": "continue", "until": 367}, "until"),
        ({"fate": "transfer", "until": 1}, "to"),
        ({"fate": "transfer", "until": 1, "to": " "}, "to"),
        ({"fate": "transfer", "until": 1, "to": "x" * 4001}, "to"),
        ({"fate": "continue", "until": 1, "to": "somebody"}, "to"),
        ({"fate": "stop", "reason": " "}, "reason"),
    ],
)
async def test_a_decision_says_what_it_must(clinic: Clinic, said: dict[str, Any], field: str) -> None:
    here, counsellor = await in_care(clinic)
    await here.order()
    discharge = await waiting(here, counsellor)
    if "until" in said:
        said = {**said, "until": day(here, said["until"])}
    refused = await here.prescriber.post(
        f"/discharges/{discharge}/decision", {"reason": "Agreed.", "password": PASSWORD, **said}
    )
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, [field])


async def test_only_a_prescriber_of_the_programme_decides_and_proves_it(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    await here.order()
    discharge = await waiting(here, counsellor)
    assert (await decide(here, discharge, "stop", by=here.nurse)).status_code == 403
    assert (await decide(here, discharge, "stop", by=counsellor)).status_code == 403
    elsewhere = await clinic.person((Role.PRESCRIBER, await clinic.programme()))
    await give_password(clinic, elsewhere)
    assert (await decide(here, discharge, "stop", by=elsewhere)).status_code == 404
    assert (await decide(here, discharge, "stop", password="wrong horse")).status_code in {401, 403, 409, 422, 429}
    assert await open_episodes(here) == [None]
    assert (await decide(here, str(uuid4()), "stop")).status_code == 404


async def test_a_discharge_that_waits_is_withdrawn_and_can_be_asked_again(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    order = await here.order()
    first, key = await waiting(here, counsellor), fresh()
    said = {"reason": "The client stays."}
    back = await counsellor.post(f"/discharges/{first}/withdrawal", said, key=key)
    assert (back.status_code, back.json()["waits"], back.json()["answer"]["fate"]) == (201, False, None)
    assert (await counsellor.post(f"/discharges/{first}/withdrawal", said, key=key)).json() == back.json()
    assert problem(await counsellor.post(f"/discharges/{first}/withdrawal", said)) == (409, "asked-moved")
    assert problem(await decide(here, first, "stop")) == (409, "asked-moved")
    assert (await counsellor.post(f"/discharges/{first}/withdrawal", {"reason": " "})).status_code == 422
    second = await waiting(here, counsellor)
    assert second != first
    assert (await here.give(order)).status_code == 201
    assert (await decide(here, second, "stop")).status_code == 201


async def test_two_prescribers_at_once_decide_it_once(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    await here.order()
    other = await clinic.person((Role.PRESCRIBER, here.programme))
    await give_password(clinic, other)
    discharge = await waiting(here, counsellor)
    answers = await asyncio.gather(
        decide(here, discharge, "stop"), decide(here, discharge, "continue", by=other, until=day(here, 5))
    )
    assert sorted(each.status_code for each in answers) == [201, 409]
    assert await open_episodes(here) == ["completed"]


async def test_two_who_ask_at_once_leave_one_waiting(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    await here.order()
    answers = await asyncio.gather(*(ask(here, by) for by in (counsellor, here.prescriber)))
    assert sorted(each.status_code for each in answers) == [201, 409]


async def test_an_order_that_was_stopped_meanwhile_lets_the_client_go(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    order = await here.order()
    discharge = await waiting(here, counsellor)
    await here.prescriber.post(f"/orders/{order['id']}/stop", {"reason": "Done.", "password": PASSWORD})
    assert (await ask(here, counsellor)).json() == {"waits": None}
    assert problem(await decide(here, discharge, "stop")) == (409, "asked-moved")


async def test_the_database_lets_one_discharge_of_an_episode_wait(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    await here.order()
    discharge = await waiting(here, counsellor)
    owner = await asyncpg.connect(clinic.addresses.owner)
    copy = (
        "insert into clinic.discharge_asked (id, client_id, episode_id, programme_id, effective_at, reason, orders,"
        " after_id, asked_by, asked_at) select gen_random_uuid(), client_id, episode_id, programme_id, effective_at,"
        " reason, orders, $2, asked_by, asked_at from clinic.discharge_asked where id = $1"
    )
    with pytest.raises(asyncpg.UniqueViolationError):
        await owner.execute(copy, discharge, None)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await owner.execute(copy, discharge, discharge)
    with pytest.raises(asyncpg.CheckViolationError, match="decided_is_signed"):
        await owner.execute(
            "insert into clinic.discharge_answer (asked_id, fate, facts, reason, answered_by, answered_at)"
            " select id, 'stop', '{}', 'x', asked_by, asked_at from clinic.discharge_asked where id = $1",
            discharge,
        )
    await owner.close()


async def die(here: Dispensary, by: Person, *, key: str | None = None, **said: Any) -> httpx.Response:
    return await by.post(f"/clients/{here.client}/deaths", {"source": "Her sister, by telephone.", **said}, key=key)


async def test_a_death_ends_orders_drafts_plans_and_care_in_one_act(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    order = await here.order()
    draft = await here.draft(starts_on=day(here, 3))
    plan = await counsellor.post(
        f"/clients/{here.client}/check-in-plans",
        {"every": 1, "unit": "days", "at": "23:59", "starts_on": str(here.today), "mode": "in_person"},
    )
    assert plan.status_code == 201, plan.text
    discharge = await waiting(here, counsellor)
    key = fresh()
    died = await die(here, counsellor, key=key, died_on=day(here, -1), note="At home.")
    assert died.status_code == 201, died.text
    assert (await die(here, counsellor, key=key, died_on=day(here, -1), note="At home.")).json() == died.json()
    assert await standings(here) == {order["id"]: "stopped", draft["id"]: "draft"}
    assert all(each["stopped_at"] == died.json()["recorded_at"] for each in (await here.chart())["orders"])
    assert await open_episodes(here) == ["died"]
    assert problem(await here.give(order)) == (409, "order-changed")
    listed = (await here.nurse.get(f"/programmes/{here.programme}/dispensing")).json()["items"]
    assert listed == []
    assert problem(await here.sign(draft)) == (409, "order-moved")
    assert problem(await decide(here, discharge, "stop")) == (409, "asked-moved")
    refused = await here.prescriber.post(f"/clients/{here.client}/orders", here.wish())
    assert problem(refused) == (409, "client-has-died")
    [told] = (await here.prescriber.get(f"/clients/{here.client}/deaths")).json()["items"]
    assert (told["id"], told["died_on"], told["was_wrong"]) == (died.json()["id"], day(here, -1), None)
    plans = await here.prescriber.get(f"/clients/{here.client}/check-in-plans")
    assert plans.status_code == 200
    assert all(each["terms"] is None for each in plans.json()["items"])


async def test_the_death_of_somebody_who_was_not_in_care_stops_the_orders_too(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    assert (await die(here, here.nurse)).status_code == 201
    assert await standings(here) == {order["id"]: "stopped"}


async def test_what_was_given_before_is_still_recorded(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    order = await here.order()
    assert (await die(here, counsellor)).status_code == 201
    late = await here.give(order, given_at=days_ago(here, 0), late={"reason": "Typed in after the telephone call."})
    assert late.status_code == 201, late.text


async def test_a_death_is_recorded_once_and_by_whoever_cares_for_the_client(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    answers = await asyncio.gather(*(die(here, by) for by in (here.nurse, here.prescriber, here.colleague)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    pharmacist = await clinic.person((Role.PHARMACIST, here.programme))
    assert (await die(here, pharmacist)).status_code == 403
    elsewhere = await clinic.person((Role.NURSE, await clinic.programme()))
    assert (await die(here, elsewhere)).status_code == 404
    assert (await ask(here, counsellor, reason="died")).status_code in {404, 409}


async def test_died_is_no_reason_of_a_discharge(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    refused = await ask(here, counsellor, reason="died")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "reason")


async def test_what_cannot_be_known_of_a_death_is_refused(clinic: Clinic) -> None:
    here, _ = await in_care(clinic)
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"source": " "}, "source"),
        ({"note": "x" * 4001}, "note"),
        ({"known_at": days_ago(here, -1)}, "known_at"),
        ({"known_at": "1999-12-31T00:00:00Z", "died_on": day(here, 0)}, "known_at"),
        ({"died_on": day(here, 1)}, "died_on"),
        ({"known_at": "9999-12-31T23:59:59Z", "died_on": day(here, 0)}, "known_at"),
    )
    for said, field in wrong:
        refused = await die(here, here.nurse, **said)
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, [field])
    assert (await die(here, here.nurse, known_at=days_ago(here, 40), died_on=day(here, -41))).status_code == 201


async def test_a_wrong_report_is_corrected_by_a_second_person_and_orders_stay_stopped(clinic: Clinic) -> None:
    here, counsellor = await in_care(clinic)
    order = await here.order()
    death = (await die(here, here.nurse)).json()["id"]
    path, said, key = f"/deaths/{death}/correction", {"reason": "She is at the door."}, fresh()
    assert problem(await here.nurse.post(path, said)) == (403, "same-hand")
    assert (await here.colleague.post(path, {"reason": " "})).status_code == 422
    corrected = await here.colleague.post(path, said, key=key)
    assert (corrected.status_code, corrected.json()["was_wrong"]) == (201, "She is at the door.")
    assert (await here.colleague.post(path, said, key=key)).json() == corrected.json()
    assert problem(await here.prescriber.post(path, said)) == (409, "death-moved")
    assert await standings(here) == {order["id"]: "stopped"}
    await admit_again(here, counsellor)
    again = await here.order()
    assert (await here.give(again)).status_code == 201
    assert (await die(here, here.colleague)).status_code == 201
    assert len((await here.nurse.get(f"/clients/{here.client}/deaths")).json()["items"]) == 2


async def admit_again(here: Dispensary, counsellor: Person) -> None:
    admitted = await here.prescriber.post(
        f"/clients/{here.client}/episodes",
        {
            "counsellor_id": str(counsellor.staff.id),
            "level_of_care": {"edition": "uk_modality", "level": "prescribing"},
        },
    )
    assert admitted.status_code == 201, admitted.text


async def test_the_medicine_at_home_is_asked_for_and_what_came_of_it_is_said_once(clinic: Clinic) -> None:
    here, _ = await in_care(clinic)
    death = (await die(here, here.nurse)).json()["id"]
    path = f"/programmes/{here.programme}/recoveries"
    [asked] = (await here.nurse.get(path)).json()["items"]
    assert (asked["death_id"], asked["client_id"], asked["outcome"]) == (death, str(here.client), None)
    assert (await here.nurse.post(f"/deaths/{death}/recovery", {"outcome": ""})).status_code == 422
    said, key = {"outcome": "Two bottles came back."}, fresh()
    closed = await here.nurse.post(f"/deaths/{death}/recovery", said, key=key)
    assert (closed.status_code, closed.json()["outcome"]) == (201, "Two bottles came back.")
    assert (await here.nurse.post(f"/deaths/{death}/recovery", said, key=key)).json() == closed.json()
    assert problem(await here.colleague.post(f"/deaths/{death}/recovery", said)) == (409, "recovery-moved")
    assert (await here.nurse.get(path)).json()["items"] == []
    assert (await here.nurse.post(f"/deaths/{uuid4()}/recovery", said)).status_code == 404


async def test_each_unit_at_home_is_named_and_accounted_for_before_the_asking_ends(clinic: Clinic) -> None:
    made, order = await begun(clinic)
    await made.may_take(6)
    assert (await made.here.give(order)).status_code == 201
    units = await made.handed(1, 2)
    death = (await die(made.here, made.here.nurse)).json()["id"]
    [asked] = (await made.here.nurse.get(f"/programmes/{made.here.programme}/recoveries")).json()["items"]
    assert sorted(each["label"] for each in asked["units"]) == sorted(unit["label"] for unit in units)
    said = {"outcome": "Her mother brought one bottle; the other is gone."}
    refused = await made.here.nurse.post(f"/deaths/{death}/recovery", said)
    assert problem(refused) == (409, "units-still-out")
    assert sorted(refused.json()["facts"]["units"]) == sorted(unit["id"] for unit in units)
    assert (await made.report(units[0], state="full", taken=False)).status_code == 201
    assert problem(await made.here.nurse.post(f"/deaths/{death}/recovery", said)) == (409, "units-still-out")
    assert (await made.report(units[1], state="missing", taken=False)).status_code == 201
    closed = await made.here.nurse.post(f"/deaths/{death}/recovery", said)
    assert (closed.status_code, closed.json()["units"]) == (201, [])


async def test_the_database_holds_the_second_person_and_the_stopped_orders(clinic: Clinic) -> None:
    here, _ = await in_care(clinic)
    order = await here.order()
    death = (await die(here, here.nurse)).json()["id"]
    owner = await asyncpg.connect(clinic.addresses.owner)
    with pytest.raises(asyncpg.CheckViolationError, match="by_another"):
        await owner.execute(
            "insert into clinic.client_death_correction select id, recorded_by, 'x', recorded_by, recorded_at"
            " from clinic.client_death where id = $1",
            death,
        )
    with pytest.raises(asyncpg.CheckViolationError, match="signed_or_with_a_death"):
        await owner.execute("update clinic.medication_order_stop set death_id = null where order_id = $1", order["id"])
    with pytest.raises(asyncpg.UniqueViolationError):
        await owner.execute(
            "insert into clinic.client_death select gen_random_uuid(), client_id, programme_id, known_at, source,"
            " died_on, note, after_id, recorded_by, recorded_at from clinic.client_death where id = $1",
            death,
        )
    await owner.close()
