"""The tree as an auditor reads it: checkpoints, tiles, entries and proofs, up to what is signed and no further.

Over the connection of a piece of work, as `audit_reader`. What is handed out are the bytes of C2SP: whoever has them needs nothing of ours to check them.
"""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import BigInteger, SmallInteger, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.audit.accesslog import read_as_reader
from caseload.audit.tables import checkpoint, checkpoint_signature, epoch, log, signing_key, tile
from caseload.audit.tlog import prove
from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.merkle import HASH_BYTES
from caseload.audit.tlog.note import Signature, VerifierKey, write_note
from caseload.audit.tlog.proof import Proof
from caseload.audit.tlog.spelling import base64
from caseload.audit.tlog.tile import TILE_WIDTH, TileName, bundle_of, width_at
from caseload.audit.tree import SigningKey
from caseload.domain.accesslog import NothingSigned, NotInTree
from caseload.domain.ids import EntryId


class TreeReader:
    """Reads the tree up to the newest signed checkpoint there was when it was first asked for."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._newest: Checkpoint | None = None

    async def newest(self) -> Checkpoint:
        """The newest checkpoint that the log has signed. Raises `NothingSigned`."""
        if self._newest is None:
            rows = await read_as_reader(self._connection, _NEWEST)
            if not rows:
                raise NothingSigned
            (row,) = rows
            self._newest = Checkpoint(origin=row.origin, size=row.size, root=row.root)
        return self._newest

    async def note(self) -> bytes:
        """That checkpoint as a signed note, with the cosignatures of witnesses."""
        newest = await self.newest()
        rows = await read_as_reader(self._connection, _SIGNATURES, {"size": newest.size})
        return write_note(newest.text(), [Signature(row.key_name, row.key_id, row.signature) for row in rows])

    async def tile(self, name: TileName) -> bytes:
        """The hashes of a tile, as many as were asked for. Raises `NotInTree` beyond the newest checkpoint."""
        newest = await self.newest()
        level = name.level
        if level is None or name.width > width_at(level, name.number, newest.size):
            raise NotInTree
        return (await self._fetched([name]))(name)[: name.width * HASH_BYTES]

    async def bundle(self, name: TileName) -> bytes:
        """The entries of a bundle. Raises `NotInTree` beyond the newest checkpoint."""
        newest = await self.newest()
        if name.level is not None or name.width > width_at(0, name.number, newest.size):
            raise NotInTree
        first = name.number * TILE_WIDTH
        rows = await read_as_reader(self._connection, _LEAVES, {"first": first, "end": first + name.width})
        if len(rows) != name.width:
            raise NotInTree
        return bundle_of(row.leaf for row in rows)

    async def inclusion(self, entry: EntryId) -> Proof:
        """That an entry is in the tree of the newest checkpoint, which is in the proof. Raises `NotInTree`."""
        rows = await read_as_reader(self._connection, _PLACE, {"entry": entry})
        newest = await self.newest()
        if not rows or rows[0].idx >= newest.size:
            raise NotInTree
        index: int = rows[0].idx
        path = await self.inclusion_path(index, newest.size)
        return Proof(index=index, path=tuple(path), checkpoint=await self.note())

    async def inclusion_path(self, index: int, size: int) -> list[bytes]:
        """The audit path of the leaf at that place, in the tree of that size. Raises `NotInTree`."""
        newest = await self.newest()
        if not 0 <= index < size <= newest.size:
            raise NotInTree
        fetch = await self._fetched(prove.inclusion_tiles(index, size))
        return prove.inclusion(index, size, fetch)

    async def consistency_path(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of `new` entries begins with the tree of `old`. Raises `NotInTree`."""
        newest = await self.newest()
        if not 0 < old <= new <= newest.size:
            raise NotInTree
        return prove.consistency(old, new, await self._fetched(prove.consistency_tiles(old, new)))

    async def origin(self) -> str | None:
        """The name under which the log is signed; None where it has none yet."""
        rows = await read_as_reader(self._connection, _ORIGIN)
        return rows[0].origin if rows else None

    async def keys(self, origin: str) -> list[SigningKey]:
        """The keys that sign, or have signed, under that name, the oldest first."""
        rows = await read_as_reader(self._connection, _KEYS, {"origin": origin})
        return [SigningKey(key=VerifierKey.parse(row.vkey), index=row.idx, at=row.at) for row in rows]

    async def _fetched(self, tiles: Iterable[TileName]) -> prove.Fetch:
        wanted = [(each.level, each.number) for each in tiles]
        given = {"levels": [level for level, _ in wanted], "numbers": [number for _, number in wanted]}
        found = {(row.level, row.number): row.hashes for row in await read_as_reader(self._connection, _TILES, given)}
        if set(wanted) - found.keys():
            raise NotInTree

        def fetch(name: TileName) -> bytes:
            return found[name.level, name.number]

        return fetch


class Newest:
    """The newest signed checkpoint as a header of every answer has it: `SIZE;ROOT`, looked up beside the requests.

    Whoever keeps one and later meets a log that does not contain it has proof. Sixteen characters of the root are 96
    bits of it.
    """

    __slots__ = ("header",)

    PREFIX: Final = 16

    def __init__(self) -> None:
        self.header: bytes | None = None
        """Nothing until the first checkpoint is known."""

    async def look(self, connection: AsyncConnection) -> None:
        """Ask the database once."""
        try:
            newest = await TreeReader(connection).newest()
        except NothingSigned:
            return
        self.header = f"{newest.size};{base64(newest.root)[: self.PREFIX]}".encode()


_SIGNED = select(checkpoint_signature.c.size).where(
    checkpoint_signature.c.size == checkpoint.c.size, checkpoint_signature.c.key_name == checkpoint.c.origin
)
_NEWEST = (
    select(checkpoint.c.origin, checkpoint.c.size, checkpoint.c.root)
    .where(_SIGNED.exists())
    .order_by(checkpoint.c.size.desc())
    .limit(1)
)
_SIGNATURES = (
    select(checkpoint_signature.c.key_name, checkpoint_signature.c.key_id, checkpoint_signature.c.signature)
    .ext(distinct_on(checkpoint_signature.c.key_name, checkpoint_signature.c.key_id))
    .where(checkpoint_signature.c.size == bindparam("size"))
    .order_by(checkpoint_signature.c.key_name, checkpoint_signature.c.key_id, checkpoint_signature.c.at.desc())
)
_LEAVES = select(log.c.leaf).where(log.c.idx >= bindparam("first"), log.c.idx < bindparam("end")).order_by(log.c.idx)
_PLACE = select(log.c.idx).where(log.c.entry_id == bindparam("entry"), log.c.idx.is_not(None))
_WANTED = (
    func.unnest(bindparam("levels", type_=ARRAY(SmallInteger())), bindparam("numbers", type_=ARRAY(BigInteger())))
    .table_valued(column("level", SmallInteger()), column("number", BigInteger()))
    .render_derived(name="wanted")
)
_TILES = select(tile.c.level, tile.c.number, tile.c.hashes).select_from(
    tile.join(_WANTED, (tile.c.level == _WANTED.c.level) & (tile.c.number == _WANTED.c.number))
)
_ORIGIN = select(epoch.c.origin).order_by(epoch.c.number.desc()).limit(1)
_KEYS = (
    select(signing_key.c.vkey, signing_key.c.idx, signing_key.c.at)
    .where(signing_key.c.origin == bindparam("origin"))
    .order_by(signing_key.c.idx.nulls_first(), signing_key.c.at)
)
