"""A tree over what a test has logged: places, tiles and a signed checkpoint, as the sequencer would leave them."""

from datetime import UTC, datetime
from typing import Final

import asyncpg

from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.merkle import leaf_hash
from caseload.audit.tlog.note import LocalSigner, sign_text
from caseload.audit.tlog.tile import Edge

ORIGIN: Final = "log.example/report"
SIGNER: Final = LocalSigner(bytes(range(32)), name=ORIGIN)

_PLACE: Final = """
    insert into audit.entry (idx, entry_id, at, actor, event, outcome, programme, leaf)
    select $1 + row_number() over (order by entry_id) - 1, entry_id, at, actor, event, outcome, programme, leaf
    from audit.queue
"""
_LEAVE: Final = "delete from audit.queue where entry_id in (select entry_id from audit.entry)"
_TILES: Final = """
    insert into audit.tile (level, number, hashes) select * from unnest($1::smallint[], $2::bigint[], $3::bytea[])
    on conflict (level, number) do update set hashes = excluded.hashes
"""
_CHECKPOINT: Final = "insert into audit.checkpoint (size, root, origin, at) values ($1, $2, $3, $4)"
_SIGNATURE: Final = """
    insert into audit.checkpoint_signature (size, key_name, key_id, at, signature) values ($1, $2, $3, $4, $5)
"""


async def sequenced(owner: asyncpg.Connection) -> Checkpoint:
    """Give everything in the queue its place and sign the tree. Once more whenever something was added."""
    async with owner.transaction():
        size = await owner.fetchval("select coalesce(max(idx) + 1, 0) from audit.entry")
        await owner.execute(_PLACE, size)
        await owner.execute(_LEAVE)
        edge = Edge()
        leaves = await owner.fetch("select leaf from audit.entry order by idx")
        tiles = edge.append([leaf_hash(row["leaf"]) for row in leaves])
        names = [name for name, _ in tiles]
        await owner.execute(
            _TILES, [name.level for name in names], [name.number for name in names], [hashes for _, hashes in tiles]
        )
        made = Checkpoint(origin=ORIGIN, size=edge.size, root=edge.root())
        if edge.size > size:
            now = datetime.now(UTC)
            signature = sign_text(made.text(), SIGNER)
            await owner.execute(_CHECKPOINT, made.size, made.root, made.origin, now)
            await owner.execute(_SIGNATURE, made.size, signature.name, signature.key_id, now, signature.value)
        return made
