"""What the migrations made to hold the log, line by line, beside what is there: whatever was added, taken or changed.

`shape.txt` holds a line for each table, column, constraint, trigger, rule, policy, function, right and role of the
schemas `audit` and `keys`, as a fresh database has them, and those of a partition once, as `entry_N`. After a migration
that changes one of them: `python -m caseload.db.shape OWNER_URL > src/caseload/db/shape.txt`.
"""

import asyncio
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib import resources
from typing import Final

import asyncpg

_PARTITION: Final = re.compile(r"\bentry_([0-9]+)")
_ANY: Final = "entry_N"


async def shape(connection: asyncpg.Connection) -> list[str]:
    """Every line of the database."""
    return [row[0] for row in await connection.fetch(_SHAPE)]


def differences(lines: Iterable[str]) -> Iterator[str]:
    """In a sentence each, what is there and was not made by the migrations, and what they made and is not there."""
    expected = set((resources.files("caseload.db") / "shape.txt").read_text(encoding="utf-8").splitlines())
    of_partitions = {line for line in expected if _ANY in line}
    there: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines:
        number = _PARTITION.search(line)
        there[number[1] if number else ""].add(_PARTITION.sub(_ANY, line))
    for number, found in sorted(there.items()):
        wanted = of_partitions if number else expected - of_partitions
        for line in sorted(found - wanted):
            yield f"No migration made this: {line.replace(_ANY, f'entry_{number}')}."
        for line in sorted(wanted - found):
            yield f"A migration made this, and it is gone or changed: {line.replace(_ANY, f'entry_{number}')}."


def text_of(lines: Iterable[str]) -> str:
    """These lines as `shape.txt` holds them."""
    return "".join(f"{line}\n" for line in sorted({_PARTITION.sub(_ANY, line) for line in lines}))


_SHAPE: Final = r"""
with space as (
    select oid, nspname as name from pg_catalog.pg_namespace where nspname in ('audit', 'keys')
), relation as (
    select t.oid as id, s.name || '.' || t.relname as name, t.relkind, t.relpersistence, t.relrowsecurity, t.relacl,
           t.relowner
    from pg_catalog.pg_class t join space s on s.oid = t.relnamespace
    where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
), held(kind, name, acl, owner) as (
    select 'schema', nspname, nspacl, nspowner from pg_catalog.pg_namespace where nspname in ('audit', 'keys')
    union all
    select 'table', name, relacl, relowner from relation
    union all
    select 'column', name || '.' || attname, attacl, relowner from pg_catalog.pg_attribute join relation r on r.id = attrelid
    where not attisdropped
    union all
    select 'function', s.name || '.' || proname, coalesce(proacl, acldefault('f', proowner)), proowner
    from pg_catalog.pg_proc join space s on s.oid = pronamespace
), line(said) as (
    select format('table %s is of kind %s, kept as %s%s', name, relkind, relpersistence,
                  case when relrowsecurity then ', with row security' else '' end)
    from relation
    union all
    select format('column %s.%s is %s%s%s%s', name, attname, format_type(atttypid, atttypmod),
                  case when attnotnull then ' not null' else '' end, ' ' || nullif(attgenerated::text, ''),
                  ' ' || pg_get_expr(adbin, adrelid))
    from pg_catalog.pg_attribute join relation r on r.id = attrelid
    left join pg_catalog.pg_attrdef on adrelid = attrelid and adnum = attnum
    where attnum > 0 and not attisdropped
    union all
    -- Without parentheses: after a backup and its restore they stand otherwise.
    select format('constraint %s of %s is %s', conname, name,
                  rtrim(regexp_replace(pg_get_constraintdef(c.oid), '[() ]+', ' ', 'g')))
    from pg_catalog.pg_constraint c join relation r on r.id = conrelid where contype in ('c', 'p', 'u', 'x', 'f')
    union all
    select format('trigger %s of %s calls %s, of type %s, enabled %s%s%s', tgname, name, tgfoid::regproc, tgtype, tgenabled,
                  case when tgqual is null then '' else ' under a condition' end,
                  case when tgattr::text = '' then '' else ' for some columns' end)
    from pg_catalog.pg_trigger join relation r on r.id = tgrelid where not tgisinternal
    union all
    select format('rule %s of %s', rulename, name)
    from pg_catalog.pg_rewrite join relation r on r.id = ev_class where rulename <> '_RETURN'
    union all
    select format('view %s shows sha256:%s', name, encode(sha256(convert_to(
                  regexp_replace(pg_get_viewdef(r.id), '\s+|\m(queue|entry)\.', '', 'g'), 'UTF8')), 'hex'))
    from relation r where relkind = 'v'
    union all
    select format('policy %s of %s', polname, name) from pg_catalog.pg_policy join relation r on r.id = polrelid
    union all
    select format('function %s.%s(%s) is in %s%s%s, sha256:%s', s.name, proname, pg_get_function_identity_arguments(p.oid),
                  lanname, case when prosecdef then ', acts as its owner' else '' end,
                  ', with ' || array_to_string(proconfig, ' and '), encode(sha256(convert_to(prosrc, 'UTF8')), 'hex'))
    from pg_catalog.pg_proc p join space s on s.oid = pronamespace join pg_catalog.pg_language l on l.oid = prolang
    union all
    select format('%s may %s %s %s%s', case when g.grantee = 0 then 'everybody' else g.grantee::regrole::text end,
                  lower(g.privilege_type), kind, name, case when g.is_grantable then ', and pass it on' else '' end)
    from held, aclexplode(acl) g where g.grantee <> owner
    union all
    select format('role %s%s%s%s%s%s', rolname, case when rolcanlogin then ' logs in' else '' end,
                  case when rolinherit then ' inherits' else '' end, case when rolsuper then ' is a superuser' else '' end,
                  case when rolbypassrls then ' sees past policies' else '' end,
                  case when rolcreaterole then ' makes roles' else '' end)
    from pg_catalog.pg_roles where rolname in ('audit_owner', 'audit_reader', 'audit_sequencer', 'caseload_app')
    union all
    select format('role %s is a member of %s', member::regrole, roleid::regrole)
           || case when member::regrole::text = 'caseload_app' and to_jsonb(m) ->> 'inherit_option' = 'true'
                   then ' without asking' else '' end
    from pg_catalog.pg_auth_members m
    where member::regrole::text in ('audit_owner', 'audit_reader', 'audit_sequencer', 'caseload_app')
)
select said from line order by said collate "C"
"""


async def _print(url: str) -> None:
    connection = await asyncpg.connect(url)
    found = await shape(connection)
    await connection.close()
    sys.stdout.write(text_of(found))


if __name__ == "__main__":
    asyncio.run(_print(sys.argv[1]))
