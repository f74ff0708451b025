"""`caseload jobs`: what is due is done, what was given up is named, and an operator has it tried again."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from caseload import observability
from caseload.__main__ import cli
from caseload.commands import terminal
from caseload.domain.ids import new_id
from caseload.domain.job import JobUnknown
from tests.shared_server import Addresses, execute

GIVEN_UP = """
    insert into jobs.job (id, kind, key, enqueued_at, due_at, attempts, takes, began_at, ended, ended_at, problem)
    values ('{job}', 'check_in.scheduled', 'of old', now(), now(), 5, 5, now(), 'given_up', '2026-11-23 03:00+00', 'KeyError')
"""


@pytest.fixture
def operator(throwaway_database: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Operator":
    def no_logging(*_: object, **__: object) -> None: ...

    monkeypatch.setattr(terminal, "configure", no_logging)
    monkeypatch.setattr(observability, "configure", no_logging)
    return Operator({"CASELOAD_DATABASE_URL": throwaway_database.service, "CASELOAD_DATA_DIR": str(tmp_path)})


class Operator:
    """Somebody at the command line of the server."""

    def __init__(self, settings: dict[str, str]) -> None:
        self._runner = CliRunner(env=settings)

    def runs(self, *given: str) -> Result:
        return self._runner.invoke(cli, ["jobs", *given])


def test_what_was_given_up_is_listed_and_tried_again(operator: Operator, throwaway_database: Addresses) -> None:
    job: UUID = new_id()
    asyncio.run(execute(throwaway_database.owner, GIVEN_UP.format(job=job)))
    told = operator.runs("list")
    line = f"{job}  check_in.scheduled  given up 2026-11-23 03:00 UTC after 5 attempts: KeyError\n"
    assert (told.exit_code, told.stdout) == (1, line)

    assert operator.runs("again", str(job)).stdout == "It is tried again.\n"
    assert isinstance(operator.runs("again", str(job)).exception, JobUnknown)
    told = operator.runs("run", "--once")
    assert (told.exit_code, told.stdout) == (0, "")
    told = operator.runs("list")
    assert (told.exit_code, told.stdout) == (0, "")
