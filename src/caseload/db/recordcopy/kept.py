"""Copies of records in PostgreSQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Row, Select, Uuid, and_, any_, bindparam, case, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.recordcopy.reading import RecordReader
from caseload.db.tables.caseload import client
from caseload.db.tables.recordcopy import record_copy, record_copy_decision, record_copy_entry, record_copy_release
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, CopyEntryId, ProgrammeId, RecordCopyId, RightsRequestId, StaffId, new_id
from caseload.domain.journal import Journal
from caseload.domain.people import Staff
from caseload.domain.profiles.rights import WithholdingReason
from caseload.domain.programme import Programme
from caseload.domain.recordcopy import (
    CopyEntry,
    CopyRelease,
    CopyReleased,
    CopyUnknown,
    Counts,
    Decision,
    EntryDecided,
    HandedOver,
    Labels,
    RecordCopy,
    Releasing,
    Section,
)

KIND: Final = "record_copy"
"""What the journal calls it."""

_EVERY = (
    select(
        record_copy.c.id,
        record_copy.c.request_id,
        record_copy.c.client_id,
        client.c.programme_id,
        record_copy.c.prepared_by,
        record_copy.c.prepared_at,
        record_copy.c.labels,
        *(column for column in record_copy_release.c if column.name not in {"copy_id", "request_id"}),
    )
    .join(client, client.c.id == record_copy.c.client_id)
    .outerjoin(record_copy_release, record_copy_release.c.copy_id == record_copy.c.id)
    .where(within_reach())
)
_ONE = _EVERY.where(record_copy.c.id == bindparam("copy", type_=Uuid()))
_OF_REQUEST = _EVERY.where(record_copy.c.request_id == bindparam("request", type_=Uuid())).order_by(
    record_copy.c.id.desc()
)
_ENTRIES = (
    select(
        *record_copy_entry.c,
        record_copy_decision.c.reason,
        record_copy_decision.c.note,
        record_copy_decision.c.decided_by,
        record_copy_decision.c.decided_at,
    )
    .outerjoin(
        record_copy_decision,
        and_(
            record_copy_decision.c.copy_id == record_copy_entry.c.copy_id,
            record_copy_decision.c.entry_id == record_copy_entry.c.id,
        ),
    )
    .where(record_copy_entry.c.copy_id == bindparam("copy", type_=Uuid()))
)
_THESE = _ENTRIES.where(record_copy_entry.c.id == any_(bindparam("wanted", type_=ARRAY(Uuid()))))
_is_undecided = record_copy_decision.c.entry_id.is_(None)
_withheld_for: ColumnElement[Any] = case(
    (_is_undecided, record_copy_entry.c.held_for), else_=record_copy_decision.c.reason
)
_waits = and_(
    _is_undecided,
    record_copy_entry.c.held_for.is_not(None),
    record_copy_entry.c.held_for != WithholdingReason.COUNSELLING_NOTE.value,
)
_PAGE = (
    _ENTRIES.where(record_copy_entry.c.id > bindparam("after", type_=Uuid()))
    .order_by(record_copy_entry.c.id)
    .limit(bindparam("limit"))
)
_WAITING_PAGE = _PAGE.where(_waits)
_LEAVING_PAGE = _PAGE.where(_withheld_for.is_(None))
_COUNTS = (
    _ENTRIES.with_only_columns(
        _waits.label("waits"), _withheld_for.label("reason"), func.count().label("entries"), maintain_column_froms=True
    )
    .group_by(_waits, _withheld_for)
)  # fmt: skip
BEFORE_ALL: Final = CopyEntryId(UUID(int=0))


class KeptCopies:
    """Satisfies `domain.recordcopy.Copies`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def get(self, wanted: RecordCopyId, *, by: Staff) -> RecordCopy:
        """One copy of a client within reach; or `CopyUnknown`."""
        row = (await self._connection.execute(_ONE, {"copy": wanted, **self._reach(by)})).first()
        if row is None:
            raise CopyUnknown
        return self._seen(row)

    async def of(self, request: RightsRequestId, *, by: Staff) -> Sequence[RecordCopy]:
        """The copies that were prepared for a request, the last first."""
        rows = await self._connection.execute(_OF_REQUEST, {"request": request, **self._reach(by)})
        return [self._seen(row) for row in rows]

    async def prepare(self, copy: RecordCopy, programme: Programme) -> int:
        """See `domain.recordcopy.Copies.prepare`."""
        await self._connection.execute(
            insert(record_copy).values(
                id=copy.id,
                request_id=copy.request,
                kind=KIND,
                client_id=copy.client,
                prepared_by=copy.prepared_by,
                prepared_at=copy.prepared_at,
                labels=None if copy.labels is None else copy.labels.said(),
            )
        )
        self._journal.saw(copy.client, KIND)
        kept = 0
        reader = RecordReader(self._connection, copy.client, copy.prepared_at)
        async for some in reader.entries(programme.zone):
            rows = [{"id": new_id(), "copy_id": copy.id, **each} for each in some]
            await self._connection.execute(insert(record_copy_entry), rows)
            kept += len(rows)
        return kept

    async def entries(self, copy: RecordCopyId, wanted: Collection[CopyEntryId]) -> Sequence[CopyEntry]:
        """See `domain.recordcopy.Copies.entries`."""
        rows = await self._connection.execute(_THESE, {"copy": copy, "wanted": list(wanted)})
        return [_entry(row) for row in rows]

    async def page(
        self, copy: RecordCopyId, *, after: CopyEntryId | None, limit: int, waiting: bool = False
    ) -> Sequence[CopyEntry]:
        """Entries in the order of the copy; of those that wait for a decision, if so asked."""
        return await self._read(_WAITING_PAGE if waiting else _PAGE, copy, after, limit)

    async def leaving(self, copy: RecordCopyId, *, after: CopyEntryId | None, limit: int) -> Sequence[CopyEntry]:
        """Entries that leave, in the order of the copy."""
        return await self._read(_LEAVING_PAGE, copy, after, limit)

    async def counts(self, copy: RecordCopyId) -> Counts:
        """See `domain.recordcopy.Copies.counts`."""
        entries = waiting = 0
        withheld: dict[WithholdingReason, int] = {}
        for row in await self._connection.execute(_COUNTS, {"copy": copy}):
            entries += row.entries
            if row.waits:
                waiting += row.entries
            elif row.reason is not None:
                withheld[WithholdingReason(row.reason)] = row.entries
        return Counts(entries=entries, waiting=waiting, withheld=dict(sorted(withheld.items())))

    async def later(self, copy: RecordCopy) -> int:
        """See `domain.recordcopy.Copies.later`."""
        return await RecordReader(self._connection, copy.client, copy.prepared_at).later()

    async def decide(self, copy: RecordCopyId, entries: Sequence[CopyEntryId], decision: Decision) -> None:
        """See `domain.recordcopy.Copies.decide`."""
        given = {
            "copy_id": copy,
            "leaves": decision.reason is None,
            "reason": decision.reason,
            "note": decision.note,
            "decided_by": decision.by,
            "decided_at": decision.at,
        }
        try:
            await self._connection.execute(
                insert(record_copy_decision), [{"entry_id": each, **given} for each in entries]
            )
        except IntegrityError as twice:
            raise EntryDecided from twice

    async def release(self, copy: RecordCopy, release: CopyRelease) -> None:
        """See `domain.recordcopy.Copies.release`."""
        try:
            await self._connection.execute(
                insert(record_copy_release).values(
                    copy_id=copy.id,
                    request_id=copy.request,
                    to_representative=release.how.to_representative,
                    manner=release.how.manner,
                    detail=release.how.detail,
                    entries=release.entries,
                    withheld=release.withheld,
                    unsaid=release.unsaid,
                    later=release.later,
                    sha256=release.sha256,
                    released_by=release.by,
                    released_at=release.at,
                    address=release.address,
                )
            )
        except IntegrityError as twice:
            raise CopyReleased from twice

    async def _read(
        self, page: Select[*tuple[Any, ...]], copy: RecordCopyId, after: CopyEntryId | None, limit: int
    ) -> Sequence[CopyEntry]:
        given = {"copy": copy, "after": after or BEFORE_ALL, "limit": limit}
        return [_entry(row) for row in await self._connection.execute(page, given)]

    def _reach(self, by: Staff) -> dict[str, object]:
        return reach_of(by.reach(Act.ANSWER_RIGHTS_REQUEST), at=self._now, by_identifier=True)

    def _seen(self, row: Row[*tuple[Any, ...]]) -> RecordCopy:
        self._journal.saw(ClientId(row.client_id), KIND)
        return _copy(row)


def _copy(row: Row[*tuple[Any, ...]]) -> RecordCopy:
    release = None
    if row.released_at is not None:
        release = CopyRelease(
            how=Releasing(to_representative=row.to_representative, manner=HandedOver(row.manner), detail=row.detail),
            entries=row.entries,
            withheld=row.withheld,
            unsaid=row.unsaid,
            later=row.later,
            sha256=row.sha256,
            by=StaffId(row.released_by),
            at=row.released_at,
            address=row.address,
        )
    return RecordCopy(
        id=RecordCopyId(row.id),
        request=RightsRequestId(row.request_id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        prepared_by=StaffId(row.prepared_by),
        prepared_at=row.prepared_at,
        labels=None if row.labels is None else msgspec.convert(row.labels, Labels),
        release=release,
    )


def _entry(row: Row[*tuple[Any, ...]]) -> CopyEntry:
    decision = None
    if row.decided_at is not None:
        decision = Decision(
            reason=None if row.reason is None else WithholdingReason(row.reason),
            note=row.note,
            by=StaffId(row.decided_by),
            at=row.decided_at,
        )
    return CopyEntry(
        id=CopyEntryId(row.id),
        section=Section(row.section),
        kind=row.kind,
        told_at=row.told_at,
        held_for=None if row.held_for is None else WithholdingReason(row.held_for),
        content=row.content,
        decision=decision,
    )
