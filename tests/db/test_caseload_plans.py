"""How PostgreSQL finds whole caseloads: by index, however many clients, handovers and absences there have been."""

import re
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from caseload.db import admission, interim
from caseload.db.access import reach_of
from caseload.db.caseload import absences, course, keyworkers, loads, offers, together, waiting
from caseload.db.caseload.dashboard import counts
from caseload.db.caseload.day import clients, sessions
from caseload.domain.access import Act
from tests.factories.explain import generic_plan_of, plan_of, walks_all_that_runs
from tests.factories.window import MORNING, window
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio

CROWD = (
    "set session_replication_role = replica",  # the rows below satisfy every constraint; checking each takes minutes
    """
    insert into clinic.programme (id, code, name, time_zone, profile, opened_at)
    select gen_random_uuid(), 'CROWD-' || n, 'Crowd', 'Europe/London', 'UK', now() from generate_series(1, 9) n
    """,
    """
    create table crowd as
    select gen_random_uuid() as client, gen_random_uuid() as episode, programme.id as programme,
           md5(programme.id::text || n % 20)::uuid as counsellor, n
    from clinic.programme, generate_series(1, 600) n
    """,
    """
    insert into clinic.staff (id, user_name, printed_name, created_at, created_by)
    select distinct counsellor, 'crowd-' || counsellor, 'Crowd', now(), counsellor from crowd
    """,
    """
    insert into clinic.role_grant (id, staff_id, programme_id, role, starts_at, granted_by, granted_at)
    select distinct counsellor, counsellor, programme, 'counsellor', timestamptz '2020-01-01Z', programme, now()
    from crowd
    """,
    "insert into clinic.client (id, programme_id, registered_by, recorded_at) select client, programme, counsellor, now() from crowd",
    """
    insert into clinic.client_identity
      (client_id, version, given_name, family_name, birth_date, birth_date_estimated, sex, recorded_by, recorded_at)
    select client, 1, 'Alex', 'Crowd ' || n, date '1990-01-01', false, 'unknown', counsellor, now() from crowd
    """,
    """
    insert into clinic.episode (id, client_id, programme_id, admitted_on, period, recorded_by, recorded_at)
    select episode, client, programme, date '2025-01-01', '[2025-01-01,)', counsellor, now() from crowd
    """,
    """
    insert into clinic.responsibility (id, client_id, episode_id, counsellor_id, period, recorded_by, recorded_at)
    select gen_random_uuid(), client, episode, counsellor,
           tstzrange(timestamptz '2025-01-01Z' + m * interval '60 days',
                     case when m < 10 then timestamptz '2025-01-01Z' + (m + 1) * interval '60 days' end),
           counsellor, now()
    from crowd, generate_series(0, 10) m
    """,
    """
    insert into clinic.absence (id, programme_id, counsellor_id, covered_by, starts_at, ends_at, reason, recorded_by,
      recorded_at)
    select gen_random_uuid(), programme, counsellor, md5(counsellor::text)::uuid,
           timestamptz '2024-01-01Z' + m * interval '21 days', timestamptz '2024-01-08Z' + m * interval '21 days',
           'leave', counsellor, now()
    from (select distinct programme, counsellor from crowd) away, generate_series(0, 40) m
    """,
    """
    insert into clinic.cover (id, client_id, counsellor_id, period, reason, recorded_by, recorded_at)
    select gen_random_uuid(), client, md5(counsellor::text)::uuid,
           tstzrange(timestamptz '2024-01-01Z' + m * interval '21 days',
                     timestamptz '2024-01-08Z' + m * interval '21 days'), 'leave', counsellor, now()
    from crowd, generate_series(0, 10) m
    """,
    """
    insert into clinic.keyworker (id, client_id, episode_id, staff_id, starts_at, reason, recorded_by, recorded_at)
    select gen_random_uuid(), client, episode, counsellor, timestamptz '2025-01-01Z', 'asked', counsellor, now() from crowd
    """,
    """
    insert into clinic.handover_offer (id, client_id, episode_id, programme_id, to_id, effective_at, recorded_by,
      recorded_at, answer, answered_by, answered_at)
    select gen_random_uuid(), client, episode, programme, counsellor, now(), counsellor, now(),
           case when m < 5 then 'accepted' end, case when m < 5 then counsellor end, case when m < 5 then now() end
    from crowd, generate_series(1, 5) m
    """,
    """
    insert into clinic.waiting_word (client_id, version, since, priority, reason, recorded_by, recorded_at)
    select client, m, timestamptz '2024-12-01Z', 'soon', 'asked', counsellor, timestamptz '2024-12-01Z'
    from crowd, generate_series(1, 2) m
    """,
    """
    insert into clinic.admission_done (id, episode_id, duty, done_on, done_by, recorded_by, recorded_at)
    select gen_random_uuid(), episode, duty, date '2025-01-02', 'Dr Crowd', counsellor, now()
    from crowd, unnest(array['examination', 'assessment']) duty
    """,
    """
    insert into clinic.interim_treatment (id, client_id, number, episode_id, started_on, recorded_by, recorded_at)
    select gen_random_uuid(), client, 1, episode, date '2025-01-02', counsellor, now() from crowd
    """,
    "set session_replication_role = origin",
    "analyze",
)
GROWS = re.compile(
    r"Seq Scan on (client|client_identity|episode|level_of_care|episode_phase|responsibility|cover|keyworker|absence|handover_offer|waiting_word|admission_\w+|interim_treatment"
    r"|check_in\w*|therapy_session\w*|arrival|session_note\w*|escalation|dose_waiting|discharge_asked)\b"
)
STATEMENTS: dict[str, Any] = {
    "covers of absences": absences.STANDING,
    "what is to be covered": absences.WANTED,
    "a counsellor's clients": absences.THEIRS,
    "who is covered": absences.COVERED,
    "who is away": absences.NOT_OVER,
    "episodes of clients": together.EPISODES_OF,
    "episodes of a counsellor": together.EPISODES_BY,
    "who answers": together.HELD,
    "made meanwhile": together.NEWER,
    "what everybody carries": loads.LOADS,
    "what one carries": loads.LOAD_OF,
    "whose role ends": loads.UNLOOKED,
    "what waits for somebody": offers.OFFERED_TO,
    "what waits in a programme": offers.WAITING_IN,
    "what a call offered": offers.OF_CALL,
    "one that waits in a programme": offers.ONE_WITHIN,
    "who waits": waiting.FIRST,
    "who waits further on": waiting.NEXT,
    "whether one waits": waiting.ONE,
    "how many wait": waiting.COUNTS,
    "whose day it is": clients.THEIRS,
    "what is escalated of them": clients.ESCALATED,
    "what is due today": clients.DUE,
    "sessions of a day": sessions.SESSIONS,
    "who is expected at them": sessions.EXPECTED,
    "what somebody has not signed": clients.NOTES,
    "whom somebody is asked to take over": clients.OFFERS,
    "what is to be done about them": clients.TASKS,
    "what was left for whoever counsels them": clients.MESSAGES,
    "levels of a programme": counts.LEVELS,
    "phases of a programme": counts.PHASES,
    "levels of a client": course.LEVELS_OF_CLIENT,
    "keyworkers of a client": keyworkers.OF_CLIENT,
    "phases of a client": course.PHASES_OF_CLIENT,
    "who is known in a programme": counts.KNOWN,
    "hours of a week": counts.ATTENDED,
    "today in a programme": counts.DAY,
    "what is unsigned in a programme": counts.UNSIGNED,
    "whose admissions a programme has": admission.ADMITTED_IN,
    "what of admissions is done": admission.COUNTED,
    "what of an admission was recorded": admission.OF_EPISODE,
    "who is in interim treatment in a programme": interim.RUNNING_IN,
    "interim treatments of clients": interim.OF_CLIENTS,
    "what waits in a programme for an answer": counts.WAITS,
}


@pytest.fixture
async def owner(throwaway_database: Addresses) -> AsyncGenerator[AsyncEngine]:
    """The database as its owner, who may fill it past the rules."""
    engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": throwaway_database.owner})
    yield engine
    await engine.dispose()


async def test_nothing_walks_the_caseloads_of_all_programmes(owner: AsyncEngine) -> None:
    async with owner.begin() as connection:
        here = await window(connection)
        for statement in CROWD:
            await connection.execute(text(statement))
        whom = (
            await connection.execute(text("select programme, counsellor, client, episode from crowd limit 1"))
        ).one()
    given: dict[str, Any] = {
        "programme": whom.programme,
        "counsellor": whom.counsellor,
        "clients": [whom.client],
        "episodes": [whom.episode],
        "episode": whom.episode,
        "absence": whom.client,
        "to": whom.counsellor,
        "call": whom.client,
        "wanted": whom.client,
        "client": whom.client,
        "programmes": [whom.programme],
        "writes_in": [whom.programme],
        "answers_in": [whom.programme],
        "today": MORNING.date(),
        "day_begins": MORNING,
        "day_ends": MORNING,
        "week_first": MORNING.date(),
        "week_last": MORNING.date(),
        "week_begins": MORNING,
        "week_ends": MORNING,
        "after": UUID(int=0),
        "limit": 50,
        "now": MORNING,
        "at": MORNING,
        **reach_of(here.prescriber.reach(Act.HAND_OVER), at=MORNING),
    }
    walked: list[str] = []
    async with owner.connect() as connection:
        # The crowd is small enough that walking a thin table can be the cheaper way: it is enough that there is another.
        await connection.execute(text("set enable_seqscan = off"))
        for name, statement in STATEMENTS.items():
            for plan in (
                await plan_of(connection, statement, given),
                await generic_plan_of(connection, statement, given),
            ):
                runs = [table for table in ("responsibility", "episode") if walks_all_that_runs(plan, table)]
                if runs or any(GROWS.search(line) for line in plan):
                    walked.append("\n".join([f"{name}:", *plan]))
    assert not walked, "\n\n".join(walked)
