"""Exports that prove themselves, from a real database to the verifier."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit import enclosed, taking
from caseload.audit.accesslog import LogReader
from caseload.audit.batcher import Batcher, LogUnavailable
from caseload.audit.bundle import MANIFEST, Manifest, Scope
from caseload.audit.erasure import KeptErasures
from caseload.audit.journal import RequestJournal
from caseload.audit.pending import Pending
from caseload.domain.accesslog import ErasureWaits, LaidOpen, LogEntry, LogFilter, LogOutcome, LogScope, NothingSigned
from caseload.domain.erasure import ClientErased, Erasure, Ground
from caseload.domain.ids import ErasureId, ProgrammeId, StaffId, new_id
from tests.audit.verify.conftest import Auditor
from tests.factories.audit import Someone, a_pending, seen
from tests.factories.exported import NOW, Sequenced

pytestmark = pytest.mark.anyio

HELD = "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in trans%'"
"""Connections that hold a transaction in which nothing happens."""


@pytest.fixture
def log(own_engine: AsyncEngine, owner: asyncpg.Connection) -> Sequenced:
    return Sequenced(own_engine, owner)


@pytest.fixture
def auditor(tmp_path: Path) -> Auditor:
    folder = tmp_path / "auditor"
    folder.mkdir()
    return Auditor(folder)


async def left(log: Sequenced, event: str) -> Sequence[LogEntry]:
    """The entries of this name, newest first."""
    async with log.engine.begin() as connection:
        return await LogReader(connection, log.trail).entries(
            LogFilter(event=event), LogScope(programmes=None), after=None, limit=20
        )


async def closing(log: Sequenced) -> LogEntry:
    """The entry that closed the last export."""
    return (await left(log, "audit_log.exported"))[0]


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def facts_of(entry: LogEntry) -> dict[str, Any]:
    for about in entry.about:
        for verb in ("did", "tried"):
            if verb in about:
                told: Any = about[verb]
                return told[0]["facts"]
    return {}


async def test_the_whole_log_is_valid_with_everything_laid_open(
    log: Sequenced, auditor: Auditor, tmp_path: Path
) -> None:
    await log.write(300)
    first = await log.sequence()
    await log.write(400)
    await log.sequence()
    packed = await log.export(tmp_path / "out")
    found = auditor.verify(tmp_path / "out", log.policy(), first)
    assert found.code == 0, found.text
    assert found.says(
        "all 700 entries",
        "Laid open  2,100 of 2,100 mentions of clients, 700 of 700 facts",
        "w0 at",
        "with 2 other heads",
    )
    entry = await closing(log)
    assert (entry.outcome, entry.actor, entry.clients) == (LogOutcome.DONE, str(log.actor.id), 0)
    assert facts_of(entry) == {
        "clients": 5,
        "format": "bundle",
        "laid_open": "clients",
        "octets": packed.octets,
        "rows": 700,
        "sha256": packed.sha256,
    }


async def test_entries_of_bounded_size_name_everybody_who_was_laid_open(
    log: Sequenced, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enclosed, "MOST_NAMED", 2)
    await log.write(50)
    await log.sequence()
    packed = await log.export(tmp_path / "out")
    naming = await left(log, "audit_log.laid_open")
    assert [each.clients for each in naming] == [1, 2, 2]
    assert {facts_of(each)["sha256"] for each in naming} == {packed.sha256}
    for client in log.clients:
        async with log.engine.begin() as connection:
            accesses = await LogReader(connection, log.trail).accesses(
                client, LogFilter(event="audit_log.laid_open"), LogScope(programmes=None), after=None, limit=5
            )
        assert [each.saw for each in accesses] == [("access_log",)]


async def test_nobody_is_named_when_nobody_was_laid_open(log: Sequenced, tmp_path: Path) -> None:
    await log.write(20)
    await log.sequence()
    await log.export(tmp_path / "out", laid_open=LaidOpen.FACTS)
    assert facts_of(await closing(log))["clients"] == 0
    assert await left(log, "audit_log.laid_open") == []


async def test_what_waits_for_its_place_is_not_in_it(log: Sequenced, auditor: Auditor, tmp_path: Path) -> None:
    await log.write(20)
    await log.sequence()
    await log.write(20)
    assert (await log.export(tmp_path / "out")).entries == 20
    assert auditor.verify(tmp_path / "out", log.policy()).code == 0


async def test_entries_sequenced_and_not_yet_signed_are_not_in_it(
    log: Sequenced, auditor: Auditor, tmp_path: Path
) -> None:
    await log.write(300)
    await log.sequence()
    await log.write(300)
    await log.sequence()
    await log.as_superuser("delete from audit.checkpoint_signature where size = 600")
    assert (await log.export(tmp_path / "out")).entries == 300
    assert auditor.verify(tmp_path / "out", log.policy()).code == 0


async def test_before_the_first_signature_there_is_nothing_to_take(log: Sequenced, tmp_path: Path) -> None:
    await log.write(3)
    with pytest.raises(NothingSigned):
        await log.export(tmp_path / "out")
    entry = await closing(log)
    assert (entry.outcome, facts_of(entry)["rows"]) == (LogOutcome.FAILED, 0)
    assert not names_in(tmp_path)


async def erase_somebody(log: Sequenced) -> None:
    """Take away the key of one of the clients whom every fifth entry names."""
    async with log.engine.begin() as connection:
        erasures = KeptErasures(connection, log.trail)
        proposal = Erasure(
            id=ErasureId(new_id()),
            client=log.clients[4],
            ground=Ground.RETENTION_OVER,
            proposed_by=StaffId(new_id()),
            proposed_at=datetime.now(UTC) - timedelta(minutes=11),
        )
        await erasures.add(proposal)
        erased = await erasures.destroy_key(proposal, by=StaffId(new_id()), at=datetime.now(UTC))
        journal = RequestJournal()
        journal.tell(ClientErased(records=(erased.key, erased.id)))
        entry = await log.trail.append(connection, a_pending(journal, event=ClientErased.name))
    log.trail.settle([entry], kept=True)


async def test_an_export_waits_until_the_log_tells_of_every_erasure(
    log: Sequenced, auditor: Auditor, tmp_path: Path
) -> None:
    await log.write(20)
    await log.sequence()
    await erase_somebody(log)
    exporting = asyncio.create_task(log.export(tmp_path / "out"))
    await asyncio.sleep(0.1)
    assert not exporting.done()
    await log.sequence()
    assert (await exporting).entries == 21
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 0, found.text


async def test_without_a_sequencer_an_erasure_lets_no_export_accuse_anybody(
    log: Sequenced, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "_MOST_LOOKS", 2)
    monkeypatch.setattr(taking, "_BETWEEN_LOOKS", 0)
    await log.write(20)
    await log.sequence()
    await erase_somebody(log)
    with pytest.raises(ErasureWaits):
        await log.export(tmp_path / "out")
    assert not names_in(tmp_path)
    assert (await log.export(tmp_path / "out", laid_open=LaidOpen.FACTS)).entries == 20, (
        "whoever lays nobody open goes on"
    )


@pytest.mark.parametrize("page", [1, 7, 2_048])
async def test_any_size_of_page_gives_the_same(
    log: Sequenced, auditor: Auditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(taking, "CHOICE_PAGE", page)
    await log.write(40)
    await log.sequence()
    for number, asked in enumerate([LogFilter(), LogFilter(event="check_in"), LogFilter(until=NOW.replace(year=2099))]):
        assert (await log.export(tmp_path / f"{number}", asked, page=page)).entries == 40
        assert auditor.verify(tmp_path / f"{number}", log.policy()).code == 0


async def test_a_span_of_time_has_no_gap(log: Sequenced, auditor: Auditor, tmp_path: Path) -> None:
    await log.write(280)
    head = await log.sequence()
    await log.write(100)
    await log.sequence()
    middle = await log.owner.fetchval("select at from audit.entry where idx = 300")
    end = await log.owner.fetchval("select at from audit.entry where idx = 350")
    await log.export(tmp_path / "out", LogFilter(since=middle, until=end), towards=[280])
    manifest = Manifest.decode((tmp_path / "out" / MANIFEST).read_bytes())
    assert manifest.scope is Scope.SPAN
    assert 280 <= manifest.first <= 300 < manifest.first + manifest.entries <= 380
    found = auditor.verify(tmp_path / "out", log.policy(), head)
    assert (found.code, found.says("with none left out")) == (0, True), found.text


async def test_a_span_without_entries_is_an_empty_span(log: Sequenced, auditor: Auditor, tmp_path: Path) -> None:
    await log.write(5)
    await log.sequence()
    assert (await log.export(tmp_path / "out", LogFilter(until=NOW.replace(year=2020)))).entries == 0
    assert auditor.verify(tmp_path / "out", log.policy()).code == 0


async def test_a_choice_shows_what_was_asked_for_and_of_clients_only_the_one(
    log: Sequenced, auditor: Auditor, tmp_path: Path
) -> None:
    here, somebody, client = ProgrammeId(new_id()), Someone(), log.clients[4]
    await log.write(30)
    await log.write(0, [a_pending(seen(log.clients[:2]), actor=somebody, event="dose.read", programme=here)])
    await log.sequence()
    chosen: list[tuple[dict[str, Any], int]] = [
        ({"asked": LogFilter(client=client)}, 6),
        ({"asked": LogFilter(actor=StaffId(somebody.id))}, 1),
        ({"asked": LogFilter(event="dose")}, 1),
        ({"asked": LogFilter(programme=here)}, 1),
        ({"scope": LogScope(programmes=frozenset({here}))}, 1),
        ({"asked": LogFilter(outcome=LogOutcome.FAILED)}, 0),
    ]
    for options, number in chosen:
        packed = await log.export(tmp_path / "out", laid_open=LaidOpen.FACTS, **options)
        assert packed.entries == number
        found = auditor.verify(tmp_path / "out", log.policy())
        assert found.code == 0, found.text
        files = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
        named = [each for each in log.clients if str(each).encode() in files]
        assert named == ([client] if "asked" in options and options["asked"].client else [])


async def test_a_reader_of_the_bundle_needs_none_of_ours(log: Sequenced, tmp_path: Path) -> None:
    """The files are the public formats, and JSON."""
    await log.write(300)
    note = await log.sequence()
    await log.export(tmp_path / "out")
    assert (tmp_path / "out" / "checkpoint").read_bytes() == note
    assert len((tmp_path / "out" / "tile" / "0" / "000").read_bytes()) == 8192
    assert (tmp_path / "out" / "tile" / "entries" / "001.p" / "44").exists()
    for name in ("views/entries.ndjson", "views/auditevent.ndjson", "disclosures.jsonl"):
        for line in (tmp_path / "out" / name).read_text().splitlines():
            json.loads(line)


async def test_without_its_closing_entry_there_is_no_bundle(
    log: Sequenced, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log.write(5)
    await log.sequence()

    async def refuse(_: object, __: object) -> None:
        raise LogUnavailable

    monkeypatch.setattr(Batcher, "add", refuse)
    with pytest.raises(LogUnavailable):
        await log.export(tmp_path / "out")
    assert not names_in(tmp_path)


async def test_what_is_there_already_is_left_alone(log: Sequenced, tmp_path: Path) -> None:
    await log.write(5)
    await log.sequence()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("x")
    with pytest.raises(FileExistsError):
        await log.export(tmp_path / "out", afresh=False)
    assert (tmp_path / "out" / "precious").read_text() == "x"


async def test_whoever_gives_it_up_leaves_nothing_behind_and_the_log_knows(
    log: Sequenced, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log.write(50)
    await log.sequence()
    started = asyncio.Event()
    real = taking.Taking._exported

    def slow(*given: Any) -> Any:
        started.set()
        return real(*given)

    monkeypatch.setattr(taking.Taking, "_exported", slow)
    task = asyncio.create_task(log.export(tmp_path / "out", page=1))
    async with asyncio.timeout(20):
        await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not names_in(tmp_path)
    assert (await closing(log)).outcome is LogOutcome.FAILED
    assert await log.owner.fetchval(HELD) == 0


async def test_the_database_is_let_go_before_the_disk_and_the_log_are_waited_for(
    log: Sequenced, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log.write(50)
    await log.sequence()
    held: list[int] = []
    real = Batcher.add

    async def looked(batcher: Batcher, pending: Pending) -> None:
        held.append(await log.owner.fetchval(HELD))
        await real(batcher, pending)

    monkeypatch.setattr(Batcher, "add", looked)
    await log.export(tmp_path / "out")
    assert held == [0, 0]


async def test_what_lies_beside_an_entry_is_looked_up_by_its_key_whatever_the_planner_thinks(log: Sequenced) -> None:
    await log.write(50)
    await log.sequence()
    async with log.owner.transaction():
        # At the size of a test a scan would be right; at a million entries, for each page, it would be the whole table.
        await log.owner.execute("set local enable_nestloop = off; set local enable_seqscan = off")
        await log.owner.execute("set local enable_bitmapscan = off")
        plan = "\n".join([row[0] for row in await log.owner.fetch(f"explain {taking._PAGE}", 10, 20)])
    assert "Nested Loop" in plan
    assert "Index Scan using disclosure_pkey" in plan
    assert "Index Scan using entry_0_pkey" in plan
