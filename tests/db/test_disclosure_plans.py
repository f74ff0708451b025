"""How PostgreSQL finds consents and disclosures: by index, whatever the parameters are, and never by walking them all."""

import re
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from caseload.db import consent as consents
from caseload.db.access import reach_of
from caseload.db.disclosure import kept, sitting_in
from caseload.domain.access import Reach
from caseload.domain.ids import ClientId, StaffId
from tests.factories import families
from tests.factories.explain import generic_plan_of
from tests.factories.people import NOW
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio

ROWS = (
    "set session_replication_role = replica",  # the rows satisfy every constraint; checking each takes minutes
    """
    create temporary table crowd as select gen_random_uuid() as client, p.id as programme, s.id as staff
    from generate_series(1, 3000), (select id from clinic.programme limit 1) p, (select id from clinic.staff limit 1) s
    """,
    """
    insert into clinic.client (id, programme_id, registered_by, recorded_at)
    select client, programme, staff, now() from crowd
    """,
    """
    insert into clinic.consent
      (id, client_id, kind, form, form_digest, discloser_id, recipient_count, categories, purposes, last_day, expires_at,
       never_expires, signatory, signed_name, signed_at, recorded_by, recorded_at)
    select gen_random_uuid(), client, 'named', 'f', sha256('f'), programme, 1, '{attendance}', '{family_involvement}',
           current_date, now() + n * interval '10 days', false, 'client', 'Sam', now() - interval '1 day', staff, now()
    from crowd, generate_series(1, 5) n
    """,
    (
        "insert into clinic.consent_recipient (consent_id, place, client_id, kind, recipient_count, name)"
        " select id, 1, client_id, kind, 1, 'Dr Example' from clinic.consent"
    ),
    (
        "insert into clinic.consent_revocation (consent_id, signed_at, how, received_at, recorded_by, recorded_at)"
        " select id, signed_at, 'spoken', now(), recorded_by, now() from clinic.consent"
    ),
    (
        "insert into clinic.consent_event"
        " (consent_id, signed_at, expiry_event, happened_at, recorded_by, recorded_at)"
        " select id, signed_at, 'discharge', now(), recorded_by, now() from clinic.consent"
    ),
    "insert into clinic.related_person (id, client_id) select client, client from crowd",
    """
    insert into clinic.related_person_version
      (person_id, version, name, relationship, reason, recorded_by, recorded_at)
    select client, n, 'Rosa', 'mother', 'x', staff, now() from crowd, generate_series(1, 5) n
    """,
    """
    insert into clinic.related_person_involvement
      (id, client_id, person_id, kind, starts_at, recorded_by, recorded_at)
    select gen_random_uuid(), client, client, kind, now(), staff, now()
    from crowd, unnest(array['care_partner', 'emergency_contact', 'family_therapy']) kind
    """,
    """
    insert into clinic.disclosure_made
      (id, client_id, programme_id, named, name, facility, purpose, ground, emergency, check_method, stated, categories,
       rule, rules_version, manner, content, disputes, disclosed_by, disclosed_at, recorded_by, recorded_at)
    select gen_random_uuid(), client, programme, 'A nurse', 'A nurse', case when not urgent then 'ED' end, 'operations',
           case when urgent then 'emergency' else 'within_programme' end, case when urgent then 'Overdose.' end,
           'in_person', case when urgent then '{}' else '{"need": "x"}'::jsonb end, '{attendance}', 'r', 'us-2026-02',
           'spoken', '{}', '[]', staff, now(), staff, now()
    from (select crowd.*, n = 1 and random() < 0.02 as urgent from crowd, generate_series(1, 10) n) told
    """,
    (
        "insert into clinic.disclosure_completed"
        " (disclosure_id, ground, facility, disclosed_by, disclosed_at, recorded_by, recorded_at)"
        " select id, 'emergency', 'ED', recorded_by, now(), recorded_by, now() from clinic.disclosure_made"
        " where facility is not null"
    ),
    (
        "insert into clinic.redisclosure (id, disclosure_id, client_id, to_whom, learnt_from, learnt_at, recorded_by,"
        " recorded_at) select gen_random_uuid(), id, client_id, 'x', 'y', now(), recorded_by, now()"
        " from clinic.disclosure_made"
    ),
    (
        "insert into clinic.therapy_session (id, programme_id, kind, title, starts_at, ends_at, planned_by, planned_at)"
        " select client, programme, 'family', 'x', now(), now() + interval '1 hour', staff, now() from crowd"
    ),
    "insert into clinic.therapy_session_current (session_id, register_version) select client, 2 from crowd",
    (
        "insert into clinic.therapy_session_register (session_id, version, started_at, ended_at, reason, taken_by,"
        " taken_at) select client, n, now(), now() + interval '1 hour', case n when 2 then 'x' end, staff, now() from crowd, generate_series(1, 2) n"
    ),
    (
        "insert into clinic.session_relative"
        " (id, session_id, client_id, person_id, comes_as, beside_client_id, booked_by, booked_at)"
        " select client, client, client, client, 'with_client', client, staff, now() from crowd"
    ),
    (
        "insert into clinic.session_relative_line (session_id, version, place_id, client_id, comes_as, number, status,"
        " minutes, in_spite_because, told_id) select client, n, client, client, 'with_client', 0, 'attended', 50, 'x',"
        " gen_random_uuid() from crowd, generate_series(1, 2) n"
    ),
    "set session_replication_role = origin",
    "analyze",
)
GROWS = re.compile(
    r"Seq Scan on (client|consent\w*|disclosure_\w+|redisclosure|related_person\w*|session_relative\w*|therapy_session\w*)\b"
)
STATEMENTS: dict[str, Any] = {
    "the consents of a client": consents._OF,
    "a consent": consents._GET,
    "when a consent last ended": consents._LAST_ENDED,
    "the consents that expire soon": consents.ENDING,
    "a disclosure": kept.ONE_DISCLOSURE,
    "the account of a client": kept.DISCLOSURES_OF,
    "who sat in sessions with a client": sitting_in.SAT_IN,
    "where it went from there": kept._PASSED_ON,
}


@pytest.fixture
async def owner(throwaway_database: Addresses) -> AsyncGenerator[AsyncEngine]:
    """The database as its owner, who may fill it past the rules."""
    engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": throwaway_database.owner})
    yield engine
    await engine.dispose()


async def test_nothing_walks_the_consents_or_the_disclosures_of_all_clients(owner: AsyncEngine) -> None:
    async with owner.begin() as connection:
        place = await families.place(connection)
        for statement in ROWS:
            await connection.execute(text(statement))
        reach = Reach(
            staff=StaffId(place.recorder),
            everyone_in=frozenset({place.programme}),
            caseload_in=frozenset(),
            any_by_identifier=False,
        )
        given: dict[str, Any] = {
            **dict.fromkeys(("client", "consent", "disclosure"), ClientId(place.recorder)),
            **reach_of(reach, at=NOW),
            "after": NOW,
            "until": NOW,
            "limit": 50,
        }
        for name, statement in STATEMENTS.items():
            plan = await generic_plan_of(connection, statement, given)
            assert not GROWS.search("\n".join(plan)), f"{name}\n" + "\n".join(plan)
        waiting = "\n".join(await generic_plan_of(connection, kept.OPEN_RELEASES, given))
        assert "disclosure_made_incomplete_idx" in waiting, waiting
