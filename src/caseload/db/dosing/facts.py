"""What the rules need to know about one dose, in one statement over indexes: it runs while the client is locked.

Read after the lock, in a statement of its own: under READ COMMITTED a statement that has waited for a lock sees the
locked row anew, but every other table as it was when the statement began.
"""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Row,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from caseload.db.medication.orders import ORDER_COLUMNS, order_of
from caseload.db.tables.base import INSTANT
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.medication import (
    hold,
    medication_decision,
    medication_order,
    medication_order_replacement,
    medication_order_signature,
    medication_order_stop,
)
from caseload.db.tables.people import staff
from caseload.domain.dosing import Allowed, AlreadyGiven, Facts, Giving, Held, Kind, Taken
from caseload.domain.ids import CorrectionId, DecisionId, HoldId
from caseload.domain.medication import DecisionKind
from caseload.domain.medicines import ACTION, LONG_ACTING, DosePart, Form, Medicine

_CLIENT = bindparam("client", type_=Uuid())
_DAY = bindparam("day", type_=Date())
_AT = bindparam("at", type_=INSTANT)
_PART = bindparam("part", type_=Text())
_MEDICINES = bindparam("medicines", type_=ARRAY(Text()))
_FORMS = bindparam("forms", type_=ARRAY(Text()))

_SAME_ACTION: Final = {
    medicine: [other.value for other in Medicine if ACTION[other] is ACTION[medicine]] for medicine in Medicine
}
_SAME_DURATION: Final = {
    form: [other.value for other in Form if (other in LONG_ACTING) is (form in LONG_ACTING)] for form in Form
}


# Constants stand in the text itself: the planner proves the predicate of a partial index from them, never from parameters.
FIRST: Final = literal_column("1", Integer())
ORDINARY: Final = literal_column(f"'{Kind.ORDINARY}'", Text())


def is_taken(doses: FromClause) -> ColumnElement[bool]:
    """The recording of a dose that counts as swallowed: nobody has signed that it was in fact not given."""
    return and_(doses.c.version == FIRST, ~exists().where(dose_correction.c.dose_id == doses.c.id))


def is_of_kind() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Ordinary doses and the others: two conditions, because each has its own index."""
    return dose.c.kind == ORDINARY, dose.c.kind != ORDINARY


def last_taken(client: ColumnElement[Any], name: str) -> FromClause:
    """The last dose taken until a day, of medicines with the same action and duration, as its newest version says."""
    newest = dose.alias("newest_version")
    ends = [
        select(dose.c.id, dose.c.dosing_day, dose.c.given_at)
        .where(
            dose.c.client_id == client,
            dose.c.dosing_day <= _DAY,
            dose.c.medicine == any_(_MEDICINES),
            dose.c.form == any_(_FORMS),
            is_taken(dose),
            kind,
        )
        .order_by(dose.c.dosing_day.desc(), dose.c.given_at.desc().nulls_last())
        .limit(FIRST)
        .subquery()
        for kind in is_of_kind()
    ]
    both = union_all(*(select(end.c.id, end.c.dosing_day, end.c.given_at) for end in ends)).subquery()
    return (
        select(both.c.dosing_day, newest.c.given_at, newest.c.medicine, newest.c.amount_mg)
        .select_from(both.join(newest, newest.c.id == both.c.id))
        .order_by(both.c.dosing_day.desc(), both.c.given_at.desc().nulls_last(), newest.c.version.desc())
        .limit(FIRST)
        .lateral(name)
    )


def _given() -> FromClause:
    """A dose that already takes this part of the day, whatever its kind."""
    whole = DosePart.WHOLE.value
    both = union_all(
        *(
            select(dose.c.id, dose.c.part, dose.c.given_at, dose.c.given_by).where(
                dose.c.client_id == _CLIENT,
                dose.c.dosing_day == _DAY,
                or_(dose.c.part == _PART, dose.c.part == whole, literal(whole) == _PART),
                is_taken(dose),
                kind,
            )
            for kind in is_of_kind()
        )
    ).subquery()
    return (
        select(both.c.id, both.c.part, both.c.given_at, staff.c.printed_name)
        .select_from(both.join(staff, staff.c.id == both.c.given_by))
        .limit(FIRST)
        .lateral("given")
    )


def _held() -> FromClause:
    cleared = exists().where(medication_decision.c.hold_id == hold.c.id, medication_decision.c.decided_at <= _AT)
    return (
        select(hold.c.id, hold.c.reason, hold.c.raised_at)
        .where(hold.c.client_id == _CLIENT, hold.c.raised_at <= _AT, ~cleared)
        .order_by(hold.c.raised_at)
        .limit(FIRST)
        .lateral("held")
    )


def _allowed() -> FromClause:
    """An unused decision for the day. One that a dose used is used, unless that very dose was corrected."""
    corrected = exists().where(
        dose_correction.c.dose_id == dose.c.id, dose_correction.c.dosing_day == _DAY, dose_correction.c.part == _PART
    )
    used = exists().where(dose.c.decision_id == medication_decision.c.id, dose.c.version == FIRST, ~corrected)
    return (
        select(medication_decision.c.id, medication_decision.c.at_most_mg)
        .where(
            medication_decision.c.client_id == _CLIENT,
            medication_decision.c.kind == DecisionKind.ALLOW_DOSE.value,
            any_(medication_decision.c.days) == _DAY,
            medication_decision.c.decided_at <= _AT,
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
        user.c.dosing_day == _DAY,
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
            dose_correction.c.dosing_day == _DAY,
            dose_correction.c.part == _PART,
            corrected.c.kind == ORDINARY,
            ~used,
        )
        .order_by(dose_correction.c.signed_at.desc())
        .limit(FIRST)
        .lateral("freed")
    )


_given_dose, _hold, _decision, _freed_by = _given(), _held(), _allowed(), _freed()
_last = last_taken(_CLIENT, "last_taken")
_nothing = select(literal(1).label("always")).subquery("nothing")

FACTS = select(
    *ORDER_COLUMNS,
    _given_dose.c.id.label("given_id"),
    _given_dose.c.part.label("given_part"),
    _given_dose.c.given_at,
    _given_dose.c.printed_name.label("given_by"),
    _last.c.dosing_day.label("last_day"),
    _last.c.given_at.label("last_at"),
    _last.c.medicine.label("last_medicine"),
    _last.c.amount_mg.label("last_mg"),
    _hold.c.id.label("hold_id"),
    _hold.c.reason.label("hold_reason"),
    _hold.c.raised_at.label("hold_raised_at"),
    _decision.c.id.label("decision_id"),
    _decision.c.at_most_mg,
    _freed_by.c.id.label("freed_by"),
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
)

LAST_TAKEN = select(_last.c.dosing_day, _last.c.given_at, _last.c.medicine, _last.c.amount_mg)

NEXT_GIVEN = select(func.min(dose.c.given_at)).where(
    dose.c.client_id == _CLIENT,
    dose.c.dosing_day > _DAY,
    is_taken(dose),
    or_(*is_of_kind()),
)


def same_kind_of(medicine: Medicine, form: Form) -> dict[str, object]:
    """The parameters of `last_taken`: medicines with the same action, forms of the same duration."""
    return {"medicines": _SAME_ACTION[medicine], "forms": _SAME_DURATION[form]}


def given_to(giving: Giving, day: date, at: datetime) -> dict[str, object]:
    """The parameters of `FACTS`."""
    return {
        "client": giving.client,
        "order": giving.order,
        "day": day,
        "at": at,
        "part": giving.part.value,
        **same_kind_of(giving.medicine, giving.form),
    }


def facts_of(row: Row[*tuple[Any, ...]]) -> Facts:
    """The facts in a row of `FACTS`."""
    return Facts(
        order=order_of(row) if row.order_id is not None else None,
        given=AlreadyGiven(
            dose=row.given_id, part=DosePart(row.given_part), given_at=row.given_at, given_by=row.given_by
        )
        if row.given_id is not None
        else None,
        last=Taken(day=row.last_day, at=row.last_at, medicine=Medicine(row.last_medicine), amount_mg=row.last_mg)
        if row.last_day is not None
        else None,
        held=Held(hold=HoldId(row.hold_id), reason=row.hold_reason, raised_at=row.hold_raised_at)
        if row.hold_id is not None
        else None,
        allowed=Allowed(decision=DecisionId(row.decision_id), at_most_mg=row.at_most_mg)
        if row.decision_id is not None
        else None,
        freed_by=CorrectionId(row.freed_by) if row.freed_by is not None else None,
    )
