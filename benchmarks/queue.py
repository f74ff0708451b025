"""The dosing queue of a programme with 500 expected clients, in one page."""

import asyncio
import statistics
import time
from collections.abc import Callable
from uuid import UUID

import asyncpg
import httpx

from benchmarks.clinic import Clinic
from benchmarks.stage import Stage
from caseload.domain.ids import new_id
from caseload.domain.people import token_digest

EXPECTED = 500
DAYS = 60
"""Of doses that lie behind each client."""
READS, WARM = 200, 30

GIVEN = (
    "Amina Andrew Anita Bashir Beth Carlos Chloe Daniel Deepa Donna Edward Elena Farah Frank George Grace Hamza "
    "Hannah Ian Irina Jack Jamal Joanna Kai Karen Kofi Leon Linda Marcus Maria Milan Nadia Nathan Olga Oscar "
    "Paula Peter Priya Quinn Rachel Rafael Rosa Samir Sarah Simon Tara Thomas Uma Victor Wendy Xavier Yusuf Zoe"
)
FAMILY = (
    "Adams Ahmed Bailey Baker Banerjee Barnes Bennett Brown Campbell Carter Chen Clark Cohen Collins Cooper Cruz "
    "Davies Diaz Edwards Evans Fernandez Fisher Foster Garcia Gomez Graham Green Griffiths Hall Hansen Harris "
    "Hassan Hernandez Hill Hughes Hussain Ibrahim Jackson James Jenkins Johnson Jones Kaur Kelly Khan Kim King "
    "Kowalski Kumar Lee Lewis Lopez MacDonald Mahmood Malik Marshall Martin Mason Mehta Miller Mitchell Moore "
    "Morgan Morris Murphy Murray Nguyen Novak Okafor Owen Palmer Parker Patel Perez Phillips Popescu Powell Price "
    "Ramirez Reid Richards Roberts Robinson Rodriguez Rogers Ross Russell Ryan Sanchez Schmidt Scott Shah Sharma "
    "Shaw Silva Simpson Singh Smith Stevens Stewart Suzuki Taylor Thomas Thompson Turner Walker Walsh Ward Watson "
    "Webb White Williams Wilson Wood Wright Yilmaz Young"
)

_FILL = """
insert into clinic.programme (id, code, name, time_zone, profile, opened_at)
  select programme, 'QUEUE', 'Queue', 'Etc/UTC', 'US', now() - interval '1 year' from here;
update clinic.client set programme_id = programme from here, who where id = client;
update clinic.medication_order set programme_id = programme, starts_on = today - days, whole_mg = 80,
    morning_mg = null, evening_mg = null
  from here, who where client_id = client;
update clinic.client_identity set given_name = given, family_name = family from who where client_id = client;
insert into clinic.dose (id, version, client_id, programme_id, order_id, dosing_day, part, medicine, form, amount_mg,
    supervised, given_at, given_by, recorded_at, recorded_by, kind, entry, profile, profile_version)
  select uuidv7(), 1, client, programme, o.id, today - ago, 'whole', 'methadone', 'oral_solution', 80, true,
    today - ago + time '00:00:01', nurse, today - ago + time '00:00:01', nurse, 'ordinary', 'window', 'US', 1
  from here, who join clinic.medication_order o on o.client_id = client, generate_series(0, 60) ago
  where ago between 1 and days and not (n % 20 = 0 and ago < 5) or ago = 0 and n % 3 = 0
  order by ago;
insert into clinic.hold (id, client_id, programme_id, reason, note, raised_by, raised_at)
  select uuidv7(), client, programme, 'medical', 'Seen unwell.', nurse, now() from here, who where n % 50 = 1;
insert into clinic.excusal (id, client_id, programme_id, reason, first_on, told_by, note, recorded_by, recorded_at)
  select uuidv7(), client, programme, 'hospital', today - 2, 'Ward 3', '', nurse, now() from here, who where n % 40 = 2;
insert into clinic.window_message (id, client_id, programme_id, text, places, left_by, left_at)
  select uuidv7(), client, programme, 'Ask for the letter from the hospital.', '{window}', nurse, now() from here, who
  where n % 10 = 3;
insert into clinic.client_identifier (client_id, kind, value, recorded_by, recorded_at)
  select client, 'chart', 'Q-' || n, nurse, now() from here, who;
insert into clinic.photograph (id, client_id, taken_on, kept_where, recorded_by, recorded_at)
  select uuidv7(), client, today - 100, 'Folder 7', nurse, now() from here, who;
with granted as (
  insert into clinic.role_grant
      (id, staff_id, programme_id, role, starts_at, granted_by, granted_at, registration_id)
    select uuidv7(), staff_id, programme, role, starts_at, granted_by, granted_at, registration_id
    from here join clinic.role_grant on staff_id = nurse
    returning id, staff_id
)
insert into clinic.role_confirmation (grant_id, staff_id, granted_by, confirmed_by, confirmed_at)
  select granted.id, staff_id, granted_by, confirmed_by, confirmed_at
  from granted join clinic.role_confirmation using (staff_id);
"""
"""A morning as it is: a third has come, some are held or excused or have missed days, and everybody has a photograph."""


async def _fill(stage: Stage, clinic: Clinic) -> tuple[UUID, str]:
    """The programme of the queue, and the token of its nurse."""
    connection = await asyncpg.connect(stage.owner)
    programme, clients, given, family = new_id(), clinic.clients[:EXPECTED], GIVEN.split(), FAMILY.split()
    try:
        nurse = await connection.fetchval("select staff_id from bench_nurse where number = 3")
        digest = await connection.fetchval("select token_digest from clinic.sign_in_session where staff_id = $1", nurse)
        async with connection.transaction():
            # Nobody decided any of these: what the triggers hold was never in question.
            await connection.execute("set local session_replication_role = replica")
            await connection.execute(
                "create temp table here on commit drop as"
                " select $1::uuid programme, $2::uuid nurse, current_date today, $3::int days",
                *(programme, nurse, DAYS),
            )
            await connection.execute(
                "create temp table who on commit drop as"
                " select * from unnest($1::uuid[], $2::text[], $3::text[]) with ordinality w (client, given, family, n)",
                clients,
                [given[n * 7 % len(given)] for n in range(len(clients))],
                [family[n * 11 % len(family)] for n in range(len(clients))],
            )
            await connection.execute(_FILL)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()
    return programme, next(token for token in clinic.nurses if token_digest(token) == digest)


def queue(stage: Stage, clinic: Clinic, say: Callable[[str], None]) -> None:
    """Read the page again and again, one reader after another."""
    programme, token = asyncio.run(_fill(stage, clinic))
    headers = {"Authorization": f"Bearer {token}"}
    took: list[float] = []
    with stage.serving() as served, httpx.Client(base_url=served.url, headers=headers, timeout=30) as http:
        began_with = served.usage(), stage.postgres()
        answer = http.get(f"/api/v1/programmes/{programme}/queue").raise_for_status()
        for _ in range(READS + WARM):
            began = time.perf_counter()
            answer = http.get(f"/api/v1/programmes/{programme}/queue").raise_for_status()
            took.append((time.perf_counter() - began) * 1e3)
        used, pg_used = served.usage(), stage.postgres()
    page = answer.json()
    groups = {name: len(page[name]) for name in ("to_attend", "held", "attended", "not_expected")}
    if sum(groups.values()) != min(EXPECTED, len(clinic.clients)):
        raise SystemExit(f"the queue has {groups}")
    hundredths = statistics.quantiles(took[WARM:], n=100)
    say(
        f"{sum(groups.values())} expected ({', '.join(f'{count} {name}' for name, count in groups.items())}), "
        f"{len(answer.content) / 1024:.0f} KB: {statistics.median(took[WARM:]):.1f} ms p50, {hundredths[94]:.1f} ms p95; "
        f"{(used.cpu - began_with[0].cpu) / len(took) * 1e3:.1f} ms of the worker's processor, "
        f"{(pg_used.cpu - began_with[1].cpu) / len(took) * 1e3:.1f} ms of PostgreSQL's"
    )
