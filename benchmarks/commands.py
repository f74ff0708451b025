"""The commands that take the log away and verify it, as somebody types them, and what each of them uses."""

import asyncio
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg

from benchmarks.stage import Stage, usage_of
from caseload.domain.access import Role
from caseload.domain.accesslog import LaidOpen
from caseload.domain.ids import new_id
from caseload.domain.people import COMMAND_LINE
from caseload.request.passwords import Passwords

_BETWEEN_LOOKS: Final = 0.1
_OFFICER: Final = "officer"
_PASSWORD: Final = "unremarkable teapot voyage"  # noqa: S105  of an account that ends with the run


class Ran(NamedTuple):
    """One command, from its start to its end."""

    code: int
    said: str
    seconds: float
    cpu: float
    """Its own seconds of processor, and its children's."""
    postgres: float
    megabytes: float
    """The most that it and its children held at a time (PSS)."""

    def __str__(self) -> str:
        shared = f" + {self.postgres:.1f} PostgreSQL's" if self.postgres else ""
        return (
            f"{self.seconds:6.1f} s, {self.cpu:6.1f}{shared} s of processor, {self.megabytes:3.0f} MB, exit {self.code}"
        )


class Commands:
    """`caseload audit` over the log of a stage, by a privacy officer who is made for it."""

    def __init__(self, at: Stage) -> None:
        self._at = at
        self._password = at.scratch / "password"
        self._password.write_text(_PASSWORD)
        asyncio.run(_make_officer(at.owner))

    def export(self, out: Path, laid_open: LaidOpen) -> Ran:
        """The whole log as a bundle."""
        signed_in = ["--as", _OFFICER, "--password-file", str(self._password)]
        return self._run("caseload", "audit", "export", *signed_in, "--lay-open", laid_open.value, "--out", str(out))

    def verify(self, bundle: Path, policy: Path, *, jobs: int) -> Ran:
        """The verifier as the auditor's one file has it."""
        return self._run("caseload.audit.verify", str(bundle), "--policy", str(policy), "--jobs", str(jobs))

    def _run(self, module: str, *given: str) -> Ran:
        environment = {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": ":".join(sys.path),
            "CASELOAD_DATABASE_URL": self._at.service,
            "CASELOAD_DATA_DIR": str(self._at.scratch),
            "CASELOAD_LOG_LEVEL": "error",
        }
        cpu, postgres, most, began = _children(), self._at.postgres().cpu, 0.0, time.perf_counter()
        printed = self._at.scratch / "printed"
        with printed.open("w+") as out:
            command = [sys.executable, "-m", module, *given]
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
            while process.poll() is None:
                most = max(most, sum(usage_of(process.pid).pss))
                time.sleep(_BETWEEN_LOOKS)
        seconds, postgres = time.perf_counter() - began, self._at.postgres().cpu - postgres
        return Ran(process.returncode, printed.read_text(), seconds, _children() - cpu, postgres, most)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def _make_officer(owner: str) -> None:
    passwords = Passwords()
    hashed = await passwords.hash(_PASSWORD)
    passwords.close()
    granter, officer, since = new_id(), new_id(), datetime.now(UTC) - timedelta(days=1)
    connection = await asyncpg.connect(owner)
    async with connection.transaction():
        await connection.executemany(
            "insert into clinic.staff (id, user_name, printed_name, created_at, created_by) values ($1, $2, $2, $3, $4)",
            [(granter, "grants-the-officer", since, COMMAND_LINE), (officer, _OFFICER, since, granter)],
        )
        await connection.execute(
            "insert into clinic.staff_password (staff_id, number, set_at, set_by, hash) values ($1, 1, $2, $1, $3)",
            officer, since, hashed,
        )  # fmt: skip
        await connection.execute(
            "insert into clinic.role_grant (id, staff_id, role, starts_at, granted_by, granted_at)"
            " values ($1, $2, $3, $4, $5, $4)",
            new_id(), officer, Role.PRIVACY_OFFICER.value, since, granter,
        )  # fmt: skip
    await connection.close()
