"""What was signed, as it is stored, and the acts that were signed for: every kind that can be signed stands here."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, Select, SmallInteger, Table, Uuid, any_, bindparam, exists, null, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.departure.departures import decided_named
from caseload.db.dosing.rows import DOSE_COLUMNS, correction_of, dose_of
from caseload.db.medication.holds import decisions_named
from caseload.db.medication.orders import orders_named
from caseload.db.note.rows import notes_named
from caseload.db.signature import signature_of
from caseload.db.stock.counting import counts_named
from caseload.db.stock.waste import wastes_named
from caseload.db.tables.departure import discharge_answer
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.hold import medication_decision
from caseload.db.tables.medication import medication_order, medication_order_signature, medication_order_stop
from caseload.db.tables.note import session_note_signature
from caseload.db.tables.second_look import dose_review
from caseload.db.tables.signature import signature
from caseload.db.tables.stock_acts import stock_count, stock_count_confirmed, stock_waste_settled
from caseload.db.tables.takehome import take_home_decision, take_home_suspension
from caseload.db.tables.window_doses import dose_replacement, dose_spill_witness
from caseload.db.takehome.decisions import suspensions_named, take_homes_named
from caseload.db.window.doses import replacements_named
from caseload.db.window.spills import spills_named
from caseload.domain.ids import OrderId, SignatureId, StaffId
from caseload.domain.medication import Stop
from caseload.domain.signature import Signature, Subject, Version
from caseload.domain.signature.verifying import Failed, SignedAct

Loader = Callable[[AsyncConnection, Sequence[UUID]], Awaitable[Sequence[Version]]]
_WANTED = bindparam("wanted", type_=ARRAY(Uuid()))


def _acts(
    table: Table, record: Column[Any], by: Column[Any] | None, at: Column[Any], version: Column[Any] | None = None
) -> Select[*tuple[Any, ...]]:
    """The acts of a table that were signed for; two of the columns not every table has."""
    return select(
        table.c.signature_id,
        record.label("record"),
        (null().cast(SmallInteger()) if version is None else version).label("version"),
        (null().cast(Uuid()) if by is None else by).label("by"),
        at.label("at"),
    )


_review, _count, _confirmed = dose_review.c, stock_count.c, stock_count_confirmed.c
_answer = discharge_answer.c
ACTS: Final[Mapping[Subject, Sequence[Select[*tuple[Any, ...]]]]] = {
    Subject.ORDER: (
        _acts(
            medication_order_signature,
            medication_order_signature.c.order_id,
            None,
            medication_order_signature.c.signed_at,
        ),
    ),
    Subject.ORDER_STOP: (
        _acts(
            medication_order_stop,
            medication_order_stop.c.order_id,
            medication_order_stop.c.stopped_by,
            medication_order_stop.c.stopped_at,
        ),
    ),
    Subject.DECISION: (
        _acts(
            medication_decision,
            medication_decision.c.id,
            medication_decision.c.decided_by,
            medication_decision.c.decided_at,
        ),
    ),
    Subject.DOSE: (
        _acts(dose_review, _review.dose_id, _review.reviewed_by, _review.reviewed_at, _review.dose_version),
    ),
    Subject.DOSE_CORRECTION: (
        _acts(dose_correction, dose_correction.c.id, dose_correction.c.signed_by, dose_correction.c.signed_at),
    ),
    Subject.DOSE_REPLACEMENT: (
        _acts(dose_replacement, dose_replacement.c.id, dose_replacement.c.decided_by, dose_replacement.c.decided_at),
    ),
    Subject.DOSE_SPILL: (
        _acts(
            dose_spill_witness,
            dose_spill_witness.c.spill_id,
            dose_spill_witness.c.witness_id,
            dose_spill_witness.c.witnessed_at,
        ),
    ),
    Subject.STOCK_WASTE: (
        _acts(
            stock_waste_settled,
            stock_waste_settled.c.waste_id,
            stock_waste_settled.c.settled_by,
            stock_waste_settled.c.settled_at,
        ),
    ),
    Subject.STOCK_COUNT: (
        _acts(stock_count, _count.id, _count.counted_by, _count.counted_at),
        _acts(stock_count_confirmed, _confirmed.count_id, _confirmed.confirmed_by, _confirmed.confirmed_at),
    ),
    Subject.TAKE_HOME_DECISION: (
        _acts(
            take_home_decision,
            take_home_decision.c.id,
            take_home_decision.c.decided_by,
            take_home_decision.c.decided_at,
        ),
    ),
    Subject.TAKE_HOME_SUSPENSION: (
        _acts(
            take_home_suspension,
            take_home_suspension.c.id,
            take_home_suspension.c.suspended_by,
            take_home_suspension.c.suspended_at,
        ),
    ),
    Subject.SESSION_NOTE: (
        _acts(
            session_note_signature,
            session_note_signature.c.note_id,
            session_note_signature.c.signed_by,
            session_note_signature.c.signed_at,
            session_note_signature.c.version,
        ),
    ),
    Subject.DISCHARGE: (_acts(discharge_answer, _answer.asked_id, _answer.answered_by, _answer.answered_at),),
}
"""By kind, the acts that are signed for. Whatever names a signature by a foreign key stands here."""

_SIGNED_FOR = {
    subject: [each.where(each.selected_columns.signature_id == any_(_WANTED)) for each in acts]
    for subject, acts in ACTS.items()
}
_WITHOUT = {
    subject: [
        each.where(
            each.selected_columns.signature_id.is_not(None),
            ~exists().where(signature.c.id == each.selected_columns.signature_id),
        )
        for each in acts
    ]
    for subject, acts in ACTS.items()
}

_AFTER = bindparam("after", type_=Uuid())
_PAGE = (
    select(*signature.c)
    .where(or_(_AFTER.is_(None), signature.c.id > _AFTER))
    .order_by(signature.c.id)
    .limit(bindparam("limit"))
)
_DOSES = select(*DOSE_COLUMNS).where(dose.c.id == any_(_WANTED))
_CORRECTIONS = select(*dose_correction.c).where(dose_correction.c.id == any_(_WANTED))
_STOPS = (
    select(*medication_order_stop.c, medication_order.c.version)
    .join(medication_order, medication_order.c.id == medication_order_stop.c.order_id)
    .where(medication_order_stop.c.order_id == any_(_WANTED))
)


async def _orders(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Version]:
    return [each.as_signed() for each in await orders_named(connection, wanted)]


async def _stops(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Version]:
    rows = (await connection.execute(_STOPS, {"wanted": list(wanted)})).all()
    return [
        Stop(
            order=OrderId(row.order_id),
            reason=row.reason,
            stopped_by=StaffId(row.stopped_by),
            stopped_at=row.stopped_at,
        ).as_signed(row.version)
        for row in rows
    ]


async def _decisions(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Version]:
    return [each.as_signed() for each in await decisions_named(connection, wanted)]


async def _doses(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Version]:
    return [dose_of(row).as_signed() for row in (await connection.execute(_DOSES, {"wanted": list(wanted)})).all()]


async def _corrections(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Version]:
    rows = (await connection.execute(_CORRECTIONS, {"wanted": list(wanted)})).all()
    return [correction_of(row).as_signed() for row in rows]


async def _replacements(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Version]:
    return [each.as_signed() for each in await replacements_named(connection, wanted)]


async def _spills(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Version]:
    return [each.as_signed() for each in await spills_named(connection, wanted)]


async def _wastes(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Version]:
    return [each.as_signed() for each in await wastes_named(connection, wanted)]


async def _counts(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Version]:
    return [each.as_signed() for each in await counts_named(connection, wanted)]


async def _take_homes(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Version]:
    return [each.as_signed() for each in await take_homes_named(connection, wanted)]


async def _suspensions(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Version]:
    return [each.as_signed() for each in await suspensions_named(connection, wanted)]


STORED: Final[Mapping[Subject, Loader]] = {
    Subject.ORDER: _orders,
    Subject.ORDER_STOP: _stops,
    Subject.DECISION: _decisions,
    Subject.DOSE: _doses,
    Subject.DOSE_CORRECTION: _corrections,
    Subject.DOSE_REPLACEMENT: _replacements,
    Subject.DOSE_SPILL: _spills,
    Subject.STOCK_WASTE: _wastes,
    Subject.STOCK_COUNT: _counts,
    Subject.TAKE_HOME_DECISION: _take_homes,
    Subject.TAKE_HOME_SUSPENSION: _suspensions,
    Subject.DISCHARGE: decided_named,
    Subject.SESSION_NOTE: notes_named,
}
"""By kind, the records as they would be signed now."""


class SignedRecords:
    """Satisfies `domain.signature.verifying.SignedRecords`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(self, after: SignatureId | None, limit: int) -> Sequence[Signature]:
        """See `domain.signature.verifying.SignedRecords.page`."""
        rows = (await self._connection.execute(_PAGE, {"after": after, "limit": limit})).all()
        return [signature_of(row) for row in rows]

    async def stored(self, subject: Subject, records: Sequence[UUID]) -> Sequence[Version]:
        """See `domain.signature.verifying.SignedRecords.stored`."""
        return await STORED[subject](self._connection, records)

    async def acts(
        self, subject: Subject, signatures: Sequence[SignatureId]
    ) -> Mapping[SignatureId, Sequence[SignedAct]]:
        """See `domain.signature.verifying.SignedRecords.acts`."""
        found: dict[SignatureId, list[SignedAct]] = defaultdict(list)
        for statement in _SIGNED_FOR[subject]:
            for row in (await self._connection.execute(statement, {"wanted": list(signatures)})).all():
                by = None if row.by is None else StaffId(row.by)
                act = SignedAct(record=row.record, version=row.version, by=by, at=row.at)
                found[SignatureId(row.signature_id)].append(act)
        return found

    async def without_signature(self) -> Sequence[Failed]:
        """See `domain.signature.verifying.SignedRecords.without_signature`."""
        return [
            Failed(
                signature=SignatureId(row.signature_id),
                subject=subject,
                record=row.record,
                version=row.version,
                flaws=("the signature that the act names is not there",),
            )
            for subject, statements in _WITHOUT.items()
            for statement in statements
            for row in (await self._connection.execute(statement)).all()
        ]
