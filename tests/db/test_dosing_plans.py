"""How PostgreSQL finds what a window, a chart and a queue ask: by index, however many doses there are."""

import re
from collections.abc import AsyncGenerator, Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from caseload.db import ecg, guest
from caseload.db.access import signing_reach_of
from caseload.db.disclosure import kept
from caseload.db.dosing import (
    away,
    chart,
    doses,
    expected,
    facts,
    giver,
    injections,
    known,
    lately,
    past,
    statements,
    steps,
    suspected,
)
from caseload.db.downtime import entries, listing
from caseload.db.medication import beside, covered, drafts, guests, holds, orders, record, tasks
from caseload.db.merge import merges, still_open
from caseload.db.signoff import queue, verdicts
from caseload.db.window import spills
from caseload.domain.access import Act
from caseload.domain.dosing import EVERYTHING_COMMITTED
from tests.factories.explain import generic_plan_of, plan_of
from tests.factories.window import MORNING, TODAY, window
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio

CROWD = (
    "set session_replication_role = replica",  # the rows below satisfy every constraint; checking each takes minutes
    """
    insert into clinic.programme (id, code, name, time_zone, profile, opened_at)
    select gen_random_uuid(), 'CROWD-' || n, 'Crowd', 'Europe/London', 'UK', now() from generate_series(1, 19) n
    """,
    """
    create table crowd as
    select gen_random_uuid() as client, gen_random_uuid() as medication_order, gen_random_uuid() as signature,
           programme.id as programme, (select id from clinic.staff limit 1) as staff, n
    from clinic.programme, generate_series(1, 100) n
    """,
    "insert into clinic.client (id, programme_id, registered_by, recorded_at) select client, programme, staff, now() from crowd",
    """
    insert into clinic.client_identity
      (client_id, version, given_name, family_name, birth_date, birth_date_estimated, sex, recorded_by, recorded_at)
    select client, 1, 'Alex', 'Crowd ' || n, date '1990-01-01', false, 'unknown', staff, now() from crowd
    """,
    "insert into clinic.medication_record (client_id) select client from crowd",
    """
    insert into clinic.medication_order
      (id, chain_id, version, client_id, programme_id, medicine, form, strength_mg, whole_mg, every_days, starts_on,
       supervised, note, written_by, written_at)
    select medication_order, medication_order, 1, client, programme, 'methadone', 'oral_solution', 1, 60, 1,
           date '2026-09-01', true, '', staff, now() from crowd
    """,
    """
    insert into clinic.medication_order
      (id, chain_id, version, client_id, programme_id, medicine, form, strength_mg, whole_mg, every_days, starts_on,
       ends_on, supervised, note, written_by, written_at)
    select past, past, 1, client, programme, 'methadone', 'oral_solution', 1, 60, 1,
           date '2024-01-01' + 30 * number, date '2024-01-29' + 30 * number, true, '', staff, now()
    from (select gen_random_uuid() as past, number, crowd.* from crowd, generate_series(1, 20) number) before
    """,
    """
    insert into clinic.medication_order_signature (order_id, signature_id, signed_at)
    select id, gen_random_uuid(), timestamptz '2026-08-31 12:00Z' from clinic.medication_order
    """,
    """
    insert into clinic.signature (id, subject, subject_id, subject_version, signer_id, printed_name, role, registration,
      meaning, signed_at, methods, format_version, signed_bytes, digest, seal_key, seal)
    select signature_id, 'order', order_id, 1, (select id from clinic.staff limit 1), 'Crowd', 'prescriber', 'GMC 1',
           'authored', signed_at, '{password}', 1, '{}', sha256('{}'), 1, decode(repeat('00', 64), 'hex')
    from clinic.medication_order_signature
    """,
    """
    insert into clinic.dose
      (id, version, client_id, programme_id, order_id, dosing_day, part, medicine, form, amount_mg, supervised,
       given_at, given_by, recorded_at, recorded_by, kind, entry, profile, profile_version)
    select gen_random_uuid(), 1, client, programme, medication_order, date '2026-09-01' + d, 'whole', 'methadone',
           'oral_solution', 60, true, timestamptz '2026-09-01 08:00Z' + d * interval '1 day', staff,
           timestamptz '2026-09-01 08:00Z' + d * interval '1 day', staff, 'ordinary', 'window', 'UK', 1
    from crowd, generate_series(0, 49) d
    """,
    """
    insert into clinic.dose_waiting (dose_id, dose_version, programme_id, recorded_by, risk, sign_by)
    select id, version, programme_id, recorded_by, 5, now() from clinic.dose where dosing_day = date '2026-10-20'
    """,
    """
    insert into clinic.dose_giver_word (dose_id, dose_version, word, said_by, said_at)
    select id, version, 'confirmed', given_by, now() from clinic.dose
    """,
    """
    insert into clinic.hold (id, client_id, programme_id, reason, note, raised_by, raised_at)
    select gen_random_uuid(), client, programme, 'sedation', '', staff, now() from crowd, generate_series(1, 5)
    """,
    """
    insert into clinic.medication_decision
      (id, client_id, programme_id, kind, hold_id, days, reason, decided_by, decided_at, profile, profile_version,
       rules, missed, signature_id)
    select gen_random_uuid(), client_id, programme_id, 'clear_hold', id, '{}', 'Seen.', raised_by, now(), 'UK', 1,
           '{}', 0, gen_random_uuid()
    from clinic.hold
    """,
    """
    insert into clinic.dose_review (dose_id, dose_version, verdict, reviewed_by, reviewed_at, reason)
    select id, 1, 'rejected', recorded_by, now(), 'Which bottle?' from clinic.dose where dosing_day < date '2026-10-01'
    """,
    """
    insert into clinic.dose_correction
      (id, dose_id, dose_version, client_id, dosing_day, part, reason, signed_by, signed_at, signature_id)
    select gen_random_uuid(), id, 1, client_id, dosing_day, part, 'Spilt.', recorded_by, now(), gen_random_uuid()
    from clinic.dose where dosing_day = date '2026-09-15'
    """,
    """
    insert into clinic.dose_identity_check (dose_id, dose_version, identified_by)
    select id, 1, 'known' from clinic.dose where version = 1
    """,
    """
    insert into clinic.dose_vomited
      (id, dose_id, dose_version, client_id, programme_id, dosing_day, part, minutes_after, witnessed, note,
       recorded_by, recorded_at)
    select gen_random_uuid(), id, 1, client_id, programme_id, dosing_day, part, 10, true, '', recorded_by, now()
    from clinic.dose where dosing_day < date '2026-09-08'
    """,
    """
    insert into clinic.dose_replacement
      (id, dose_id, dose_version, client_id, programme_id, dosing_day, part, verdict, reason, asked, decided_by,
       decided_at, profile, profile_version, signature_id)
    select gen_random_uuid(), dose_id, 1, client_id, programme_id, dosing_day, part, 'leave', 'Seen.', '{}',
           recorded_by, now(), 'UK', 1, gen_random_uuid()
    from clinic.dose_vomited
    """,
    """
    insert into clinic.medication_order_stop (order_id, reason, stopped_by, stopped_at, signature_id)
    select gen_random_uuid(), 'Moved.', staff, now(), gen_random_uuid() from crowd
    """,
    """
    insert into clinic.medication_order_confirmation
      (order_id, rule, profile, profile_version, reason, facts, confirmed_at)
    select order_id, 'uk.first_day', 'UK', 1, 'Transferred.', '{}', signed_at from clinic.medication_order_signature
    """,
    """
    insert into clinic.medication_order_replacement (replaced_id, order_id, from_on, replaced_at)
    select gen_random_uuid(), gen_random_uuid(), current_date, now() from crowd
    """,
    """
    insert into clinic.guest_stay (id, client_id, host_programme_id, period, reason, recorded_by, recorded_at)
    select gen_random_uuid(), client, programme, tstzrange(now(), now() + interval '1 day'), 'work', staff, now() from crowd
    """,
    """
    insert into clinic.responsibility (id, client_id, episode_id, counsellor_id, period, recorded_by, recorded_at)
    select gen_random_uuid(), client, gen_random_uuid(), staff, tstzrange(now(), null), staff, now() from crowd
    """,
    """
    insert into clinic.cover (id, client_id, counsellor_id, period, reason, recorded_by, recorded_at)
    select gen_random_uuid(), client, staff, tstzrange(now(), now() + interval '1 day'), 'leave', staff, now() from crowd
    """,
    """
    insert into clinic.dose_statement
      (id, client_id, programme_id, source, source_name, informant, told_at, medicine, form, note, recorded_by, recorded_at)
    select gen_random_uuid(), client, programme, 'prison', 'HMP', 'Bell', now(), 'methadone', 'oral_solution', '', staff, now()
    from crowd
    """,
    """
    insert into clinic.dose_statement_day (statement_id, day, part, client_id, outcome, amount_mg)
    select id, date '2026-10-01' + d, 'whole', client_id, 'taken', 60 from clinic.dose_statement, generate_series(0, 19) d
    """,
    """
    insert into clinic.dose_statement_verification (statement_id, asked, how, verified_by, verified_at)
    select id, 'Bell', 'telephone', recorded_by, recorded_at from clinic.dose_statement
    """,
    """
    insert into clinic.dose_statement_withdrawal (statement_id, reason, withdrawn_by, withdrawn_at)
    select id, 'Wrong.', recorded_by, recorded_at from clinic.dose_statement
    """,
    """
    insert into clinic.medication_task
      (id, client_id, programme_id, kind, says, policy, facts, dose_id, raised_by, raised_at)
    select gen_random_uuid(), client, programme, 'contact_prescriber', 'Tell.', 'uk.titration', '{}', client, staff, now()
    from crowd, generate_series(1, 5)
    """,
    """
    insert into clinic.medication_task_done (task_id, raised_at, spoke_to, said, done_by, done_at)
    select id, raised_at, 'Osei', 'Yes.', raised_by, raised_at from clinic.medication_task
    """,
    """
    insert into clinic.named_delivery
      (id, client_id, programme_id, medicine, form, strength_mg, pharmacy, lot, received_on, recorded_by, recorded_at)
    select gen_random_uuid(), client, programme, 'buprenorphine', 'extended_release_injection', 300, 'Boots', 'A1',
           date '2026-10-01', staff, now() from crowd
    """,
    """
    insert into clinic.dose_injection (dose_id, dose_version, client_id, site)
    select id, 1, client_id, 'thigh_left' from clinic.dose
    """,
    """
    insert into clinic.disclosure_made
      (id, client_id, programme_id, named, name, facility, purpose, ground, emergency, stated, categories, rule,
       rules_version, manner, content, disputes, disclosed_by, disclosed_at, recorded_by, recorded_at)
    select gen_random_uuid(), client, programme, 'ED', 'Dr X', 'ED', 'treatment', 'emergency', 'Overdose', '{}',
           '{medication}', '2.51', 'us', 'spoken', '{}', '[]', staff, now(), staff, now() from crowd
    """,
    """
    insert into clinic.observation
      (id, version, client_id, instrument, instrument_version, observed_at, answers, total, band, recorded_by, recorded_at)
    select gen_random_uuid(), 1, client, 'qtc', 1, now(), '{430}', 430, 'routine', staff, now()
    from crowd, generate_series(1, 5)
    """,
    """
    insert into clinic.flag (id, client_id, programme_id, kind, what, since, recorded_by, recorded_at)
    select gen_random_uuid(), client, programme, 'fainted', 'Fell.', date '2026-09-01', staff, now() from crowd
    """,
    """
    insert into clinic.guest_agreement
      (id, client_id, programme_id, direction, host_programme_id, facility, first_on, last_on, until_on, medicine, form,
       amount_mg, holds_on, why, other_enrolments, confirmed_by, how, confirmed_at, recorded_by, recorded_at)
    select gen_random_uuid(), client, programme, 'elsewhere', client, 'Riverside', date '2026-01-01' + 7 * nth,
           date '2026-01-05' + 7 * nth, date '2026-01-06' + 7 * nth, 'methadone', 'oral_solution', 60, '{}', 'A funeral.', 'None.',
           'Kim', 'telephone', now(), staff, now() from crowd, generate_series(1, 20) nth
    """,
    """
    insert into clinic.guest_end (agreement_id, last_on, reason, became_ours, recorded_by, recorded_at)
    select id, last_on, 'Home early.', false, recorded_by, recorded_at from clinic.guest_agreement
    """,
    """
    insert into clinic.guest_order (order_id, agreement_id, client_id)
    select gen_random_uuid(), id, client_id from clinic.guest_agreement
    """,
    "set session_replication_role = origin",
    "analyze",
)
GROWS = re.compile(
    r"Seq Scan on (dose|dose_\w+|client|client_identity|medication_\w+|hold|downtime_\w+|pre_dose_observation|disclosure_made|named_delivery|signature|guest_\w+|observation|flag|responsibility|cover)\b"
)


STATEMENTS: dict[str, Any] = {
    "lock": record._LOCK._statement,
    "facts": facts.FACTS._statement,
    "last taken": facts.LAST_TAKEN,
    "given before": facts.GIVEN_BEFORE,
    "next given": facts.NEXT_GIVEN,
    "a dose": doses._NEWEST,
    "an order": orders._ONE,
    "the orders of a client": orders._OF_CLIENT,
    "the orders to countersign": orders._SPOKEN,
    "the orders to sign": drafts.DRAFTS,
    "what was taken since": steps.TAKEN_SINCE,
    "what was seen since": steps.SEEN_SINCE,
    "what was taken lately": beside._LATELY,
    "what was answered": beside._ANSWERED,
    "the holds of a client": holds._OF_CLIENT,
    "the holds of a programme": holds._IN_FORCE,
    "the decisions of a client": holds._DECISIONS,
    "the day's list": expected._EXPECTED,
    "given on a day": known.GIVEN,
    "who is on methadone": ecg.ON_METHADONE,
    "the electrocardiograms of clients": ecg.ECGS,
    "who fainted": ecg.FAINTED,
    "the orders of many": expected.ORDERS_OF._statement,
    "the doses of a client": chart._RECENT,
    "what is covered": covered.COVERED,
    "what was taken in the last days": lately.LATELY,
    "a statement": statements.ONE_STATEMENT,
    "the statements of a client": statements.STATEMENTS_OF,
    "the days of a statement": statements.DAYS_OF,
    "the statements about some days": statements.STATEMENTS_ABOUT,
    "a task": tasks.ONE_TASK,
    "the tasks of a programme": tasks.OPEN_TASKS,
    "the tasks of a client": tasks.TASKS_OF,
    "the tasks of some days": tasks.TASKS_SINCE,
    "the missed days of which somebody was told": tasks.TOLD_DAYS,
    "days away": away.AWAY,
    "the injections of a client": injections.INJECTED,
    "a delivery": injections.ONE_DELIVERY,
    "the deliveries of a client": injections.DELIVERIES_OF,
    "the injections of a programme": expected._INJECTED,
    "a disclosure": kept.ONE_DISCLOSURE,
    "a client's account of disclosures": kept.DISCLOSURES_OF,
    "what waits for a giver's word": giver.TO_CONFIRM,
    "what givers dispute": giver.DISPUTED,
    "the doses of givers who left": giver.WITHOUT_GIVER,
    "whether a giver can speak": giver.SPEAKS,
    "the versions of a dose": chart._VERSIONS,
    "every version of the doses of some days": past.VERSIONS,
    "what was not given on some days": past.NOT_GIVEN_OF_DAYS,
    "what was seen on some days": past.SEEN_OF_DAYS,
    "the signatures under some records": past.SIGNATURES_UNDER,
    "the lines of an entered sheet": entries.LINES,
    "the entered sheets of a programme": listing.ENTERED_IN,
    "what was spilled on a day": spills.SPILLS_OF_DAY,
    "the guest days of clients": guests.GUEST_DAYS,
    "a guest agreement": guest.ONE_GUEST,
    "the guest agreements of a client": guest.GUESTS_OF,
    "the guest agreements of a programme": guest.GUESTS_IN,
    "what is known under another registration": suspected.UNDER_ANOTHER,
    "a merge": merges.ONE_MERGE,
    "the merges of a registration": merges.MERGES_OF,
    "the merges that wait": merges.WAITING,
    "whether a registration is closed": merges.CLOSED,
    "what is open under a duplicate": still_open.STILL_OPEN,
    "the queue": queue._QUEUE,
    "what was sent back": queue._SENT_BACK,
    "what was sent back to whoever left": queue._LEFT_BEHIND,
    "doses to sign": verdicts._NEWEST,
    "doses that leave the queue": verdicts._SIGNED,
}


@pytest.fixture
async def owner(throwaway_database: Addresses) -> AsyncGenerator[AsyncEngine]:
    """The database as its owner, who may fill it past the rules."""
    engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": throwaway_database.owner})
    yield engine
    await engine.dispose()


ALL_MORNING = {
    "lock",
    "facts",
    "a dose",
    "an order",
    "the doses of a client",
    "the queue",
    "doses to sign",
    "doses that leave the queue",
}


async def test_nothing_walks_a_table_that_grows(owner: AsyncEngine) -> None:
    async with owner.begin() as connection:
        here = await window(connection)
        for statement in CROWD:
            await connection.execute(text(statement))
    given = {
        "client": here.client,
        "clients": [here.client],
        "order": here.client,
        "orders": [here.client],
        "dose": here.client,
        "hold": here.client,
        "doses": [here.client],
        "versions": [1],
        "version": 1,
        "programme": here.programme,
        "recorder": here.nurse.id,
        "programmes": [here.programme],
        "now": MORNING,
        "day": TODAY,
        "since": TODAY,
        "raised_since": MORNING,
        "entry": here.client,
        "today": TODAY,
        "until": TODAY,
        "subjects": [here.client],
        "at": EVERYTHING_COMMITTED,
        "part": "whole",
        "medicine": "methadone",
        "form": "oral_solution",
        "after": UUID(int=0),
        "after_rank": 1,
        "not_by": None,
        "prescriber": None,
        "statement": here.client,
        "statements": [here.client],
        "task": here.client,
        "delivery": here.client,
        "disclosure": here.client,
        "agreement": here.client,
        "merge": here.client,
        "duplicate": here.client,
        "survivor": here.client,
        "giver": here.nurse.id,
        "limit": 50,
        "signer": here.nurse.id,
        **signing_reach_of(here.nurse.reach(Act.SIGN_OFF_DOSE), at=MORNING),
    }
    walked: list[str] = []
    async with owner.connect() as connection:
        for name, statement in STATEMENTS.items():
            # The crowd is small enough that walking a thin table can be the cheaper way. What is asked all morning has
            # to find the index by itself; for the rest it is enough that there is one.
            await connection.execute(text(f"set enable_seqscan = {'on' if name in ALL_MORNING else 'off'}"))
            plan = await plan_of(connection, statement, given)
            if name == "the queue":
                assert any("dose_waiting_risk_idx" in line for line in plan), "read by what waits, in its order"
            if any(GROWS.search(line) for line in plan):
                walked.append("\n".join([f"{name}:", *plan]))
    assert not walked, "\n\n".join(walked)


async def test_a_dose_of_another_medicine_is_looked_for_among_the_few_that_are_not_ordinary(
    owner: AsyncEngine,
) -> None:
    """Also in the plan for every client, and however little the statistics know of such doses."""
    async with owner.begin() as connection:
        await window(connection)
        for statement in CROWD:
            await connection.execute(text(statement))
    async with owner.connect() as connection:
        plan = await generic_plan_of(connection, STATEMENTS["facts"], {})
        day = await generic_plan_of(connection, STATEMENTS["the day's list"], {})
    (found,) = [line for line in plan if "dose_of_another" in line]
    assert "using dose_other_kinds_idx" in found, found
    begins_with_its_own_clients(day)


def begins_with_its_own_clients(day: Sequence[str]) -> None:
    """The day's list, in the plan for every programme: whatever is in force in the 19 others is never looked at."""
    orders = next(number for number, line in enumerate(day) if re.search(r"on medication_order +\(", line))
    assert "Index Scan using medication_order_client_id_starts_on_idx" in day[orders], day[orders]
    assert "(client_id = " in day[orders + 1], day[orders + 1]
    for index in ("client_programme_id_id_idx", "guest_stay_host_idx"):
        assert any(f" {index} " in line for line in day), f"{index}: whoever is of the programme, or its guest today"
    # The crowd is small enough that a record of each client is walked sooner than looked up; orders and doses are not.
    assert not [line for line in day if re.search(r"Seq Scan on (medication_order|dose)\b", line)]
