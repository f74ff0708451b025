"""Entries about the database as a whole, by whoever owns it: what migrates, backs up and restores has no service.

Such an entry seals nothing: what it says stands in its open part. So it needs no key of the key store, and whoever
migrates from a machine without one does not leave entries that nobody else can open.
"""

import os

from sqlalchemy import func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from caseload.audit.keystore import KEY_BYTES, KeyName, StoredKey
from caseload.audit.leaf import Auth, Op, Outcome, Purpose
from caseload.audit.pending import Actor, Circumstances, Pending
from caseload.audit.trail import AuditTrail

_AS_OWNER = select(func.set_config("role", "audit_owner", literal(value=True)))


class SealsNothing:
    """Satisfies `KeyStore` for entries in which nothing is sealed: with keys that are gone with the process."""

    def current(self, name: KeyName) -> StoredKey:
        return self.numbered(name, 1)

    def numbered(self, name: KeyName, number: int) -> StoredKey:  # noqa: ARG002  as the port declares it
        return StoredKey(number, os.urandom(KEY_BYTES))


def trail_of_owner(organisation: str) -> AuditTrail:
    """Makes entries for whoever owns the database."""
    return AuditTrail(SealsNothing(), organisation=organisation)


async def tell(connection: AsyncConnection, trail: AuditTrail, *, event: str, said: str, by: Actor) -> None:
    """Put an entry into the connection's transaction, which acts as `audit_owner` by now.

    `said` is a command with revisions and digests, never free text. Raises `BadLeaf` for anything else.
    """
    about = Circumstances(
        route=said, event=event, op=Op.EXECUTE, purpose=Purpose.ADMINISTRATION, auth=Auth.COMMAND_LINE
    )
    await trail.append(connection, Pending(actor=by, circumstances=about, outcome=Outcome.DONE))


async def leave(owner_url: str, organisation: str, *, event: str, said: str, by: Actor) -> None:
    """Leave one durable entry. Raises what the database raises: then there is none."""
    engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": owner_url}, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(_AS_OWNER)
            await tell(connection, trail_of_owner(organisation), event=event, said=said, by=by)
    finally:
        await engine.dispose()
