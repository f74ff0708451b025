"""The tree of the log as the database keeps it: tiles, checkpoints, the log's names and its signing keys.

`load` gives what is needed to go on adding, `Tree.add` puts a batch of the queue behind it in one transaction. All of
it runs over one asyncpg connection as a member of `audit_sequencer`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import msgspec
import structlog

from caseload.audit.leaf import Leaf, decode
from caseload.audit.tlog import prove
from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.merkle import EMPTY_ROOT, leaf_hash
from caseload.audit.tlog.note import Signature, VerifierKey, write_note
from caseload.audit.tlog.prove import Fetch
from caseload.audit.tlog.rotation import Handover
from caseload.audit.tlog.spelling import Malformed
from caseload.audit.tlog.tile import TILE_HEIGHT, TILE_WIDTH, Edge, TileName, hashes_in, width_at
from caseload.settings import OperatorError

ROTATION: Final = "key.rotate"

_log = structlog.get_logger()


class LogDamaged(OperatorError):
    """What the database holds is not the tree that was there before. Nothing is added to it."""


class NotTheSameQueue(Exception):
    """Somebody else has moved entries of the batch meanwhile: a second sequencer, which cannot be if locks hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One name of the log."""

    number: int
    origin: str
    begins: int
    """The size of the tree from which on it is signed under this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A public key that signs, or has signed, for the log under one of its names."""

    key: VerifierKey
    index: int | None
    """The entry by which the key before handed over; None for the first key of a name."""
    at: datetime


def in_force(keys: Sequence[SigningKey], *, now: datetime, overlap: timedelta) -> list[VerifierKey]:
    """The keys that sign at this moment: the newest, and those whose successor is younger than the overlap."""
    successors = [*keys[1:], None]
    return [each.key for each, after in zip(keys, successors, strict=True) if after is None or now < after.at + overlap]


class Tree:
    """The tree up to its last committed entry, in memory. After any trouble it is dropped and loaded again."""

    def __init__(self, epoch: Epoch, keys: Sequence[SigningKey], edge: Edge, root: bytes) -> None:
        self.epoch = epoch
        self.keys = list(keys)
        self.root = root
        self._edge = edge

    @property
    def size(self) -> int:
        """How many entries have their place."""
        return self._edge.size

    def checkpoint(self) -> Checkpoint:
        """The tree as it is now."""
        return Checkpoint(origin=self.epoch.origin, size=self.size, root=self.root)

    async def add(self, connection: asyncpg.Connection, *, limit: int, now: datetime) -> int:
        """Give the oldest committed entries of the queue their places, in one transaction; return how many.

        The places follow from what is committed and visible here and from nothing that was known when the entries
        were made: a transaction that was slow comes after those that were quicker, and nothing is passed over. Entries
        that are visible together stand in the order of their identifiers. When this raises, nobody knows whether the
        transaction committed: load the tree again.
        """
        queued = await connection.fetch(_OLDEST, limit)
        if not queued:
            return 0
        first = self.size
        tiles = self._edge.append([leaf_hash(row["leaf"]) for row in queued])
        root = self._edge.root()
        new_keys = self._handed_over(first, queued, now)
        entries = [row["entry_id"] for row in queued]
        async with connection.transaction():
            # What has a place has been shown to witnesses: the commit has to be on disk, and on a standby if there is.
            await connection.execute(_DURABLY)
            if await connection.fetchval(_SIZE) != first:
                raise NotTheSameQueue
            if await connection.execute(_PLACE, first, entries) != f"INSERT 0 {len(entries)}":
                raise NotTheSameQueue
            await connection.execute(_KEEP_TILES, *_columns(tiles))
            await connection.execute(_KEEP_CHECKPOINT, self.size, root, self.epoch.origin, now)
            for key in new_keys:
                await connection.execute(_KEEP_KEY, str(key.key), key.key.name, key.index, now)
            if await connection.execute(_LEAVE_QUEUE, entries) != f"DELETE {len(entries)}":
                raise NotTheSameQueue
        self.root = root
        self.keys += new_keys
        return len(entries)

    def _handed_over(self, first: int, queued: Sequence[asyncpg.Record], now: datetime) -> list[SigningKey]:
        """The new keys that entries of this batch bring. What only claims to be a rotation changes nothing."""
        found: list[SigningKey] = []
        for place, row in enumerate(queued, start=first):
            if row["event"] != ROTATION:
                continue
            handover = _handover_in(row["leaf"])
            known = [each.key for each in (*self.keys, *found)]
            # No key comes back: whoever follows the entries from key to key must not go round in a circle.
            if handover and handover.old == known[-1] and handover.new not in known and handover.is_good():
                found.append(SigningKey(key=handover.new, index=place, at=now))
                _log.info("log key handed over", index=place, key_id=handover.new.key_id.hex())
            else:
                _log.error("entry claims a rotation that the key in force has not signed", index=place)
        return found


async def load(connection: asyncpg.Connection) -> Tree | None:
    """The tree in the database, checked against its last checkpoint; None where none was ever begun.

    Raises `LogDamaged` when tiles, entries and checkpoint do not belong together.
    """
    epoch = await connection.fetchrow(_EPOCH)
    if epoch is None:
        return None
    head = await connection.fetchrow(_HEAD)
    size, root = (head["size"], head["root"]) if head else (0, EMPTY_ROOT)
    entries = await connection.fetchval(_SIZE)
    if entries != size:
        raise LogDamaged(f"The log has {entries} entries in their places and its last checkpoint says {size}.")
    edge = await _edge(connection, size)
    if edge.root() != root:
        raise LogDamaged(f"The tiles of the log do not lead to the root of its last checkpoint, of size {size}.")
    keys = await connection.fetch(_KEYS, epoch["origin"])
    return Tree(
        Epoch(number=epoch["number"], origin=epoch["origin"], begins=epoch["begins"]),
        [SigningKey(key=VerifierKey.parse(row["vkey"]), index=row["idx"], at=row["at"]) for row in keys],
        edge,
        root,
    )


async def begin(
    connection: asyncpg.Connection, *, origin: str, key: VerifierKey, number: int = 1, size: int = 0, now: datetime
) -> None:
    """Give the log a name, with the first key that signs under it. Once per installation, and after a restore."""
    async with connection.transaction():
        await connection.execute(_DURABLY)
        await connection.execute(_KEEP_EPOCH, number, origin, size, now)
        await connection.execute(_KEEP_KEY, str(key), origin, None, now)


async def stored(connection: asyncpg.Connection, tiles: Iterable[TileName]) -> dict[tuple[int | None, int], bytes]:
    """The hashes of those of these tiles that are there, by level and number, loaded in one go."""
    wanted = [(tile.level, tile.number) for tile in tiles]
    rows = await connection.fetch(_TILES, [level for level, _ in wanted], [number for _, number in wanted])
    return {(row["level"], row["number"]): row["hashes"] for row in rows}


async def fetched(connection: asyncpg.Connection, tiles: Iterable[TileName]) -> Fetch:
    """These tiles, loaded in one go, for `tlog.prove`. Raises `LogDamaged` when one is not there."""
    wanted = list(tiles)
    found = await stored(connection, wanted)
    missing = {(tile.level, tile.number) for tile in wanted} - found.keys()
    if missing:
        raise LogDamaged(f"A tile of the log is missing: level {min(missing)[0]}, number {min(missing)[1]}.")

    def fetch(tile: TileName) -> bytes:
        return found[tile.level, tile.number]

    return fetch


async def root_at(connection: asyncpg.Connection, tree: Tree, size: int) -> bytes:
    """The root that the tree had at a smaller size, or has now."""
    if size == tree.size:
        return tree.root
    tiles = prove.tiles_for([(0, size)], tree.size)
    return prove.tree_root(size, await fetched(connection, tiles))


async def is_signed(connection: asyncpg.Connection, size: int, key: VerifierKey) -> bool:
    """Whether that key has signed the checkpoint of this size."""
    return await connection.fetchval(_IS_SIGNED, size, key.name, key.key_id)


async def keep_signatures(
    connection: asyncpg.Connection, size: int, signatures: Iterable[Signature], *, at: datetime
) -> None:
    """Keep signatures under the checkpoint of this size. A log's key signs the same bytes again: kept once."""
    for signature in signatures:
        await connection.execute(_KEEP_SIGNATURE, size, signature.name, signature.key_id, at, signature.value)


async def signed_note(connection: asyncpg.Connection, checkpoint: Checkpoint) -> bytes:
    """The checkpoint as a note, with every signature there is under it; of a witness that signed again, the last."""
    rows = await connection.fetch(_SIGNATURES, checkpoint.size)
    return write_note(checkpoint.text(), [Signature(row["key_name"], row["key_id"], row["signature"]) for row in rows])


async def _edge(connection: asyncpg.Connection, size: int) -> Edge:
    names: list[TileName] = []
    while size >> TILE_HEIGHT * len(names):
        level = len(names)
        number = (size >> TILE_HEIGHT * level) // TILE_WIDTH
        names.append(TileName(level, number, width_at(level, number, size)))
    fetch = await fetched(connection, [name for name in names if name.width])
    try:
        return Edge.of(size, [hashes_in(fetch(name), width=name.width) if name.width else [] for name in names])
    except Malformed as problem:
        raise LogDamaged(f"The edge of the tree of {size} entries is not whole: {problem}") from problem


def _handover_in(leaf: bytes) -> Handover | None:
    try:
        said: Leaf = decode(leaf)
        return None if said.key is None else Handover.parse(said.key.old, said.key.new, said.key.sig)
    except (msgspec.DecodeError, Malformed):
        return None


def _columns(tiles: Sequence[tuple[TileName, bytes]]) -> tuple[list[int | None], list[int], list[bytes]]:
    return [name.level for name, _ in tiles], [name.number for name, _ in tiles], [data for _, data in tiles]


_OLDEST: Final = "select entry_id, event, leaf from audit.queue order by entry_id limit $1"
_DURABLY: Final = """
    select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') in ('off', 'local')
"""
_SIZE: Final = "select coalesce(max(idx) + 1, 0) from audit.entry"
_PLACE: Final = """
    insert into audit.entry (idx, entry_id, at, actor, event, outcome, programme, leaf)
    select $1 + placed.place - 1, queued.entry_id, queued.at, queued.actor, queued.event, queued.outcome,
        queued.programme, queued.leaf
    from unnest($2::uuid[]) with ordinality as placed (entry_id, place)
    cross join lateral (select entry_id, at, actor, event, outcome, programme, leaf from audit.queue where queue.entry_id = placed.entry_id offset 0) as queued
"""
"""Each entry is looked up by itself: a queue that is empty now and then always looks small enough to be read whole,
and is not, because what has left it stays in its pages until they are cleared."""
_KEEP_TILES: Final = """
    insert into audit.tile (level, number, hashes) select * from unnest($1::smallint[], $2::bigint[], $3::bytea[])
    on conflict (level, number) do update set hashes = excluded.hashes
"""
_KEEP_CHECKPOINT: Final = "insert into audit.checkpoint (size, root, origin, at) values ($1, $2, $3, $4)"
_KEEP_EPOCH: Final = "insert into audit.epoch (number, origin, begins, at) values ($1, $2, $3, $4)"
_KEEP_KEY: Final = "insert into audit.signing_key (vkey, origin, idx, at) values ($1, $2, $3, $4)"
_LEAVE_QUEUE: Final = "delete from audit.queue where entry_id = any($1::uuid[])"
_EPOCH: Final = "select number, origin, begins from audit.epoch order by number desc limit 1"
_HEAD: Final = "select size, root from audit.checkpoint order by size desc limit 1"
_KEYS: Final = "select vkey, idx, at from audit.signing_key where origin = $1 order by idx nulls first, at"
_TILES: Final = """
    select level, number, hashes from audit.tile
    join unnest($1::smallint[], $2::bigint[]) as wanted (level, number) using (level, number)
"""
_IS_SIGNED: Final = """
    select exists (select from audit.checkpoint_signature where size = $1 and key_name = $2 and key_id = $3)
"""
_KEEP_SIGNATURE: Final = """
    insert into audit.checkpoint_signature (size, key_name, key_id, at, signature)
    select $1, $2, $3, $4, $5 where not exists (
        select from audit.checkpoint_signature where size = $1 and key_name = $2 and key_id = $3 and signature = $5
    )
"""
_SIGNATURES: Final = """
    select distinct on (key_name, key_id) key_name, key_id, signature from audit.checkpoint_signature
    where size = $1 order by key_name, key_id, at desc
"""
