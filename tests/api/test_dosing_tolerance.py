"""Tolerance that is lost where few doses were missed: prison, hospital, detox, a discharge, a stopped naltrexone."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from caseload.domain.ids import new_id
from tests.api.conftest import Clinic
from tests.api.days import pass_days
from tests.api.dispensary import PASSWORD, Dispensary, dispensary
from tests.api.test_dosing import rules
from tests.api.test_dosing_missed import with_gaps
from tests.api.test_dosing_statements import ago, dosed_daily, state, taken, verify

pytestmark = pytest.mark.anyio


async def excuse(here: Dispensary, reason: str, first: int, last: int | None) -> None:
    said = {
        "reason": reason,
        "first_on": ago(here, first),
        "last_on": ago(here, last) if last is not None else None,
        "told_by": "The ward",
    }
    answer = await here.nurse.post(f"/clients/{here.client}/excusals", said)
    assert answer.status_code == 201, answer.text


async def decide(here: Dispensary, **said: Any) -> Any:
    return await here.prescriber.post(
        f"/clients/{here.client}/dosing-decisions",
        {"days": [str(here.today)], "reason": "Seen.", "password": PASSWORD, **said},
    )


@pytest.mark.parametrize("where", ["prison", "hospital", "detox"])
async def test_one_unverified_day_away_asks_although_the_ladder_gives(clinic: Clinic, where: str) -> None:
    here = await dispensary(clinic)
    order = await dosed_daily(here, then=2)
    await excuse(here, where, 1, 1)
    refused = await here.give(order)
    [told] = refused.json()["facts"]["rules"]
    assert (told["rule"], told["policy"]) == ("tolerance_lost", "uk.tolerance_lost of UK-1")
    assert (told["facts"]["where"], told["facts"]["days"]) == ([where], [ago(here, 1)])
    due = (await here.chart())["due"]
    assert [each["rule"] for each in due["in_the_way"]] == ["tolerance_lost"]
    assert (await here.nurse.get(f"/programmes/{here.programme}/dispensing")).json()["items"][0]["due"] == due
    decided = await decide(here)
    assert (decided.status_code, decided.json()["rules"]) == (201, ["uk.tolerance_lost"]), decided.text
    assert (await here.give(order)).status_code == 201


async def test_what_somebody_verified_there_leaves_nothing_to_ask(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await dosed_daily(here, then=3)
    await excuse(here, "hospital", 2, None)
    assert rules(await here.give(order)) == ["tolerance_lost"]
    await verify(here, await state(here, taken(here, 2, 1), source="hospital", source_name="St Example's"))
    assert (await here.give(order)).status_code == 201


@pytest.mark.parametrize(("reason", "first", "last"), [("travel", 1, 1), ("prison", 9, 3)])
async def test_other_absences_and_those_before_the_last_dose_say_nothing(
    clinic: Clinic, reason: str, first: int, last: int
) -> None:
    here = await dispensary(clinic)
    order = await dosed_daily(here, then=2)
    await excuse(here, reason, first, last)
    assert (await here.give(order)).status_code == 201


async def test_where_the_ladder_asks_by_itself_it_says_enough(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await dosed_daily(here, then=4)
    await excuse(here, "prison", 3, 1)
    assert rules(await here.give(order)) == ["missed_doses"]
    decided = await decide(here)
    assert decided.json()["rules"] == ["uk.missed.3"]
    assert (await here.give(order)).status_code == 201


async def discharged(here: Dispensary, days_ago: int, *, back_days_ago: int | None = None) -> None:
    """An episode that ended so many days ago, and another one that began since, as only the owner can put them there."""
    owner = await asyncpg.connect(here.clinic.addresses.owner)
    now = here.clinic.service.clock()
    try:
        await owner.execute("set session_replication_role = replica")  # nobody is responsible for them
        for begun, ended in ((40, days_ago), (back_days_ago, None)):
            if begun is None:
                continue
            episode = new_id()
            until = now - timedelta(days=ended) if ended is not None else None
            await owner.execute(
                "insert into clinic.episode (id, client_id, programme_id, admitted_on, period, recorded_by, recorded_at)"
                " values ($1, $2, $3, $4, tstzrange($5, $6), $7, $5)",
                *(episode, here.client, here.programme, here.today - timedelta(days=begun)),
                *(now - timedelta(days=begun), until, here.nurse.staff.id),
            )
            if until is not None:
                await owner.execute(
                    "insert into clinic.discharge (episode_id, effective_at, reason, recorded_by, recorded_at)"
                    " values ($1, $2, 'completed', $3, $2)",
                    *(episode, until, here.nurse.staff.id),
                )
    finally:
        await owner.close()


async def test_a_discharge_between_two_doses_asks(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await dosed_daily(here, then=2)
    await discharged(here, 2, back_days_ago=0)
    [told] = (await here.give(order)).json()["facts"]["rules"]
    assert (told["rule"], told["facts"]["where"]) == ("tolerance_lost", ["discharge"])


async def test_a_missed_dose_after_coming_back_is_no_discharge(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await dosed_daily(here, then=2)
    await discharged(here, 5, back_days_ago=1)
    assert (await here.give(order)).status_code == 201


NALTREXONE: dict[str, Any] = {
    "medicine": "naltrexone",
    "form": "tablet",
    "strength_mg": "50",
    "amounts_mg": {"whole": "50"},
    "no_opioid_known": "Asked: none.",
}


async def naltrexone(here: Dispensary, *, then: int) -> None:
    order = await here.order(**NALTREXONE, ends_on=str(here.today))
    assert (await here.give(order)).status_code == 201
    await pass_days(here, then)


@pytest.mark.parametrize(("then", "asks"), [(60, True), (61, False)])
async def test_an_agonist_after_a_stopped_naltrexone_asks_the_prescriber_as_it_is_ordered(
    clinic: Clinic, then: int, *, asks: bool
) -> None:
    here = await dispensary(clinic)
    await naltrexone(here, then=then)
    draft = await here.draft(amounts_mg={"whole": "30"})
    signed = await here.sign(draft)
    assert (signed.status_code == 409) is asks
    if asks:
        [told] = signed.json()["facts"]["rules"]
        assert (told["rule"], told["facts"]["naltrexone_on"]) == ("uk.tolerance_lost", ago(here, then))
        assert (await here.sign(draft, "uk.tolerance_lost")).status_code == 201
        assert (await here.chart())["due"]["in_the_way"] == []
    assert (await here.give(draft)).status_code == 201


async def test_an_order_signed_before_the_naltrexone_waits_for_a_decision(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone = await here.order(amounts_mg={"whole": "30"}, starts_on=str(here.today + timedelta(days=10)))
    await naltrexone(here, then=10)
    assert rules(await here.give(methadone)) == ["tolerance_lost"]
    assert [each["rule"] for each in (await here.chart())["due"]["in_the_way"]] == ["tolerance_lost"]
    decided = await decide(here)
    assert (decided.status_code, decided.json()["rules"]) == (201, ["uk.tolerance_lost"]), decided.text
    assert (await here.give(methadone)).status_code == 201
    await pass_days(here, 1)
    assert (await here.give(methadone)).status_code == 201, "an agonist was taken since"


async def test_a_depot_after_a_stopped_naltrexone_asks_too(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    depot = await here.order(
        medicine="buprenorphine", form="extended_release_injection", strength_mg="96", amounts_mg={"whole": "96"},
        every_days=28, starts_on=str(here.today + timedelta(days=10)),
    )  # fmt: skip
    await naltrexone(here, then=10)
    assert rules(await here.give(depot)) == ["tolerance_lost"]
    decided = await decide(here)
    assert (decided.status_code, decided.json()["rules"]) == (201, ["uk.tolerance_lost"]), decided.text
    assert (await here.give(depot)).status_code == 201


async def test_gaps_that_repeat_themselves_and_a_day_in_hospital_are_decided_together(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await with_gaps(here, {1, 3, 5}, amounts_mg={"whole": "30"})
    await excuse(here, "hospital", 1, 1)
    assert rules(await here.give(order)) == ["repeated_gaps", "tolerance_lost"]
    decided = await decide(here)
    assert decided.json()["rules"] == ["uk.repeated_gaps", "uk.tolerance_lost"]
    assert (await here.give(order)).status_code == 201
