"""What was lost of doses in PostgreSQL, and what clinicians decided about it."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Date, Row, Uuid, any_, bindparam, exists, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.dosing import Charts
from caseload.db.dosing.known import KIND
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.stock import stock_keeping
from caseload.db.tables.window_doses import dose_replacement, dose_spill, dose_spill_witness, dose_vomited
from caseload.domain.access import Act
from caseload.domain.ids import (
    ClientId,
    DoseId,
    HoldId,
    OrderId,
    ProgrammeId,
    ReplacementId,
    SpillId,
    StaffId,
    VomitId,
    WasteId,
)
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.people import Staff
from caseload.domain.signature import Signature
from caseload.domain.window import (
    AlreadyVomited,
    Loss,
    LossUnknown,
    Replacement,
    Spilled,
    SpillUnknown,
    SpillWitnessed,
    Verdict,
    Vomited,
)

_DOSE = bindparam("dose", type_=Uuid())
_replaces = dose_replacement.alias("decided")
_VOMITED = select(
    dose_vomited.c.id,
    dose_vomited.c.dose_id,
    dose_vomited.c.dose_version,
    dose_vomited.c.client_id,
    dose_vomited.c.programme_id,
    dose_vomited.c.dosing_day,
    dose_vomited.c.part,
    dose_vomited.c.minutes_after,
    dose_vomited.c.witnessed,
    dose_vomited.c.note,
    dose_vomited.c.recorded_by,
    dose_vomited.c.recorded_at,
)
VOMITED_OF: Final = _VOMITED.where(dose_vomited.c.dose_id == _DOSE)
UNDECIDED: Final = (
    _VOMITED.join(client, client.c.id == dose_vomited.c.client_id)
    .where(
        dose_vomited.c.programme_id == bindparam("programme"),
        dose_vomited.c.recorded_at >= bindparam("since", type_=INSTANT),
        ~exists().where(_replaces.c.dose_id == dose_vomited.c.dose_id),
        within_reach(),
    )
    .order_by(dose_vomited.c.recorded_at, dose_vomited.c.id)
)
SPILLED_OF: Final = select(func.coalesce(func.sum(dose_spill.c.amount_mg), 0)).where(dose_spill.c.dose_id == _DOSE)
_REPLACEMENT = select(
    dose_replacement.c.id,
    dose_replacement.c.dose_id,
    dose_replacement.c.dose_version,
    dose_replacement.c.client_id,
    dose_replacement.c.programme_id,
    dose_replacement.c.dosing_day,
    dose_replacement.c.part,
    dose_replacement.c.verdict,
    dose_replacement.c.at_most_mg,
    dose_replacement.c.reason,
    dose_replacement.c.asked,
    dose_replacement.c.decided_by,
    dose_replacement.c.decided_at,
    dose_replacement.c.profile,
    dose_replacement.c.profile_version,
)
REPLACEMENTS_OF: Final = _REPLACEMENT.where(dose_replacement.c.dose_id == _DOSE).order_by(dose_replacement.c.id.desc())
_ONE_REPLACEMENT = _REPLACEMENT.join(client, client.c.id == dose_replacement.c.client_id).where(
    dose_replacement.c.id == bindparam("replacement"), within_reach()
)
REPLACED_BY: Final = (
    select(dose.c.id)
    .select_from(dose.join(dose_replacement, dose_replacement.c.id == dose.c.replacement_id))
    .where(
        dose_replacement.c.dose_id == _DOSE,
        dose.c.replacement_id.is_not(None),
        dose.c.version == 1,
        ~exists().where(dose_correction.c.dose_id == dose.c.id),
    )
)
_SPILL = select(
    dose_spill.c.id,
    dose_spill.c.client_id,
    dose_spill.c.programme_id,
    dose_spill.c.order_id,
    dose_spill.c.dosing_day,
    dose_spill.c.part,
    dose_spill.c.medicine,
    dose_spill.c.form,
    dose_spill.c.amount_mg,
    dose_spill.c.happened_at,
    dose_spill.c.reason,
    dose_spill.c.recorded_by,
    dose_spill.c.recorded_at,
    dose_spill.c.dose_id,
    dose_spill.c.dose_version,
    dose_spill.c.waste_id,
    dose_spill.c.hold_id,
    dose_spill_witness.c.witness_id,
    dose_spill_witness.c.witnessed_at,
).select_from(dose_spill.outerjoin(dose_spill_witness, dose_spill_witness.c.spill_id == dose_spill.c.id))
_ONE_SPILL = _SPILL.join(client, client.c.id == dose_spill.c.client_id).where(
    dose_spill.c.id == bindparam("spill"), within_reach()
)
_WANTED = bindparam("wanted", type_=ARRAY(Uuid()))
_REPLACEMENTS_NAMED = _REPLACEMENT.where(dose_replacement.c.id == any_(_WANTED))
_SPILLS_NAMED = _SPILL.where(dose_spill.c.id == any_(_WANTED))
_KEEPS = select(
    exists().where(
        stock_keeping.c.programme_id == bindparam("programme"),
        stock_keeping.c.from_on <= bindparam("day", type_=Date()),
    )
)
_ADD_VOMITED, _ADD_SPILL = insert(dose_vomited), insert(dose_spill)
_ADD_REPLACEMENT, _ADD_WITNESS = insert(dose_replacement), insert(dose_spill_witness)


class LostDoses(Charts):
    """Satisfies `domain.window.VomitedDoses`, `Replacements` and `Spills`."""

    async def add_vomited(self, vomited: Vomited) -> None:
        """See `domain.window.VomitedDoses.add_vomited`."""
        try:
            await self._connection.execute(
                _ADD_VOMITED,
                {
                    "id": vomited.id,
                    "dose_id": vomited.dose,
                    "dose_version": vomited.dose_version,
                    "client_id": vomited.client,
                    "programme_id": vomited.programme,
                    "dosing_day": vomited.dosing_day,
                    "part": vomited.part,
                    "minutes_after": vomited.minutes_after,
                    "witnessed": vomited.witnessed,
                    "note": vomited.note,
                    "recorded_by": vomited.recorded_by,
                    "recorded_at": vomited.recorded_at,
                },
            )
        except IntegrityError as twice:
            raise AlreadyVomited("Read the client's medication chart.", dose=str(vomited.dose)) from twice

    async def vomited(self, wanted: DoseId, *, by: Staff, act: Act) -> Vomited:
        """What is recorded of a dose that came back; raises `DoseUnknown` outside the reach, `LossUnknown`."""
        await self.dose(wanted, by=by, act=act)
        row = (await self._connection.execute(VOMITED_OF, {"dose": wanted})).first()
        if row is None:
            raise LossUnknown("Read the client's medication chart.")
        return _vomited(row)

    async def undecided(self, programme: ProgrammeId, *, since: datetime, by: Staff, act: Act) -> Sequence[Vomited]:
        """The doses that came back since then, of which nobody has decided whether they are replaced; oldest first."""
        given = {"programme": programme, "since": since, **reach_of(by.reach(act), at=self._now)}
        found = [_vomited(row) for row in (await self._connection.execute(UNDECIDED, given)).all()]
        for each in found:
            self._journal.saw(each.client, KIND)
        return found

    async def loss_of(self, wanted: DoseId) -> Loss:
        """See `domain.window.Replacements.loss_of`."""
        given = {"dose": wanted}
        vomited = (await self._connection.execute(VOMITED_OF, given)).first()
        spilled: Decimal = (await self._connection.execute(SPILLED_OF, given)).scalar_one()
        decision = (await self._connection.execute(REPLACEMENTS_OF, given)).first()
        replaced_by = (await self._connection.execute(REPLACED_BY, given)).scalar_one_or_none()
        return Loss(
            minutes_after=vomited.minutes_after if vomited is not None else None,
            witnessed=vomited is not None and vomited.witnessed,
            spilled_mg=spilled,
            decision=_replacement(decision) if decision is not None else None,
            replaced_by=DoseId(replaced_by) if replaced_by is not None else None,
        )

    async def add_replacement(self, decision: Replacement, signature: Signature) -> None:
        """See `domain.window.Replacements.add_replacement`."""
        await self.add(signature)
        await self._connection.execute(
            _ADD_REPLACEMENT,
            {
                "id": decision.id,
                "dose_id": decision.dose,
                "dose_version": decision.dose_version,
                "client_id": decision.client,
                "programme_id": decision.programme,
                "dosing_day": decision.dosing_day,
                "part": decision.part,
                "verdict": decision.verdict,
                "at_most_mg": decision.at_most_mg,
                "reason": decision.reason,
                "asked": list(decision.asked),
                "decided_by": decision.decided_by,
                "decided_at": decision.decided_at,
                "profile": decision.profile,
                "profile_version": decision.profile_version,
                "signature_id": signature.id,
            },
        )

    async def replacement(self, wanted: ReplacementId, *, by: Staff, act: Act) -> Replacement:
        """One decision; raises `LossUnknown` outside the person's reach."""
        given = {"replacement": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(_ONE_REPLACEMENT, given)).first()
        if row is None:
            raise LossUnknown("Read the client's medication chart.")
        self._journal.saw(ClientId(row.client_id), KIND)
        return _replacement(row)

    async def keeps_stock(self, programme: ProgrammeId, day: date) -> bool:
        """See `domain.window.Spills.keeps_stock`."""
        return bool((await self._connection.execute(_KEEPS, {"programme": programme, "day": day})).scalar_one())

    async def add_spill(self, spilled: Spilled) -> None:
        """See `domain.window.Spills.add_spill`."""
        await self._connection.execute(
            _ADD_SPILL,
            {
                "id": spilled.id,
                "client_id": spilled.client,
                "programme_id": spilled.programme,
                "order_id": spilled.order,
                "dosing_day": spilled.dosing_day,
                "part": spilled.part,
                "medicine": spilled.medicine,
                "form": spilled.form,
                "amount_mg": spilled.amount_mg,
                "happened_at": spilled.happened_at,
                "reason": spilled.reason,
                "dose_id": spilled.dose,
                "dose_version": spilled.dose_version,
                "waste_id": spilled.waste,
                "hold_id": spilled.hold,
                "recorded_by": spilled.recorded_by,
                "recorded_at": spilled.recorded_at,
            },
        )

    async def spill(self, wanted: SpillId, *, by: Staff, act: Act) -> Spilled:
        """See `domain.window.Spills.spill`."""
        given = {"spill": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(_ONE_SPILL, given)).first()
        if row is None:
            raise SpillUnknown("Read the client's medication chart.")
        self._journal.saw(ClientId(row.client_id), KIND)
        return _spilled(row)

    async def add_spill_witness(self, spilled: Spilled, signature: Signature) -> None:
        """See `domain.window.Spills.add_spill_witness`."""
        await self.add(signature)
        try:
            await self._connection.execute(
                _ADD_WITNESS,
                {
                    "spill_id": spilled.id,
                    "handled_by": spilled.recorded_by,
                    "witness_id": signature.statement.signer,
                    "witnessed_at": signature.statement.signed_at,
                    "signature_id": signature.id,
                },
            )
        except IntegrityError as raced:
            raise SpillWitnessed("Read the spill again.") from raced


async def replacements_named(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Replacement]:
    """These decisions, whoever asks: for verifying what was signed."""
    rows = (await connection.execute(_REPLACEMENTS_NAMED, {"wanted": list(wanted)})).all()
    return [_replacement(row) for row in rows]


async def spills_named(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Spilled]:
    """These spills, whoever asks: for verifying what was signed."""
    rows = (await connection.execute(_SPILLS_NAMED, {"wanted": list(wanted)})).all()
    return [_spilled(row) for row in rows]


def _vomited(row: Row[*tuple[Any, ...]]) -> Vomited:
    return Vomited(
        id=VomitId(row.id),
        dose=DoseId(row.dose_id),
        dose_version=row.dose_version,
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        dosing_day=row.dosing_day,
        part=DosePart(row.part),
        minutes_after=row.minutes_after,
        witnessed=row.witnessed,
        note=row.note,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
    )


def _replacement(row: Row[*tuple[Any, ...]]) -> Replacement:
    return Replacement(
        id=ReplacementId(row.id),
        dose=DoseId(row.dose_id),
        dose_version=row.dose_version,
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        dosing_day=row.dosing_day,
        part=DosePart(row.part),
        verdict=Verdict(row.verdict),
        at_most_mg=row.at_most_mg,
        reason=row.reason,
        asked=tuple(row.asked),
        decided_by=StaffId(row.decided_by),
        decided_at=row.decided_at,
        profile=row.profile,
        profile_version=row.profile_version,
    )


def _spilled(row: Row[*tuple[Any, ...]]) -> Spilled:
    return Spilled(
        id=SpillId(row.id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        order=OrderId(row.order_id),
        dosing_day=row.dosing_day,
        part=DosePart(row.part),
        medicine=Medicine(row.medicine),
        form=Form(row.form),
        amount_mg=row.amount_mg,
        happened_at=row.happened_at,
        reason=row.reason,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        dose=DoseId(row.dose_id) if row.dose_id is not None else None,
        dose_version=row.dose_version,
        waste=WasteId(row.waste_id) if row.waste_id is not None else None,
        hold=HoldId(row.hold_id) if row.hold_id is not None else None,
        witness=StaffId(row.witness_id) if row.witness_id is not None else None,
        witnessed_at=row.witnessed_at,
    )
