"""How PostgreSQL finds what take-homes ask: by index, and the doses beside them as before."""

import re
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from caseload.db import dispensing
from caseload.db.access import reach_of
from caseload.db.dosing import facts, lately, steps
from caseload.db.medication import beside
from caseload.db.takehome import covering, decisions, returns, suspending, units
from caseload.domain.access import Act
from caseload.domain.dosing import EVERYTHING_COMMITTED
from tests.db.test_dosing_plans import CROWD
from tests.factories.explain import plan_of
from tests.factories.window import MORNING, TODAY, window
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio

AT_HOME = (
    "set session_replication_role = replica",  # the rows below satisfy every constraint; checking each takes minutes
    """
    insert into clinic.take_home_decision
      (id, client_id, programme_id, medicine, days, no_condition_that_endangers, attends_regularly,
       no_behaviour_that_endangers, no_known_diversion, stores_safely, otherwise_safe,
       no_condition_that_endangers_note, attends_regularly_note, no_behaviour_that_endangers_note,
       no_known_diversion_note, stores_safely_note, otherwise_safe_note, rationale, review_on, decided_on, decided_by, decided_at, day_of_treatment, profile, profile_version, signature_id)
    select gen_random_uuid(), client, programme, 'methadone', 7, true, true, true, true, true, true, '', '', '', '', '', '',
           'Steady.', date '2026-12-01', date '2026-09-01' + d, staff, now(), 1, 'UK', 1, gen_random_uuid()
    from crowd, generate_series(1, 4) d
    """,
    """
    insert into clinic.take_home_suspension
      (id, decision_id, client_id, programme_id, reason, review_on, suspended_by, suspended_at, profile, profile_version,
       signature_id)
    select gen_random_uuid(), id, client_id, programme_id, 'Sold.', date '2026-12-01', decided_by, now(), 'UK', 1,
           gen_random_uuid()
    from clinic.take_home_decision where decided_on = date '2026-09-02'
    """,
    """
    insert into clinic.take_home_dispense
      (id, client_id, programme_id, educated, education_note, collector, dispensed_by, dispensed_at, dispensed_on, profile,
       profile_version)
    select client, client, programme, true, '', 'client', staff, now(), date '2026-09-01', 'UK', 1 from crowd
    """,
    """
    insert into clinic.take_home_unit
      (id, dispense_id, client_id, programme_id, dispensed_on, order_id, decision_id, for_on, part, medicine, form,
       strength_mg, amount_mg, label, is_closure)
    select gen_random_uuid(), client, client, programme, date '2026-09-01' + d, medication_order, client,
           date '2026-09-01' + d, 'whole', 'methadone', 'oral_solution', 1, 60, gen_random_uuid()::text, false
    from crowd, generate_series(0, 49) d
    """,
    """
    insert into clinic.take_home_return (id, client_id, programme_id, note, recorded_by, recorded_at)
    select gen_random_uuid(), client, programme, '', staff, now() from crowd, generate_series(1, 10)
    """,
    """
    insert into clinic.take_home_outcome (unit_id, version, client_id, return_id, state, taken)
    select id, 1, client_id, client_id, 'empty', true from clinic.take_home_unit where for_on < date '2026-10-10'
    """,
    """
    insert into clinic.stock_take_home
      (unit_id, line, programme_id, medicine, form, container_id, amount_mg, taken_at, recorded_by, recorded_at)
    select id, 1, programme_id, medicine, form, id, -60, now(), id, now() from clinic.take_home_unit
    """,
    "set session_replication_role = origin",
    "analyze",
)
GROWS = re.compile(
    r"Seq Scan on (take_home_\w+|stock_take_home|stock_waste|dose|dose_\w+|client|medication_order\w*)\b"
)
STATEMENTS: dict[str, Any] = {
    "facts": facts.FACTS._statement,
    "last taken": facts.LAST_TAKEN,
    "what was taken since": steps.TAKEN_SINCE,
    "what was taken lately": beside._LATELY,
    "what was taken in the last days": lately.LATELY,
    "what covers a day": covering.COVERING,
    "what a client holds": covering.HELD_FROM,
    "units out or ahead": units.OUT_OR_AHEAD,
    "units since": units.SINCE,
    "units named": units.THESE,
    "units out": units.OUT,
    "the units for some days": units.UNITS_FOR,
    "the units handed out on a day": units._UNITS_OF_DAY,
    "what was handed out on a day": units._HANDED_OUT_ON,
    "dispenses named": units._THESE_DISPENSES,
    "the units of a dispense": units._OF_DISPENSE,
    "a dispense": units._DISPENSE,
    "what is to be looked at": units.REVIEWS,
    "the decisions of a client": decisions.OF_CLIENT,
    "the newest decisions of a client": decisions.NEWEST_OF_CLIENT,
    "a decision": decisions._ONE,
    "the decisions in force": decisions.IN_FORCE,
    "when treatment began": decisions.BEGAN,
    "what a rule suspends": suspending.SUSPEND_BY_RULE.select,
    "what units took": returns.TAKEN_FROM,
    "a report": returns._REPORT,
    "what a report says": returns._OUTCOMES,
    "what was said of units": returns.TOLD_OF,
    "the dispensing log": dispensing.LINES,
    "the next page of the dispensing log": dispensing.NEXT_LINES,
}
ALL_MORNING = {"facts", "last taken", "what covers a day"}


@pytest.fixture
async def owner(throwaway_database: Addresses) -> AsyncGenerator[AsyncEngine]:
    """The database as its owner, who may fill it past the rules."""
    engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": throwaway_database.owner})
    yield engine
    await engine.dispose()


async def test_nothing_walks_the_units_of_all_clients(owner: AsyncEngine) -> None:
    async with owner.begin() as connection:
        here = await window(connection)
        for statement in (*CROWD, *AT_HOME):
            await connection.execute(text(statement))
    names = ("client", "order", "dispense", "decision", "report", "after", "id", "by", "dose")
    given: dict[str, Any] = {
        **dict.fromkeys(names, here.client),
        "clients": [here.client],
        "units": [here.client],
        "dispenses": [here.client],
        "programme": here.programme,
        **dict.fromkeys(("day", "since", "first", "last", "review_on"), TODAY),
        "at": EVERYTHING_COMMITTED,
        "part": "whole",
        "medicine": "methadone",
        "form": "oral_solution",
        "zone": "Europe/London",
        "limit": 50,
        "reason": "x",
        "profile": "UK",
        "profile_version": 1,
        "rule": "x",
        "missed": 3,
        **reach_of(here.prescriber.reach(Act.DECIDE_MEDICATION), at=MORNING),
    }
    walked: list[str] = []
    async with owner.connect() as connection:
        for name, statement in STATEMENTS.items():
            # As in `test_dosing_plans`: what is asked all morning finds the index by itself, for the rest there is one.
            await connection.execute(text(f"set enable_seqscan = {'on' if name in ALL_MORNING else 'off'}"))
            plan = await plan_of(connection, statement, given)
            if any(GROWS.search(line) for line in plan):
                walked.append("\n".join([f"{name}:", *plan]))
    assert not walked, "\n\n".join(walked)
