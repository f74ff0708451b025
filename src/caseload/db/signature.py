"""Signatures in PostgreSQL."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Uuid, any_, bindparam, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.signature import signature
from caseload.domain.access import Role
from caseload.domain.ids import SignatureId, StaffId
from caseload.domain.people import Seal
from caseload.domain.signature import Meaning, Signature, Statement, Subject

_ADD = insert(signature)
_UNDER = (
    select(*signature.c)
    .where(signature.c.subject_id == any_(bindparam("records", type_=ARRAY(Uuid()))))
    .order_by(signature.c.signed_at, signature.c.id)
)


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


async def signatures_under(connection: AsyncConnection, records: Sequence[UUID]) -> Sequence[Signature]:
    """Every signature under these records, as they were made. Whoever asks has been let through to the records."""
    rows = (await connection.execute(_UNDER, {"records": list(records)})).all()
    return [signature_of(row) for row in rows]


def signature_of(row: Row[*tuple[Any, ...]]) -> Signature:
    """The signature in a row."""
    return Signature(
        statement=Statement(
            id=SignatureId(row.id),
            signer=StaffId(row.signer_id),
            printed_name=row.printed_name,
            role=Role(row.role),
            registration=row.registration,
            meaning=Meaning(row.meaning),
            signed_at=row.signed_at,
            methods=tuple(row.methods),
        ),
        subject=Subject(row.subject),
        subject_id=row.subject_id,
        subject_version=row.subject_version,
        format_version=row.format_version,
        signed_bytes=row.signed_bytes,
        digest=row.digest,
        seal=None if row.seal is None else Seal(key=row.seal_key, value=row.seal),
    )


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
        "seal_key": None if made.seal is None else made.seal.key,
        "seal": None if made.seal is None else made.seal.value,
    }
