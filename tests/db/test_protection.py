"""`caseload db check`: what holds the log in the database, and whoever takes some of it away or may do too much."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from caseload.db import protection, shape
from tests.shared_server import Addresses, execute

ADMIN_ALONE = 160_000
"""The PostgreSQL since which a member may be one who passes a role on and may not act as it."""


def test_a_database_as_the_migrations_make_it_is_in_order(throwaway_database: Addresses) -> None:
    found = protection.look(throwaway_database.service)
    # The tests' own server keeps nothing over a power cut.
    assert (found.damaged, [line for line in found.missing if "power cut" not in line]) == ((), [])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("alter table audit.queue disable trigger no_loss", "audit.queue can be deleted from"),
        ("alter table audit.entry_1 enable trigger no_change", "audit.entry_1 can be emptied"),
        ("drop trigger no_change on audit.disclosure", "audit.disclosure can be updated"),
        ("grant select on audit.queue to public", "everybody may select audit.queue."),
        ("grant insert on audit.queue to caseload_app", "caseload_app may insert audit.queue."),
        ("alter table audit.queue owner to postgres", "audit.queue belongs to postgres"),
        ("alter table audit.entry detach partition audit.entry_0", "audit.entry_0 is no part of the log"),
        ("create table audit.mine (id int)", "audit.mine can be updated"),
        (
            "create or replace function audit.refuse() returns trigger language plpgsql as 'begin return null; end'",
            "No migration made this: function audit.refuse() is in plpgsql, sha256:",
        ),
        (
            (
                "create function public.other() returns trigger language plpgsql as 'begin return null; end';"
                " create trigger more before insert on audit.queue for each row execute function public.other()"
            ),
            "No migration made this: trigger more of audit.queue calls other",
        ),
        ("create rule none_of_mine as on insert to audit.queue do instead nothing", "rule none_of_mine of audit.queue"),
        (
            (
                "create or replace view audit.log as select null::bigint as idx, entry_id, at, actor, event, outcome,"
                " programme, leaf from audit.queue"
            ),
            "No migration made this: view audit.log shows sha256:",
        ),
        (
            "alter table audit.queue enable row level security; create policy a_few on audit.queue using (actor <> 'me')",
            "policy a_few of audit.queue",
        ),
        ("alter table audit.disclosure set unlogged", "table audit.disclosure is of kind r, kept as u"),
        ("grant update (leaf) on audit.queue to caseload_app", "may update column audit.queue.leaf"),
        ("grant create on schema audit to caseload_app", "caseload_app may create schema audit"),
        ("grant update on audit.entry_1 to audit_sequencer", "audit_sequencer may update table audit.entry_1"),
        (
            "alter table audit.entry_1 drop constraint entry_1_entry_id_key",
            "A migration made this, and it is gone or changed: constraint entry_1_entry_id_key of audit.entry_1",
        ),
        (
            "alter table keys.erased drop constraint erased_by_two_check",
            "constraint erased_by_two_check of keys.erased",
        ),
        (
            (
                "drop event trigger audit_no_ddl; create event trigger audit_no_ddl on ddl_command_end"
                " when tag in ('COMMENT') execute function audit.refuse_ddl()"
            ),
            "audit_no_ddl is switched off or does not fire always",
        ),
    ],
)
def test_whoever_takes_a_protection_away_is_told_of(throwaway_database: Addresses, damage: str, said: str) -> None:
    off = "alter event trigger audit_no_ddl {0}; alter event trigger audit_no_drop {0};"
    asyncio.run(execute(throwaway_database.owner, f"{off.format('disable')} {damage}; {off.format('enable always')}"))
    damaged = protection.look(throwaway_database.service).damaged
    assert any(said in line for line in damaged), damaged
    asyncio.run(execute(throwaway_database.owner, off.format("enable")))
    assert any("does not fire always" in line for line in protection.look(throwaway_database.service).damaged)


def test_what_is_compared_is_what_the_migrations_make(throwaway_database: Addresses) -> None:
    file = Path(shape.__file__).with_suffix(".txt").read_text()
    assert shape.text_of(asyncio.run(lines(throwaway_database.service))) == file, shape.__doc__


async def version(url: str) -> int:
    connection = await asyncpg.connect(url)
    found = await connection.fetchval("select current_setting('server_version_num')::int")
    await connection.close()
    return found


async def lines(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    found = await shape.shape(connection)
    await connection.close()
    return found


def test_a_role_of_the_log_that_may_suddenly_do_more_is_told_of(throwaway_database: Addresses) -> None:
    found = asyncio.run(lines(throwaway_database.service))
    more = [*(line for line in found if line != "role caseload_app"), "role caseload_app inherits"]
    assert list(shape.differences(more)) == [
        "No migration made this: role caseload_app inherits.",
        "A migration made this, and it is gone or changed: role caseload_app.",
    ]


def test_a_service_that_is_too_mighty_is_told_of(throwaway_database: Addresses) -> None:
    assert any("is a superuser" in line for line in protection.look(throwaway_database.owner).missing)


def test_who_may_act_as_the_roles_of_the_log_is_listed_and_two_of_them_at_once_are_told_of(
    throwaway_database: Addresses,
) -> None:
    owner = throwaway_database.owner
    asyncio.run(execute(owner, "create role mallory login; grant audit_owner, audit_sequencer to mallory"))
    try:
        found = protection.look(throwaway_database.service)
        assert "As audit_owner may act: mallory." in found.may_act
        assert "As caseload_app may act: caseload." in found.may_act
        said = "mallory may act as audit_owner and audit_sequencer: give each a login of its own."
        assert said in found.missing
        asyncio.run(execute(owner, "revoke audit_owner from mallory"))
        found = protection.look(throwaway_database.service)
        assert said not in found.missing
        assert "As audit_owner may act: nobody." in found.may_act
        if asyncio.run(version(owner)) >= ADMIN_ALONE:
            asyncio.run(execute(owner, "grant audit_owner to mallory with admin true, inherit false, set false"))
            assert protection.look(throwaway_database.service).may_act == found.may_act
    finally:
        asyncio.run(execute(owner, "drop role mallory"))
