"""A counsellor's overdue list and day among 2,000,000 check-ins, and the dashboard of a programme with 2,000 clients."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import asyncpg
import httpx

from benchmarks.checkins import PER_CLIENT, plan_check_ins
from benchmarks.clinic import PER_COUNSELLOR, Clinic
from benchmarks.signoff import Taken, timed
from benchmarks.stage import Stage
from caseload.domain.ids import new_id
from caseload.domain.people import token_digest

OCCURRENCES = 100
"""Check-ins of each client: 2,000,000 with 20,000 clients."""
OF_PROGRAMME = 2_000
READS, WARM = 300, 30

_FILL = """
insert into clinic.programme (id, code, name, time_zone, profile, opened_at)
  select programme, 'DAY', 'Day', 'Etc/UTC', 'US', now() - interval '1 year' from here;
update clinic.client set programme_id = programme from here where id = any(clients);
update clinic.episode set programme_id = programme from here where client_id = any(clients);
update clinic.check_in_plan set programme_id = programme from here where client_id = any(clients);
update clinic.check_in set programme_id = programme from here where client_id = any(clients);
update clinic.check_in_waiting set programme_id = programme from here where client_id = any(clients);
update clinic.level_of_care set level = '2.1' from clinic.episode, here
  where episode.id = episode_id and client_id = any(clients[1:200]);
insert into clinic.role_grant (id, staff_id, programme_id, role, starts_at, granted_by, granted_at)
  select uuidv7(), counsellor_id, programme, 'counsellor', now() - interval '1 year', granter, now()
  from here, (select distinct counsellor_id from clinic.responsibility, here where client_id = any(clients)) theirs;
insert into clinic.role_grant (id, staff_id, programme_id, role, starts_at, granted_by, granted_at)
  select grant_id, supervisor, programme, 'supervisor', now() - interval '1 year', granter, now() from here;
insert into clinic.role_confirmation (grant_id, staff_id, granted_by, confirmed_by, confirmed_at)
  select grant_id, supervisor, granter, confirmer, now() from here;
create temp table groups on commit drop as
  select gen_random_uuid() id, kind, programme_id,
    case kind when 'today' then current_date + time '23:00' else monday + time '10:00' end at,
    counsellor_id, array_agg(client_id) clients
  from (
    select kind, client.programme_id, counsellor_id, client.id client_id,
      (row_number() over (partition by kind order by counsellor_id, client.id) - 1) / 12 number,
      date_trunc('week', now())::date - 7 monday
    from clinic.client join clinic.responsibility on responsibility.client_id = client.id,
      unnest(array['today', 'week']) kind
    ) each group by kind, number, programme_id, counsellor_id, monday;
insert into clinic.therapy_session (id, programme_id, kind, title, starts_at, ends_at, planned_by, planned_at)
  select id, programme_id, 'group', 'Group', at, at + interval '59 minutes', counsellor_id, now() from groups;
insert into clinic.therapy_session_facilitator (session_id, staff_id) select id, counsellor_id from groups;
insert into clinic.therapy_session_booking (session_id, client_id, booked_by, booked_at)
  select id, unnest(clients), counsellor_id, now() from groups;
insert into clinic.therapy_session_current (session_id, register_version)
  select id, (kind = 'week')::int from groups;
insert into clinic.therapy_session_register (session_id, version, started_at, ended_at, taken_by, taken_at)
  select id, 1, at, at + interval '59 minutes', counsellor_id, now() from groups where kind = 'week';
insert into clinic.therapy_session_line (session_id, version, client_id, number, status, minutes, walk_in)
  select id, 1, client_id, n, 'attended', 59, false
  from groups, unnest(clients) with ordinality there (client_id, n) where kind = 'week';
insert into clinic.arrival (session_id, client_id, version, arrived_at, recorded_by, recorded_at)
  select id, clients[1], 1, now(), counsellor_id, now() from groups where kind = 'today';
"""
"""Everybody was in a group last week and is expected in one today; two thousand clients are a programme's own."""


async def _fill(stage: Stage, clinic: Clinic) -> tuple[UUID, str]:
    """The programme, and the token of its supervisor."""
    connection = await asyncpg.connect(stage.owner)
    programme, token = new_id(), clinic.nurses[-1]
    try:
        have = await connection.fetchval("select count(*) from clinic.check_in")
        for _ in range((OCCURRENCES * len(clinic.clients) - have) // (PER_CLIENT * len(clinic.clients))):
            await plan_check_ins(stage.owner, clinic.programme, clinic.clients)
        supervisor = await connection.fetchval(
            "select staff_id from clinic.sign_in_session where token_digest = $1", token_digest(token)
        )
        async with connection.transaction():
            # Nobody decided any of these: what the triggers hold was never in question.
            await connection.execute("set local session_replication_role = replica")
            await connection.execute(
                "create temp table here on commit drop as"
                " select $1::uuid programme, $2::uuid supervisor, $3::uuid grant_id, $4::uuid[] clients,"
                " (select id from clinic.staff where user_name = 'granter') granter,"
                " (select id from clinic.staff where user_name = 'confirmer') confirmer",
                *(programme, supervisor, new_id(), clinic.clients[:OF_PROGRAMME]),
            )
            await connection.execute(_FILL)
        await connection.execute("vacuum analyze")
        await connection.execute("checkpoint")
    finally:
        await connection.close()
    return programme, token


def day(stage: Stage, clinic: Clinic, say: Callable[[str], None]) -> None:
    """One reader after another: a counsellor of fifty, and the supervisor of two thousand."""
    programme, supervisor = asyncio.run(_fill(stage, clinic))
    with stage.serving() as served, httpx.Client(base_url=served.url, timeout=30) as http:
        for name, token, path in (
            ("overdue list", clinic.counsellors[0], f"/api/v1/overdue-check-ins?limit={PER_COUNSELLOR}"),
            ("day", clinic.counsellors[0], "/api/v1/day"),
            ("dashboard", supervisor, f"/api/v1/programmes/{programme}/dashboard"),
        ):
            http.headers["Authorization"] = f"Bearer {token}"
            answer = http.get(path).raise_for_status()
            began, pg_began = served.usage(), stage.postgres()
            took = [timed(lambda path=path: http.get(path), 200) for _ in range(READS + WARM)][WARM:]
            used, pg_used, every = served.usage(), stage.postgres(), READS + WARM
            say(
                f"{name} ({len(answer.content) / 1024:.0f} KB): {Taken.of(took)}; "
                f"{(used.cpu - began.cpu) / every * 1e3:.1f} ms of the worker's processor, "
                f"{(pg_used.cpu - pg_began.cpu) / every * 1e3:.1f} ms of PostgreSQL's"
            )
