"""The tree as it is stored, for an export: signed heads and tiles, also where somebody has tampered with them.

Nothing is checked here: what is wrong is for the verifier to say.
"""

from collections.abc import AsyncGenerator, Iterable
from typing import Final

import asyncpg

from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.merkle import HASH_BYTES
from caseload.audit.tlog.prove import Fetch
from caseload.audit.tlog.tile import TILE_WIDTH, TileName, width_at
from caseload.audit.tree import signed_note, stored

_TILES_AT_ONCE: Final = 256
_MOST_OLDER: Final = 400
"""Older heads in an export: the last one of each day, for more than a year."""


async def newest_head(connection: asyncpg.Connection) -> Checkpoint | None:
    """The newest head that the log has signed; None where there is none yet."""
    head = await connection.fetchrow(_HEAD)
    return None if head is None else _checkpoint(head)


async def erased_since(connection: asyncpg.Connection, head: Checkpoint) -> bool:
    """Whether a client was erased of whose erasure this head does not tell yet."""
    return await connection.fetchval(_ERASED_SINCE, head.size)


async def older_heads(connection: asyncpg.Connection, size: int) -> dict[int, bytes]:
    """The last signed head of each day before this one, by its size."""
    heads = [_checkpoint(row) for row in await connection.fetch(_OLDER, size, _MOST_OLDER)]
    return {head.size: await signed_note(connection, head) for head in heads}


async def tiles_of(connection: asyncpg.Connection, size: int) -> AsyncGenerator[tuple[TileName, bytes]]:
    """Every hash tile of the tree of that size; the last ones cut to what they were then."""
    level = 0
    while hashes := size >> 8 * level:
        for begin in range(0, -(-hashes // TILE_WIDTH), _TILES_AT_ONCE):
            for row in await connection.fetch(_STORED, level, begin, begin + _TILES_AT_ONCE):
                width = width_at(level, row["number"], size)
                if width:
                    yield TileName(level, row["number"], width), row["hashes"][: width * HASH_BYTES]
        level += 1


async def fetching(connection: asyncpg.Connection, tiles: Iterable[TileName]) -> Fetch:
    """These tiles, loaded at once; one that is gone is all zeroes, and what it was to prove will not hold."""
    found = await stored(connection, tiles)

    def fetch(tile: TileName) -> bytes:
        return found.get((tile.level, tile.number), b"").ljust(HASH_BYTES * tile.width, b"\0")

    return fetch


def _checkpoint(row: asyncpg.Record) -> Checkpoint:
    return Checkpoint(origin=row["origin"], size=row["size"], root=row["root"])


_ERASED_SINCE: Final = """
    select exists (select from audit.log where event = 'client.erased' and (idx is null or idx >= $1))
"""
_HEAD: Final = """
    select size, root, origin from audit.checkpoint
    where exists (select from audit.checkpoint_signature as given
        where given.size = checkpoint.size and given.key_name = checkpoint.origin)
    order by size desc limit 1
"""
_OLDER: Final = """
    select size, root, origin from (
        select distinct on (date_trunc('day', at)) size, root, origin from audit.checkpoint
        where size < $1 and exists (select from audit.checkpoint_signature as given
            where given.size = checkpoint.size and given.key_name = checkpoint.origin)
        order by date_trunc('day', at) desc, size desc limit $2
    ) as last_of_day order by size
"""
_STORED: Final = (
    "select number, hashes from audit.tile where level = $1 and number >= $2 and number < $3 order by number"
)
