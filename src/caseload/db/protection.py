"""What holds the log in place inside the database: whether all of it is there, and what to do where it is not.

Two kinds of findings. *Damaged*: something that the migrations made is gone or changed, which nobody does by accident.
*Missing*: something that this server's administrators could add and the migrating role may not.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from caseload.db.shape import differences, shape
from caseload.settings import OperatorError

WATCH: Final = (
    "create event trigger audit_no_ddl on ddl_command_end execute function audit.refuse_ddl();",
    "create event trigger audit_no_drop on sql_drop execute function audit.refuse_ddl();",
    "alter event trigger audit_no_ddl enable always;",
    "alter event trigger audit_no_drop enable always;",
)
"""What a superuser of the server runs once, where the role that migrates may not."""

ROLES: Final = ["audit_owner", "audit_reader", "audit_sequencer", "caseload_app"]
APART: Final = {"audit_owner", "audit_sequencer", "caseload_app"}
"""Who holds one of these holds no other."""

MUTABLE: Final = ["tile"]
"""Tables of the log that are replaced by design and hold no evidence of their own."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with the protection of the log, each in one line."""

    damaged: tuple[str, ...]
    missing: tuple[str, ...]
    may_act: tuple[str, ...]
    """Who may act as each of the log's roles: for somebody who knows who should."""


class Damaged(OperatorError):
    """What protects the log has been changed."""

    def __init__(self, found: Findings) -> None:
        said = " ".join(found.damaged)
        super().__init__(f"The protection of the audit log has been changed. {said} See docs/audit.md.")


def look(url: str) -> Findings:
    """What is damaged and what is missing. The service's own user may ask."""
    return asyncio.run(_look(url))


async def watch_over(owner_url: str) -> None:
    """Make the event triggers where they are missing and this role may; `look` names them where it may not."""
    connection = await asyncpg.connect(owner_url, statement_cache_size=0)
    try:
        if await connection.fetchval(_CAN_BE_WATCHED):
            await connection.execute(_WATCH)
    except asyncpg.InsufficientPrivilegeError:
        return
    finally:
        await connection.close()


async def _look(url: str) -> Findings:
    connection = await asyncpg.connect(url, statement_cache_size=0)
    try:
        damaged = [row[0] for query, *given in _DAMAGED for row in await connection.fetch(query, *given)]
        damaged += differences(await shape(connection))
        missing = [row[0] for query, *given in _MISSING for row in await connection.fetch(query, *given)]
        acting = [(row["role"], row["who"]) for row in await connection.fetch(_ACTING, ROLES)]
        service: str = await connection.fetchval("select current_user")
    finally:
        await connection.close()
    missing += two_hats([(role, who) for role, who in acting if who != service])
    return Findings(tuple(damaged), tuple(missing), may_act=who_may_act(acting))


def who_may_act(acting: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """A line for each role, from pairs of a role and who may act as it."""
    found = {role: ", ".join(who for of, who in acting if of == role) for role in ROLES}
    return tuple(f"As {role} may act: {names or 'nobody'}." for role, names in found.items())


def two_hats(acting: Sequence[tuple[str, str]]) -> list[str]:
    """A line for everybody who may act as more than one role of those that are to be held apart."""
    found = {who: [role for role, by in acting if by == who and role in APART] for _, who in acting}
    return [
        f"{who} may act as {' and '.join(roles)}: give each a login of its own."
        for who, roles in found.items()
        if len(roles) > 1
    ]


_CAN_BE_WATCHED: Final = """
    select to_regprocedure('audit.refuse_ddl()') is not null
      and not exists (select from pg_catalog.pg_event_trigger where evtname in ('audit_no_ddl', 'audit_no_drop'))
"""
_WATCH: Final = "\n".join(WATCH)

_UNGUARDED: Final = """
    select format('audit.%s can be %s: its trigger is gone, switched off or does not fire always.', relname, change)
    from pg_catalog.pg_class t
    cross join (values ('updated', 16), ('emptied', 32), ('deleted from', 8)) as can(change, bit)
    where relnamespace = 'audit'::regnamespace and relkind in ('r', 'p') and relname <> all($1)
      and not exists (
        select from pg_catalog.pg_trigger g
        where tgrelid = t.oid and tgenabled = 'A' and tgtype & bit <> 0 and not tgisinternal and tgqual is null
          and tgfoid in (select oid from pg_catalog.pg_proc where pronamespace = 'audit'::regnamespace
                         and proname in ('refuse', 'refuse_unsequenced'))
      )
    order by 1
"""
_OWNED_BY_OTHERS: Final = """
    select format('%s belongs to %s and not to audit_owner.', kind, owner) from (
      select 'audit.' || relname as kind, pg_get_userbyid(relowner) as owner
      from pg_catalog.pg_class where relnamespace = 'audit'::regnamespace and relkind in ('r', 'p', 'v')
      union all
      select 'audit.' || proname || '()', pg_get_userbyid(proowner)
      from pg_catalog.pg_proc where pronamespace = 'audit'::regnamespace
      union all
      select 'the schema audit', pg_get_userbyid(nspowner) from pg_catalog.pg_namespace where nspname = 'audit'
    ) found where owner <> 'audit_owner' order by 1
"""
_OPEN_TO_OTHERS: Final = """
    select format('%s may %s audit.%s.', coalesce(nullif(right_held.grantee, 0)::regrole::text, 'everybody'),
                  lower(string_agg(right_held.privilege_type, ', ' order by right_held.privilege_type)), name)
    from (
      select relname as name, relacl as acl, 'r'::"char" as kind, relowner as owner
      from pg_catalog.pg_class where relnamespace = 'audit'::regnamespace and relkind in ('r', 'p', 'v')
      union all
      select proname || '()', proacl, 'f', proowner from pg_catalog.pg_proc where pronamespace = 'audit'::regnamespace
    ) held, aclexplode(coalesce(acl, acldefault(kind, owner))) as right_held
    where right_held.grantee <> owner
      and not coalesce((
        select right_held.privilege_type = any(may) from (values
          ('caseload_app', array['EXECUTE']),
          ('audit_reader', array['SELECT', 'EXECUTE']),
          ('audit_sequencer', array['SELECT', 'INSERT', 'DELETE', 'UPDATE', 'EXECUTE'])
        ) as allowed(role, may) where to_regrole(role) = right_held.grantee
      ), false)
    group by right_held.grantee, name order by 1
"""
_DETACHED: Final = """
    select format('audit.%s is no part of the log any more: its entries cannot be read.', relname)
    from pg_catalog.pg_class
    where relnamespace = 'audit'::regnamespace and relname ~ '^entry_[0-9]+$' and relkind = 'r' and not relispartition
"""
_WATCH_CHANGED: Final = """
    select format('The event trigger %s is switched off or does not fire always.', evtname)
    from pg_catalog.pg_event_trigger join (values
      ('audit_no_ddl', 'ddl_command_end'), ('audit_no_drop', 'sql_drop')
    ) as made(name, event) on name = evtname
    where evtenabled <> 'A' or evtevent <> event or evttags is not null
       or evtfoid is distinct from to_regprocedure('audit.refuse_ddl()')
"""
_DAMAGED: Final = ((_UNGUARDED, MUTABLE), (_OWNED_BY_OTHERS,), (_OPEN_TO_OTHERS,), (_DETACHED,), (_WATCH_CHANGED,))

_UNWATCHED: Final = """
    select 'Nothing watches over changes of the log''s own tables. Have a superuser of the server run in this database: '
           || $1
    where (select count(*) from pg_catalog.pg_event_trigger where evtname in ('audit_no_ddl', 'audit_no_drop')) < 2
"""
_TOO_MIGHTY: Final = """
    select format('The service''s user %s is a superuser: nothing in the database binds it.', current_user)
    from pg_catalog.pg_roles where rolname = current_user and rolsuper
    union all
    select format('The service''s user %s may act as %s.', current_user, role)
    from (values ('audit_owner'), ('audit_sequencer')) as more(role)
    where pg_has_role(current_user, to_regrole(role), 'member')
      and not (select rolsuper from pg_catalog.pg_roles where rolname = current_user)
"""
# Since PostgreSQL 16 whoever makes a role is a member who may not act as it.
_ACTING: Final = """
    select role.rolname as role, who.rolname as who
    from pg_catalog.pg_roles who join pg_catalog.pg_roles role on pg_has_role(who.oid, role.oid, 'member')
    where who.rolcanlogin and not who.rolsuper and role.rolname = any($1) and not exists (
      select from pg_catalog.pg_auth_members m
      where m.member = who.oid and m.roleid = role.oid and to_jsonb(m) ->> 'set_option' = 'false'
    )
    order by 1, 2
"""
_NOT_DURABLE: Final = """
    select format('The server runs with %s = off: a power cut can take entries back that were already shown.', name)
    from pg_catalog.pg_settings where name in ('fsync', 'full_page_writes') and setting = 'off' order by 1
"""
_MISSING: Final = ((_UNWATCHED, " ".join(WATCH)), (_TOO_MIGHTY,), (_NOT_DURABLE,))
