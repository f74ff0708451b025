"""Every line of a report proves itself against one checkpoint, and says nothing of anybody else."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit import accessreport, canonical
from caseload.audit.accessreport import ProvedAccesses, TileMissing, every_line
from caseload.audit.batcher import Batcher
from caseload.audit.inclusion import Prover, tiles_for
from caseload.audit.item import Disclosure
from caseload.audit.leaf import from_base64url
from caseload.audit.sending import Sending
from caseload.audit.tlog import prove
from caseload.audit.tlog.checkpoint import Checkpoint, open_checkpoint
from caseload.audit.tlog.merkle import includes, leaf_hash
from caseload.audit.tlog.tile import Edge, TileName
from caseload.audit.trail import AuditTrail, Circumstances
from caseload.domain.accesslog import ClientNotInLog, NothingSigned
from caseload.domain.accessreport import Line, LineUnknown, Report, ReportFormat, ReportSent
from caseload.domain.ids import ClientId, EntryId, ProgrammeId, ReportId, StaffId, new_id
from tests.audit.tlog.trees import LARGEST, leaf_hashes, naive_inclusion
from tests.factories.audit import UNWATCHED, Someone, a_client, a_pending, a_trail, seen
from tests.factories.sequenced import SIGNER, sequenced

pytestmark = pytest.mark.anyio


def grown(size: int) -> dict[TileName, bytes]:
    """The tiles of a tree of that size."""
    edge, hashes, found = Edge(), leaf_hashes(size), dict[tuple[int | None, int], bytes]()
    for name, data in edge.append(hashes):
        found[name.level, name.number] = data
    return {TileName(level, number): data for (level, number), data in found.items()}


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, LARGEST])
def test_a_prover_of_many_proves_what_the_definition_proves(size: int) -> None:
    tiles = grown(size)
    prover = Prover(size, lambda name: tiles[TileName(name.level, name.number)])
    for index in range(size):
        assert list(prover.path(index)) == naive_inclusion(index, 0, size)
    with pytest.raises(ValueError, match="There is no leaf"):
        prover.path(size)


@pytest.mark.parametrize(("grows_to", "size"), [(LARGEST, 257), (LARGEST, 256), (LARGEST, 3), (70_000, 65_537)])
def test_a_tree_that_has_grown_since_still_proves_its_former_size(grows_to: int, size: int) -> None:
    hashes = [leaf_hash(b"%d" % number) for number in range(grows_to)]
    former, now = Edge(), Edge()
    former.append(hashes[:size])
    found = {(name.level, name.number): data for name, data in now.append(hashes)}
    asked: set[TileName] = set()

    def fetch(name: TileName) -> bytes:
        asked.add(name)
        return found[name.level, name.number]

    prover = Prover(size, fetch)
    indices = sorted({0, 1, size // 2, size - 1})
    for index in indices:
        assert includes(root=former.root(), size=size, index=index, leaf=hashes[index], path=prover.path(index))
    assert asked <= tiles_for(indices, size) | prove.tiles_for([(0, size)], size)


def a_report(client: ClientId, tree: Checkpoint, since: datetime | None = None) -> Report:
    return Report(
        id=ReportId(new_id()),
        client=client,
        programme=ProgrammeId(new_id()),
        since=since,
        size=tree.size,
        prepared_by=StaffId(new_id()),
        prepared_at=datetime.now(UTC),
    )


async def logged(engine: AsyncEngine, trail: AuditTrail, *shown: Sequence[ClientId]) -> list[EntryId]:
    async with engine.begin() as connection:
        return [(await trail.append(connection, a_pending(seen(clients)))).id for clients in shown]


def check(line: Line, *, root: bytes, size: int, client: ClientId) -> None:
    """As somebody does who has the line and the checkpoint and nothing else."""
    proof = line.evidence
    assert proof is not None
    assert includes(root=root, size=size, index=proof.index, leaf=leaf_hash(proof.leaf), path=proof.path)
    said = canonical.parse(proof.leaf)
    assert isinstance(said, dict)
    subjects = said["subj"]
    assert isinstance(subjects, dict)
    item = Disclosure(proof.position, proof.salt, proof.item, proof.item_path)
    count = subjects["n"]
    assert isinstance(count, int)
    assert item.proves(root=from_base64url(str(subjects["root"])), count=count)
    assert str(client).encode() in proof.item
    assert said["id"] == str(line.id)


async def test_every_line_proves_itself_and_reveals_nobody_else(
    own_engine: AsyncEngine, owner: asyncpg.Connection
) -> None:
    trail, client, others = a_trail(), a_client(), [a_client() for _ in range(40)]
    written = await logged(own_engine, trail, [client], [*others[:7], client, *others[7:]], others, [others[0], client])
    tree = await sequenced(owner)
    later = await logged(own_engine, trail, [client])
    report = a_report(client, tree)
    async with own_engine.connect() as connection:
        accesses = ProvedAccesses(connection, trail)
        newest = await accesses.newest_tree()
        lines = await accesses.page(report, after=None, limit=50)
        second = await accesses.page(report, after=lines[0].id, limit=1)
        one = await accesses.line(report, written[1])
        marks = await accesses.marks(report, [written[0], written[2], later[0]])
        assert list(await accesses.all_marks(report)) == [each.mark for each in reversed(lines)]
        for unknown in (written[2], later[0]):
            with pytest.raises(LineUnknown):
                await accesses.line(report, unknown)
    opened, _ = open_checkpoint(newest.note, [SIGNER.key])
    assert (opened.size, opened.root, newest.size) == (tree.size, tree.root, tree.size)
    assert [each.id for each in lines] == [written[3], written[1], written[0]], "what came later is not as of then"
    assert [each.id for each in second] == [written[1]]
    assert marks == {written[0]: lines[2].mark}
    assert one == lines[1]
    for each in lines:
        check(each, root=opened.root, size=opened.size, client=client)
        assert not any(str(other) in repr(each) for other in others)
        assert len(each.mark) == 32


async def test_the_lines_of_a_stream_are_those_of_the_pages(
    own_engine: AsyncEngine, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail, client = a_trail(), a_client()
    written = await logged(own_engine, trail, *([[client]] * 300))
    tree = await sequenced(owner)
    monkeypatch.setattr(accessreport, "AT_ONCE", 64)
    report = a_report(client, tree)
    pieces = [lines async for lines in every_line(own_engine, trail, report)]
    assert [len(lines) for lines in pieces] == [64, 64, 64, 64, 44]
    streamed = [line for lines in pieces for line in lines]
    assert [line.id for line in streamed] == written
    for line in streamed:
        check(line, root=tree.root, size=tree.size, client=client)
    async with own_engine.connect() as connection:
        page = await ProvedAccesses(connection, trail).page(report, after=None, limit=200)
    assert list(page) == streamed[:-201:-1]


async def test_a_report_begins_where_it_was_asked_to(own_engine: AsyncEngine, owner: asyncpg.Connection) -> None:
    trail, client = a_trail(), a_client()
    [before] = await logged(own_engine, trail, [client])
    since = datetime.fromtimestamp((before.int >> 80) / 1000, UTC) + timedelta(milliseconds=2)
    while datetime.now(UTC) < since:  # noqa: ASYNC110  nothing tells of time that has passed
        await asyncio.sleep(0.001)
    written = await logged(own_engine, trail, [client], [client])
    tree = await sequenced(owner)
    async with own_engine.connect() as connection:
        _, places = await ProvedAccesses(connection, trail).places(a_report(client, tree, since))
    assert places == written


async def test_what_cannot_be_opened_is_a_line_without_a_proof(
    own_engine: AsyncEngine, owner: asyncpg.Connection
) -> None:
    trail, client = a_trail(), a_client()
    [entry] = await logged(own_engine, trail, [client, a_client()])
    tree = await sequenced(owner)
    await owner.execute(UNWATCHED + "alter table audit.disclosure disable trigger no_change")
    await owner.execute("update audit.disclosure set sealed = substring(sealed for 40)")
    async with own_engine.connect() as connection:
        [line] = await ProvedAccesses(connection, trail).page(a_report(client, tree), after=None, limit=5)
    assert (line.id, line.evidence, line.access.saw, line.access.proved) == (entry, None, (), False)


async def test_without_a_signed_tree_there_is_no_report_and_without_a_tile_no_proof(
    own_engine: AsyncEngine, owner: asyncpg.Connection
) -> None:
    trail, client = a_trail(), a_client()
    await logged(own_engine, trail, [client])
    async with own_engine.connect() as connection:
        accesses = ProvedAccesses(connection, trail)
        with pytest.raises(NothingSigned):
            await accesses.newest_tree()
    await logged(own_engine, trail, [client])
    tree = await sequenced(owner)
    async with own_engine.connect() as connection:
        accesses = ProvedAccesses(connection, trail)
        assert (await accesses.tree_at(tree.size)).root == tree.root
        with pytest.raises(NothingSigned):
            await accesses.tree_at(tree.size + 1)
        with pytest.raises(ClientNotInLog):
            await accesses.page(a_report(a_client(), tree), after=None, limit=5)
        await owner.execute(UNWATCHED + "alter table audit.tile disable trigger all")
        await owner.execute("delete from audit.tile")
        with pytest.raises(TileMissing, match="tile/0/000"):
            await accesses.page(a_report(client, tree), after=None, limit=5)


async def always() -> bool:
    return True


@pytest.mark.parametrize("taken", [1, 3])
async def test_the_log_knows_what_left_and_how_far_it_came(
    own_engine: AsyncEngine, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    monkeypatch.setattr("caseload.audit.sending.AT_ONCE", 1)
    trail, client = a_trail(), a_client()
    batcher = Batcher(own_engine, trail)
    await logged(own_engine, trail, [client])
    tree = await sequenced(owner)
    said = Circumstances(route="GET /api/v1/access-reports/{report_id}/file")
    report = a_report(client, tree)
    sending = Sending(
        batcher,
        ReportSent,
        client=client,
        record=report.id,
        written_as=ReportFormat.CSV.value,
        actor=Someone(),
        circumstances=said,
        allowed=always,
    )

    async def pieces() -> AsyncGenerator[bytes, None]:
        for piece in (b"a", b"bc", b"d"):
            yield piece

    stream, got = sending.stream(pieces()), list[bytes]()
    async for piece in stream:
        got.append(piece)
        if len(got) == taken:
            break
    if taken == 3:
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
    await stream.aclose()
    await batcher.close()
    [row] = await owner.fetch("select event, outcome from audit.queue")
    assert tuple(row) == ("access_report.sent", 0 if taken == 3 else 8)
