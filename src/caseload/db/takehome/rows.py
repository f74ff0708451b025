"""Units, and what was handed out at one time, in rows and out of them; with what was last said of each unit."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import and_, exists, select

from caseload.db.direct import Named
from caseload.db.tables.stock_acts import stock_waste
from caseload.db.tables.takehome import (
    take_home_outcome,
    take_home_unit,
)
from caseload.domain.ids import (
    ClientId,
    DispenseId,
    OrderId,
    ProgrammeId,
    ReturnId,
    StaffId,
    TakeHomeDecisionId,
    UnitId,
    WasteId,
)
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.takehome import CameBack, Dispense, Late, Outcome, TakeHomeUnit
from caseload.domain.takehome.collecting import Collecting, Collector, Identity

LAST_WORD: Final = take_home_outcome.alias("said_of_unit")
"""What was last said of each unit of `UNITS`."""
_newer = take_home_outcome.alias("newer_said_of_unit")
_IS_LAST_WORD = ~exists().where(_newer.c.unit_id == LAST_WORD.c.unit_id, _newer.c.version > LAST_WORD.c.version)
UNITS: Final = select(
    *take_home_unit.c,
    LAST_WORD.c.version.label("said_version"),
    LAST_WORD.c.return_id,
    LAST_WORD.c.state,
    LAST_WORD.c.taken,
    LAST_WORD.c.reason,
    stock_waste.c.id.label("waste_id"),
).select_from(
    take_home_unit.outerjoin(LAST_WORD, and_(LAST_WORD.c.unit_id == take_home_unit.c.id, _IS_LAST_WORD)).outerjoin(
        stock_waste, stock_waste.c.unit_id == take_home_unit.c.id
    )
)


def unit_row(unit: TakeHomeUnit) -> dict[str, object]:
    """The row of a unit."""
    return {
        "id": unit.id,
        "dispense_id": unit.dispense,
        "client_id": unit.client,
        "programme_id": unit.programme,
        "dispensed_on": unit.dispensed_on,
        "order_id": unit.order,
        "decision_id": unit.decision,
        "for_on": unit.for_on,
        "part": unit.part.value,
        "medicine": unit.medicine.value,
        "form": unit.form.value,
        "strength_mg": unit.strength_mg,
        "amount_mg": unit.amount_mg,
        "amount_ml": unit.amount_ml,
        "label": unit.label,
        "is_closure": unit.is_closure,
        "replaces_id": unit.replaces,
        "is_exception": unit.is_exception,
    }


def unit_of(row: Named) -> TakeHomeUnit:
    """The unit in a row of `UNITS`, with what was last said of it."""
    return TakeHomeUnit(
        id=UnitId(row["id"]),
        dispense=DispenseId(row["dispense_id"]),
        client=ClientId(row["client_id"]),
        programme=ProgrammeId(row["programme_id"]),
        order=OrderId(row["order_id"]),
        decision=None if row["decision_id"] is None else TakeHomeDecisionId(row["decision_id"]),
        for_on=row["for_on"],
        part=DosePart(row["part"]),
        medicine=Medicine(row["medicine"]),
        form=Form(row["form"]),
        strength_mg=row["strength_mg"],
        amount_mg=row["amount_mg"],
        amount_ml=row["amount_ml"],
        label=row["label"],
        is_closure=row["is_closure"],
        dispensed_on=row["dispensed_on"],
        replaces=None if row["replaces_id"] is None else UnitId(row["replaces_id"]),
        is_exception=row["is_exception"],
        outcome=None
        if row["said_version"] is None
        else Outcome(
            unit=UnitId(row["id"]),
            version=row["said_version"],
            report=ReturnId(row["return_id"]),
            state=CameBack(row["state"]),
            taken=row["taken"],
            reason=row["reason"],
            waste=None if row["waste_id"] is None else WasteId(row["waste_id"]),
        ),
    )


def dispense_of(row: Named, units: Sequence[TakeHomeUnit]) -> Dispense:
    """What was handed out at one time, in a row of its table, with its units."""
    return Dispense(
        id=DispenseId(row["id"]),
        client=ClientId(row["client_id"]),
        programme=ProgrammeId(row["programme_id"]),
        units=tuple(units),
        educated=row["educated"],
        education_note=row["education_note"],
        collecting=Collecting(
            by_client=row["collector"] == Collector.CLIENT,
            name=row["collected_by"],
            address=row["collector_address"],
            identity=None
            if row["identity_requested"] is None
            else Identity(row["identity_requested"], row["identity_provided"]),
        ),
        dispensed_by=StaffId(row["dispensed_by"]),
        dispensed_at=row["dispensed_at"],
        dispensed_on=row["dispensed_on"],
        profile=row["profile"],
        profile_version=row["profile_version"],
        rules=tuple(row["rules"]),
        late=None
        if row["late_reason"] is None
        else Late(reason=row["late_reason"], recorded_by=StaffId(row["recorded_by"]), recorded_at=row["recorded_at"]),
    )


def dispense_row(made: Dispense) -> dict[str, object]:
    """The columns of what was handed out at one time, without its units."""
    return {
        "id": made.id,
        "client_id": made.client,
        "programme_id": made.programme,
        "educated": made.educated,
        "education_note": made.education_note,
        "collected_by": made.collecting.name,
        "collector": made.collecting.collector,
        "collector_address": made.collecting.address,
        "identity_requested": made.collecting.identity.requested if made.collecting.identity is not None else None,
        "identity_provided": made.collecting.identity.provided if made.collecting.identity is not None else None,
        "dispensed_by": made.dispensed_by,
        "dispensed_at": made.dispensed_at,
        "dispensed_on": made.dispensed_on,
        "profile": made.profile,
        "profile_version": made.profile_version,
        "rules": list(made.rules),
        "is_exception": bool(made.rules),
        "late_reason": made.late.reason if made.late is not None else None,
        "recorded_by": made.late.recorded_by if made.late is not None else None,
        "recorded_at": made.late.recorded_at if made.late is not None else None,
    }
