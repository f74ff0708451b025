"""What the rules need to know about one dose, in one statement over indexes: it runs while the client is locked.

Read after the lock, in a statement of its own: under READ COMMITTED a statement that has waited for a lock sees the
locked row anew, but every other table as it was when the statement began.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)

from caseload.db.direct import Direct, Named
from caseload.db.dosing.taken import DAY, FIRST, ORDINARY, given_on, is_like, is_of_kind, is_taken, last_taken, told_by
from caseload.db.medication.beside import has_another, kind_of
from caseload.db.medication.rows import ORDER_COLUMNS, order_of
from caseload.db.tables.base import INSTANT
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.history import client_history
from caseload.db.tables.hold import hold, medication_decision
from caseload.db.tables.medication import (
    medication_order,
    medication_order_replacement,
    medication_order_signature,
    medication_order_stop,
)
from caseload.db.tables.people import staff
from caseload.db.takehome.covering import at_home, at_home_of
from caseload.domain.dosing import Allowed, AlreadyGiven, Facts, Giving, Held, Taken
from caseload.domain.ids import CorrectionId, DecisionId, HoldId
from caseload.domain.medication import DecisionKind
from caseload.domain.medicines import DosePart, Medicine

_CLIENT = bindparam("client", type_=Uuid())
_AT = bindparam("at", type_=INSTANT)
_PART = bindparam("part", type_=Text())
_MEDICINE = bindparam("medicine", type_=Text())
_FORM = bindparam("form", type_=Text())


def _given() -> FromClause:
    """A dose that already takes this part of the day."""
    whole = DosePart.WHOLE.value
    this_part = or_(dose.c.part == _PART, dose.c.part == whole, literal(whole) == _PART)
    both = given_on(and_(dose.c.client_id == _CLIENT, this_part))
    return (
        select(both.c.id, both.c.part, both.c.given_at, staff.c.printed_name, client_history.c.source)
        .select_from(told_by(both))
        .order_by(both.c.given_at.nulls_last())
        .limit(FIRST)
        .lateral("given")
    )


def held(
    client: ColumnElement[UUID], order: ColumnElement[UUID] | None = None, part: ColumnElement[str] | None = None
) -> FromClause:
    """The oldest hold in force that is aimed at the client, at this order, or at this part of the day.

    Without an order or a part any of them counts: whoever asks for the day shows that something of it is held.
    """
    cleared = exists().where(medication_decision.c.hold_id == hold.c.id, medication_decision.c.decided_at <= _AT)
    return (
        select(hold.c.id, hold.c.reason, hold.c.raised_at, hold.c.order_id, hold.c.on_day, hold.c.part)
        .where(
            hold.c.client_id == client,
            hold.c.raised_at <= _AT,
            ~cleared,
            or_(hold.c.on_day.is_(None), hold.c.on_day == DAY),
            *([or_(hold.c.order_id.is_(None), hold.c.order_id == order)] if order is not None else []),
            *([or_(hold.c.part.is_(None), hold.c.part == part, *_whole(part))] if part is not None else []),
        )
        .order_by(hold.c.raised_at)
        .limit(FIRST)
        .lateral("held")
    )


def allowed(client: ColumnElement[UUID], freed_again: ColumnElement[bool], medicine: ColumnElement[str]) -> FromClause:
    """An unused decision for the day, about this medicine or about none by name. One that a dose used is used, unless a correction has freed that very part."""
    used = exists().where(
        dose.c.decision_id == medication_decision.c.id,
        dose.c.version == FIRST,
        ~exists().where(dose_correction.c.dose_id == dose.c.id, dose_correction.c.dosing_day == DAY, freed_again),
    )
    return (
        select(
            medication_decision.c.id,
            medication_decision.c.at_most_mg,
            medication_decision.c.last_taken_on,
            medication_decision.c.medicine,
        )
        .where(
            medication_decision.c.client_id == client,
            medication_decision.c.kind == DecisionKind.ALLOW_DOSE.value,
            any_(medication_decision.c.days) == DAY,
            medication_decision.c.decided_at <= _AT,
            or_(
                medication_decision.c.medicine.is_(None),
                kind_of(medication_decision.c.medicine) == kind_of(medicine),
            ),
            ~used,
        )
        .order_by(medication_decision.c.decided_at.desc())
        .limit(FIRST)
        .lateral("allowed")
    )


def _freed() -> FromClause:
    """The correction that freed this part of the day and has not been used by another dose."""
    corrected, user = dose.alias("corrected"), dose.alias("user_of_correction")
    used = exists().where(
        user.c.client_id == _CLIENT,
        user.c.dosing_day == DAY,
        user.c.part == _PART,
        user.c.freed_by == dose_correction.c.id,
        user.c.kind == ORDINARY,
        user.c.version == FIRST,
    )
    return (
        select(dose_correction.c.id)
        .select_from(dose_correction)
        .join(corrected, and_(corrected.c.id == dose_correction.c.dose_id, corrected.c.version == FIRST))
        .where(
            dose_correction.c.client_id == _CLIENT,
            dose_correction.c.dosing_day == DAY,
            dose_correction.c.part == _PART,
            corrected.c.kind == ORDINARY,
            ~used,
        )
        .order_by(dose_correction.c.signed_at.desc())
        .limit(FIRST)
        .lateral("freed")
    )


def _whole(part: ColumnElement[str]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The whole day beside a part of it, either way round."""
    whole = DosePart.WHOLE.value
    return hold.c.part == whole, literal(whole) == part


_given_dose, _hold, _freed_by = _given(), held(_CLIENT, bindparam("order", type_=Uuid()), _PART), _freed()
_at_home = at_home(_CLIENT, _PART, DAY)
_decision = allowed(_CLIENT, dose_correction.c.part == _PART, _MEDICINE)
_last = last_taken(_CLIENT, _MEDICINE, _FORM, "last_taken")
_nothing = select(literal(1).label("always")).subquery("nothing")

_FACTS = select(
    *ORDER_COLUMNS,
    _given_dose.c.id.label("given_id"),
    _given_dose.c.part.label("given_part"),
    _given_dose.c.given_at,
    _given_dose.c.printed_name.label("given_by"),
    _given_dose.c.source.label("given_source"),
    _last.c.dosing_day.label("last_day"),
    _last.c.given_at.label("last_at"),
    _last.c.medicine.label("last_medicine"),
    _last.c.amount_mg.label("last_mg"),
    _hold.c.id.label("hold_id"),
    _hold.c.reason.label("hold_reason"),
    _hold.c.raised_at.label("hold_raised_at"),
    _hold.c.order_id.label("hold_order_id"),
    _hold.c.on_day.label("hold_on_day"),
    _hold.c.part.label("hold_part"),
    _decision.c.id.label("decision_id"),
    _decision.c.at_most_mg,
    _decision.c.last_taken_on.label("decision_last_taken_on"),
    _decision.c.medicine.label("decision_medicine"),
    _freed_by.c.id.label("freed_by"),
    _at_home.c.unit_id,
    _at_home.c.unit_label,
    _at_home.c.unit_part,
    _at_home.c.unit_dispensed_on,
    _at_home.c.unit_reported,
    has_another(_CLIENT, _MEDICINE).label("has_another"),
).select_from(
    _nothing.outerjoin(
        medication_order,
        and_(medication_order.c.id == bindparam("order"), medication_order.c.client_id == _CLIENT),
    )
    .outerjoin(medication_order_signature, medication_order_signature.c.order_id == medication_order.c.id)
    .outerjoin(medication_order_stop, medication_order_stop.c.order_id == medication_order.c.id)
    .outerjoin(medication_order_replacement, medication_order_replacement.c.replaced_id == medication_order.c.id)
    .outerjoin(_given_dose, true())
    .outerjoin(_last, true())
    .outerjoin(_hold, true())
    .outerjoin(_decision, true())
    .outerjoin(_freed_by, true())
    .outerjoin(_at_home, true())
)

FACTS = Direct(_FACTS)

LAST_TAKEN = select(_last.c.dosing_day, _last.c.given_at, _last.c.medicine, _last.c.amount_mg)

AROUND_DAYS = 7
"""Doses of so many days before and after a day are asked for their hours: more than any interval between two of them."""
_newest, _later = dose.alias("newest_of_day"), dose.alias("later_version")


def _hours(days: ColumnElement[bool]) -> FromClause:
    """When doses of these days were given, as their newest versions say."""
    taken = union_all(
        *(select(dose.c.id).where(dose.c.client_id == _CLIENT, days, is_taken(dose), kind) for kind in is_of_kind())
    ).subquery("taken_around")
    is_newest = ~exists().where(_later.c.id == _newest.c.id, _later.c.version > _newest.c.version)
    return (
        select(_newest.c.given_at)
        .select_from(taken.join(_newest, _newest.c.id == taken.c.id))
        .where(is_newest)
        .subquery("hours")
    )


_before = _hours(
    and_(
        dose.c.dosing_day < DAY,
        dose.c.dosing_day >= bindparam("since", type_=Date()),
        is_like(dose, _MEDICINE, _FORM),
    )
)
_after = _hours(and_(dose.c.dosing_day > DAY, dose.c.dosing_day <= bindparam("until", type_=Date())))
GIVEN_BEFORE = select(func.max(_before.c.given_at))
NEXT_GIVEN = select(func.min(_after.c.given_at))


def given_to(giving: Giving, day: date, at: datetime) -> dict[str, object]:
    """The parameters of `FACTS`."""
    return {
        "client": giving.client,
        "order": giving.order,
        "day": day,
        "at": at,
        "part": giving.part.value,
        "medicine": giving.medicine.value,
        "form": giving.form.value,
    }


def allowed_of(row: Named) -> Allowed | None:
    """The decision in a row that has one."""
    if row["decision_id"] is None:
        return None
    return Allowed(
        decision=DecisionId(row["decision_id"]),
        at_most_mg=row["at_most_mg"],
        last_taken_on=row["decision_last_taken_on"],
        medicine=Medicine(row["decision_medicine"]) if row["decision_medicine"] is not None else None,
    )


def held_in(row: Named) -> Held | None:
    """The hold in a row that has one."""
    if row["hold_id"] is None:
        return None
    return Held(
        hold=HoldId(row["hold_id"]),
        reason=row["hold_reason"],
        raised_at=row["hold_raised_at"],
        order=row["hold_order_id"],
        on_day=row["hold_on_day"],
        part=DosePart(row["hold_part"]) if row["hold_part"] is not None else None,
    )


def facts_of(row: Named) -> Facts:
    """The facts in a row of `FACTS`."""
    return Facts(
        order=order_of(row) if row["order_id"] is not None else None,
        given=AlreadyGiven(
            dose=row["given_id"],
            part=DosePart(row["given_part"]),
            given_at=row["given_at"],
            given_by=row["given_by"],
            source=row["given_source"],
        )
        if row["given_id"] is not None
        else None,
        last=Taken(
            day=row["last_day"], at=row["last_at"], medicine=Medicine(row["last_medicine"]), amount_mg=row["last_mg"]
        )
        if row["last_day"] is not None
        else None,
        held=held_in(row),
        allowed=allowed_of(row),
        freed_by=CorrectionId(row["freed_by"]) if row["freed_by"] is not None else None,
        at_home=(at_home_of(row),) if row["unit_id"] is not None else (),
    )
