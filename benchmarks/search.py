"""A million people on file, for the search by name: names of syllables, many of which share most of their trigrams."""

from pathlib import Path
from uuid import UUID

import asyncpg

from benchmarks.wrk import lines_of

_PEOPLE = """
with syllable as (
  select array['ba','ca','da','el','fi','ga','ha','in','jo','ka','la','mi','no','or','pe','qui','ro','sa','ta','ul',
               'va','we','xi','yo','za','bri','cho','dra','est','fre','gri','hol'] as one
), named as (
  select uuidv7() as id, (random() * 31 + 1)::int as a, (random() * 31 + 1)::int as b, (random() * 31 + 1)::int as c,
         (random() * 31 + 1)::int as d, (random() * 31 + 1)::int as e, number
  from generate_series(1, $1::int) as number
), kept as (
  insert into clinic.client (id, programme_id, registered_by, recorded_at)
    select id, $2, $3, now() from named
)
insert into clinic.client_identity (client_id, version, given_name, family_name, birth_date, birth_date_estimated, sex,
    recorded_by, recorded_at)
  select id, 1, initcap(one[a] || one[b]), initcap(one[c] || one[d] || one[e]), date '1950-01-01' + number % 18000,
         false, 'unknown', $3, now()
  from named, syllable
"""
_INDEX = "client_identity_name_idx"
_SOME = "select given_name, family_name from clinic.client_identity tablesample system (0.1) limit 600"


async def put_on_file(owner: str, programme: UUID, people: int) -> list[tuple[str, str]]:
    """Register so many people, and return the names of some of them. The index on names is made anew at the end."""
    connection = await asyncpg.connect(owner)
    try:
        by = await connection.fetchval("select min(id::text)::uuid from clinic.staff")
        made = await connection.fetchval("select indexdef from pg_indexes where indexname = $1", _INDEX)
        async with connection.transaction():
            await connection.execute(f"drop index clinic.{_INDEX}")
            await connection.execute(_PEOPLE, people, programme, by)
            await connection.execute("set local maintenance_work_mem = '1GB'")
            await connection.execute(made)
        await connection.execute("vacuum analyze clinic.client, clinic.client_identity")
        return [(row["given_name"], row["family_name"]) for row in await connection.fetch(_SOME)]
    finally:
        await connection.close()


def whole_names(names: list[tuple[str, str]]) -> list[str]:
    """As somebody at the desk says them, every third with a letter left out."""
    said = [f"{given} {family}" for given, family in names]
    return [name if number % 3 else name[:-2] + name[-1] for number, name in enumerate(said)]


def script(names: list[str], nurses: list[str], scratch: Path) -> str:
    """Nurses look for people by name."""
    wanted, who = scratch / "names.txt", scratch / "searching.txt"
    wanted.write_text("\n".join(names) + "\n")
    who.write_text("\n".join(nurses) + "\n")
    return f"""
{lines_of("names", wanted)}
{lines_of("nurses", who)}
local headers = {{["Content-Type"] = "application/json"}}
request = function()
  headers["Authorization"] = "Bearer " .. nurses[math.random(#nurses)]
  return wrk.format("POST", "/api/v1/clients/search", headers, '{{"name":"' .. names[math.random(#names)] .. '"}}')
end
"""
