"""The keys that a clinic in production brings: one command makes them, and without them nothing starts."""

import asyncio
import stat
from pathlib import Path

import asyncpg
import pytest

from caseload.audit.leaf import decode
from caseload.db.embedded import reach
from caseload.settings import Settings
from tests import processes, scratch
from tests.running_service import free_port
from tests.shared_server import Addresses


def made(data: Path, **more: str) -> tuple[int, str, str]:
    told = processes.run("-m", "caseload", "keys", "make", CASELOAD_DATA_DIR=str(data), **more)
    return told.returncode, told.stdout, told.stderr


def files(data: Path) -> dict[str, str]:
    return {str(path.relative_to(data)): path.read_text() for path in data.rglob("*") if path.is_file()}


def test_one_command_makes_what_production_asks_for_and_leaves_what_is_there(tmp_path: Path) -> None:
    data = tmp_path / "data"
    code, said, wrong = made(data, CASELOAD_PRODUCTION="true")
    assert (code, wrong) == (0, "")
    assert f"Keep a copy of {data / 'keys'} apart" in said
    first = files(data)
    assert set(first) == {
        "keys/client-keys.1.key",
        "keys/log.1.key",
        "keys/log-signing.1.key",
        "keys/signatures.1.key",
        "secrets/root.key",
        "secrets/postgres.password",
        "secrets/caseload.password",
        "secrets/caseload_sequencer.password",
    }
    assert len(set(first.values())) == len(first)
    for name, text in first.items():
        assert str(data / name) in said
        assert text.strip() not in said
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600
    code, said, _ = made(data, CASELOAD_PRODUCTION="true")
    assert (code, "nothing was made" in said, files(data)) == (0, True, first)


def test_what_is_supplied_otherwise_is_not_made(tmp_path: Path) -> None:
    url = "postgresql://caseload@db/clinic"
    assert made(tmp_path / "data", CASELOAD_ROOT_KEY="ab" * 32, CASELOAD_DATABASE_URL=url)[0] == 0
    assert set(files(tmp_path / "data")) == {
        "keys/client-keys.1.key",
        "keys/log.1.key",
        "keys/log-signing.1.key",
        "keys/signatures.1.key",
    }


def test_a_clinic_starts_in_production_with_them_and_not_without(tmp_path: Path) -> None:
    with scratch.folder() as folder:
        variables = {"CASELOAD_DATA_DIR": str(folder / "data"), "CASELOAD_PRODUCTION": "true"}
        refused = processes.run("-m", "caseload", "staff", "list", **variables)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1), refused.stderr
        assert "In production run `caseload keys make`" in refused.stderr
        assert not (folder / "data").exists()
        assert made(folder / "data")[0] == 0
        for _ in range(2):
            listed = processes.run("-m", "caseload", "staff", "list", **variables)
            assert (listed.returncode, listed.stderr) == (0, "")
        with reach(Settings(data_dir=folder / "data")) as databases:
            named = asyncio.run(keys_named(databases.owner))
        assert [each.split()[2] for each in named] == ["client-keys.1", "log.1", "root", "signatures.1"], (
            "made before there was a log"
        )


async def keys_named(owner_url: str) -> list[str]:
    """What the log says of keys."""
    connection = await asyncpg.connect(owner_url)
    rows = await connection.fetch("select leaf from audit.log where event = 'key.named'")
    await connection.close()
    return sorted(decode(row["leaf"]).route for row in rows)


@pytest.mark.parametrize("missing", ["client-keys", "log", "signatures"])
def test_the_service_does_not_start_without_one_of_its_keys(
    throwaway_database: Addresses, tmp_path: Path, missing: str
) -> None:
    variables = {
        "CASELOAD_DATA_DIR": str(tmp_path / "data"),
        "CASELOAD_PRODUCTION": "true",
        "CASELOAD_DATABASE_URL": throwaway_database.service,
        "CASELOAD_ROOT_KEY": "ab" * 32,
        "CASELOAD_PORT": str(free_port()),
    }
    assert processes.run("-m", "caseload", "keys", "make", **variables).returncode == 0
    (tmp_path / "data" / "keys" / f"{missing}.1.key").unlink()
    told = processes.run("-m", "caseload", "serve", **variables)
    assert (told.returncode, told.stderr.count("\n")) == (1, 1), told.stderr
    assert f"{missing}.1.key is missing. In production run `caseload keys make`" in told.stderr


def test_a_folder_of_a_trial_does_not_become_one_of_production(tmp_path: Path) -> None:
    with scratch.folder() as folder:
        data = folder / "data"
        assert processes.run("-m", "caseload", "staff", "list", CASELOAD_DATA_DIR=str(data)).returncode == 0
        before = files(data / "keys")
        code, _, wrong = made(data)
        assert (code, wrong.count("\n")) == (1, 1)
        assert "was made up at a start outside production" in wrong
        assert files(data / "keys") == before
        started = processes.run("-m", "caseload", "serve", CASELOAD_DATA_DIR=str(data), CASELOAD_PRODUCTION="true")
        assert (started.returncode, started.stderr.count("\n")) == (1, 1)
