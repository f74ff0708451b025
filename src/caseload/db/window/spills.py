"""What was spilled of doses, and who saw it, in PostgreSQL."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Date, Row, Uuid, any_, bindparam, exists, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.dosing import Charts
from caseload.db.dosing.known import KIND
from caseload.db.tables.caseload import client
from caseload.db.tables.stock import stock_keeping
from caseload.db.tables.window_doses import dose_spill, dose_spill_witness
from caseload.domain.access import Act
from caseload.domain.ids import (
    ClientId,
    DoseId,
    HoldId,
    OrderId,
    ProgrammeId,
    SpillId,
    StaffId,
    WasteId,
)
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.people import Staff
from caseload.domain.signature import Signature
from caseload.domain.window import (
    Spilled,
    SpillUnknown,
    SpillWitnessed,
)

SPILLED_OF: Final = select(func.coalesce(func.sum(dose_spill.c.amount_mg), 0)).where(
    dose_spill.c.dose_id == bindparam("dose", type_=Uuid())
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

SPILLS_OF_DAY: Final = _SPILL.where(
    dose_spill.c.client_id == bindparam("client"), dose_spill.c.dosing_day == bindparam("day", type_=Date())
)
_SPILLS_NAMED = _SPILL.where(dose_spill.c.id == any_(bindparam("wanted", type_=ARRAY(Uuid()))))
_KEEPS = select(
    exists().where(
        stock_keeping.c.programme_id == bindparam("programme"),
        stock_keeping.c.from_on <= bindparam("day", type_=Date()),
    )
)
_ADD_SPILL, _ADD_WITNESS = insert(dose_spill), insert(dose_spill_witness)


class Spills(Charts):
    """Satisfies `domain.window.Spills`."""

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
        return spilled_of(row)

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


async def spills_named(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Spilled]:
    """These spills, whoever asks: for verifying what was signed."""
    rows = (await connection.execute(_SPILLS_NAMED, {"wanted": list(wanted)})).all()
    return [spilled_of(row) for row in rows]


def spilled_of(row: Row[*tuple[Any, ...]]) -> Spilled:
    """The spill in a row."""
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
