"""Signatures in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.signature import signature
from caseload.domain.signature import Signature

_ADD = insert(signature)


class Signatures:
    """Satisfies `domain.signature.Signatures`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, made: Signature) -> None:
        """See `domain.signature.Signatures.add`."""
        await self.add_all([made])

    async def add_all(self, made: Sequence[Signature]) -> None:
        """Keep several signatures in one statement."""
        await self._connection.execute(_ADD, [_row(each) for each in made])


def _row(made: Signature) -> dict[str, Any]:
    statement = made.statement
    return {
        "id": made.id,
        "subject": made.subject,
        "subject_id": made.subject_id,
        "subject_version": made.subject_version,
        "signer_id": statement.signer,
        "printed_name": statement.printed_name,
        "role": statement.role,
        "registration": statement.registration,
        "meaning": statement.meaning,
        "signed_at": statement.signed_at,
        "methods": list(statement.methods),
        "format_version": made.format_version,
        "signed_bytes": made.signed_bytes,
        "digest": made.digest,
    }
