"""`caseload audit`: an auditor who signs in reads the log and takes it away, and the log says so."""

import asyncio
import csv
import hashlib
import json
import re
import stat
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import create_async_engine

from caseload.audit.leaf import Leaf, decode
from caseload.commands import audit
from caseload.db.tables.people import staff_password
from caseload.domain.access import Role
from caseload.domain.errors import NotPermitted
from caseload.request.passwords import Passwords
from caseload.settings import OperatorError
from tests.factories import people
from tests.factories.audit import UNWATCHED
from tests.shared_server import Addresses, execute

PASSWORD = "unremarkable teapot voyage"


async def _prepare(dsn: str) -> None:
    """An auditor and a nurse, each with a password."""
    engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": dsn})
    passwords = Passwords()
    async with engine.begin() as connection:
        for user_name, holds in (("ida", (Role.AUDITOR, None)), ("ned", (Role.ADMINISTRATOR, None))):
            staff = await people.staff(connection, user_name=user_name, holds=[holds])
            hashed = await passwords.hash(PASSWORD)
            await connection.execute(
                insert(staff_password).values(
                    staff_id=staff.id, number=1, set_at=people.LONG_AGO, set_by=staff.id, hash=hashed
                )
            )
    passwords.close()
    await engine.dispose()


@pytest.fixture
def clinic(throwaway_database: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Addresses:
    asyncio.run(_prepare(throwaway_database.service))
    monkeypatch.setenv("CASELOAD_DATABASE_URL", throwaway_database.service)
    monkeypatch.setenv("CASELOAD_DATA_DIR", str(tmp_path / "data"))
    return throwaway_database


def leaves(clinic: Addresses) -> list[Leaf]:
    async def read() -> list[bytes]:
        connection = await asyncpg.connect(clinic.owner)
        rows = await connection.fetch("select leaf from audit.log order by entry_id")
        await connection.close()
        return [row["leaf"] for row in rows]

    return [decode(leaf) for leaf in asyncio.run(read())]


def run(tmp_path: Path, *given: str, user: str = "ida") -> Result:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    return CliRunner().invoke(audit.command, [given[0], "--as", user, "--password-file", str(file), *given[1:]])


def test_an_auditor_lists_what_was_done_and_the_list_is_an_entry(clinic: Addresses, tmp_path: Path) -> None:
    run(tmp_path, "list")
    ended = run(tmp_path, "list", "--event", "audit_entries", "--actor", "ida")
    assert ended.exit_code == 0, ended.output
    [line] = ended.stdout.splitlines()
    assert "done      audit_entries.list" in line
    assert "ida" in line
    asked = [leaf for leaf in leaves(clinic) if leaf.ev == "audit_entries.list"]
    assert [(leaf.op, leaf.act.auth, leaf.purp, leaf.act.role) for leaf in asked] == [
        ("E", "command_line", "HCOMPL", ("auditor",))
    ] * 2


def test_programs_get_one_object_per_line(clinic: Addresses, tmp_path: Path) -> None:
    ended = run(tmp_path, "list", "--json", "--since", "2020-01-01")
    found: list[dict[str, Any]] = [json.loads(line) for line in ended.stdout.splitlines()]
    assert {"id", "at", "event", "outcome", "about"} <= set(found[0])


def test_an_export_encloses_the_file_in_two_entries(clinic: Addresses, tmp_path: Path) -> None:
    out = tmp_path / "log.csv"
    ended = run(tmp_path, "export", "--format", "csv", "--out", str(out))
    assert ended.exit_code == 0, ended.output
    data = out.read_bytes()
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert hashlib.sha256(data).hexdigest() in ended.stderr
    rows = list(csv.DictReader(data.decode().splitlines()))
    assert rows[-1]["event"] == "audit_log.export"
    assert f"{len(rows)} entries to {out}" in ended.stderr
    events = [leaf.ev for leaf in leaves(clinic)]
    assert events[len(rows) - 1 : len(rows) + 1] == ["audit_log.export", "audit_log.exported"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_an_export_to_standard_output_is_the_leaves_alone(clinic: Addresses, tmp_path: Path) -> None:
    ended = run(tmp_path, "export", "--format", "ndjson", "--out", "-")
    assert ended.exit_code == 0, ended.output
    everything = leaves(clinic)
    [opened] = [place for place, leaf in enumerate(everything) if leaf.ev == "audit_log.export"]
    assert [decode(line.encode()) for line in ended.stdout.splitlines()] == everything[: opened + 1]


def test_a_file_that_is_there_is_left_alone_and_nobody_is_asked_for_a_password(tmp_path: Path) -> None:
    out = tmp_path / "log.csv"
    out.write_text("precious")
    ended = run(tmp_path, "export", "--format", "csv", "--out", str(out))
    assert isinstance(ended.exception, OperatorError)
    assert "is there already" in str(ended.exception)
    assert out.read_text() == "precious"


def test_whoever_may_not_is_refused_and_the_refusal_is_an_entry(clinic: Addresses, tmp_path: Path) -> None:
    out = tmp_path / "log.csv"
    for given in (["list"], ["export", "--format", "csv", "--out", str(out)]):
        assert isinstance(run(tmp_path, *given, user="ned").exception, NotPermitted)
    assert not out.exists()
    refused = [leaf.ev for leaf in leaves(clinic) if leaf.out == 4]
    assert refused == ["audit_entries.list", "audit_log.export"]


def test_a_date_that_is_none_is_explained(tmp_path: Path) -> None:
    ended = run(tmp_path, "list", "--since", "yesterday")
    assert ended.exit_code == 2
    assert "write 2026-11-22" in ended.stderr


def test_what_lies_beside_the_entries_is_looked_at_and_the_look_is_an_entry(clinic: Addresses, tmp_path: Path) -> None:
    run(tmp_path, "list")
    whole = run(tmp_path, "check")
    assert whole.exit_code == 0, whole.output
    assert re.fullmatch(r"Looked at [1-9][0-9]* entries, which name a client 0 times.\n", whole.stdout)
    assert [leaf.act.role for leaf in leaves(clinic) if leaf.ev == "audit_log.checked"] == [("auditor",)]
    gone = "delete from audit.disclosure where entry_id = (select entry_id from audit.log where event = 'key.named' limit 1)"
    guarded = "alter table audit.disclosure {} trigger no_change;"
    asyncio.run(execute(clinic.owner, UNWATCHED + guarded.format("disable") + gone))
    damaged = run(tmp_path, "check")
    assert isinstance(damaged.exception, OperatorError)
    assert "names 0 clients, and there are 0 beside it" in damaged.stdout


def test_only_who_may_read_the_whole_log_looks(clinic: Addresses, tmp_path: Path) -> None:
    assert isinstance(run(tmp_path, "check", user="ned").exception, NotPermitted)
    assert [leaf.out for leaf in leaves(clinic) if leaf.ev == "audit_log.check"] == [4]
