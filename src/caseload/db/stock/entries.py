"""Every act on what is in stock of a medicine, as lines of one shape."""

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    literal,
    null,
    select,
    union_all,
)

from caseload.db.tables.stock import stock_container, stock_receipt
from caseload.db.tables.stock_acts import (
    stock_count,
    stock_count_confirmed,
    stock_pour,
    stock_take_home,
    stock_taking,
    stock_waste,
    stock_waste_settled,
)
from caseload.domain.stock.words import EntryKind, Verdict

_NONE: Final[ColumnElement[Any]] = cast(null(), Text())


def _arm(kind: ColumnElement[Any] | EntryKind, **said: ColumnElement[Any]) -> Select[Any]:
    """One kind of act as lines of the ledger."""
    columns: dict[str, ColumnElement[Any]] = {
        "container_id": stock_container.c.id,
        "witness": cast(null(), Uuid()),
        "remark": _NONE,
        "dose_id": cast(null(), Uuid()),
        "unit_id": cast(null(), Uuid()),
        "receipt_id": cast(null(), Uuid()),
        "place": literal(0),
    }
    kind = literal(kind.value, Text()) if isinstance(kind, EntryKind) else kind
    named = {"kind": kind, **columns, **said}
    return select(*(named[name].label(name) for name in _COLUMNS))


_COLUMNS = (
    "kind", "recorded_at", "happened_at", "amount_mg", "container_id", "by", "witness", "remark", "dose_id",
    "unit_id", "receipt_id", "place",
)  # fmt: skip
_HERE = and_(
    stock_container.c.programme_id == bindparam("programme"),
    stock_container.c.medicine == bindparam("medicine"),
    stock_container.c.form == bindparam("form"),
)
_settled = stock_waste_settled
_said = stock_waste.c.kind + ": " + stock_waste.c.reason

ENTRIES: Final = union_all(
    _arm(
        EntryKind.RECEIVED,
        recorded_at=stock_receipt.c.recorded_at,
        happened_at=stock_receipt.c.received_at,
        amount_mg=stock_container.c.received_mg,
        by=stock_receipt.c.recorded_by,
        receipt_id=stock_receipt.c.id,
    )
    .join_from(stock_container, stock_receipt, stock_receipt.c.id == stock_container.c.receipt_id)
    .where(_HERE),
    *(
        _arm(
            kind,
            recorded_at=stock_pour.c.recorded_at,
            happened_at=stock_pour.c.poured_at,
            amount_mg=amount,
            by=stock_pour.c.recorded_by,
            place=literal(place),
        )
        .join_from(stock_pour, stock_container, stock_container.c.id == container)
        .where(_HERE)
        for kind, amount, container, place in (
            (EntryKind.POURED_OUT, -stock_pour.c.amount_mg, stock_pour.c.source_id, 1),
            (EntryKind.POURED_IN, stock_pour.c.amount_mg, stock_pour.c.target_id, 2),
        )
    ),
    _arm(
        case((stock_taking.c.amount_mg < 0, EntryKind.DOSE.value), else_=EntryKind.PUT_BACK.value),
        recorded_at=stock_taking.c.recorded_at,
        happened_at=stock_taking.c.taken_at,
        amount_mg=stock_taking.c.amount_mg,
        container_id=stock_taking.c.container_id,
        by=stock_taking.c.recorded_by,
        remark=stock_taking.c.reason,
        dose_id=stock_taking.c.dose_id,
        place=stock_taking.c.line,
    )
    .select_from(stock_taking)
    .where(
        stock_taking.c.programme_id == bindparam("programme"),
        stock_taking.c.medicine == bindparam("medicine"),
        stock_taking.c.form == bindparam("form"),
    ),
    _arm(
        case((stock_take_home.c.amount_mg < 0, EntryKind.TAKE_HOME.value), else_=EntryKind.TAKE_HOME_BACK.value),
        recorded_at=stock_take_home.c.recorded_at,
        happened_at=stock_take_home.c.taken_at,
        amount_mg=stock_take_home.c.amount_mg,
        container_id=stock_take_home.c.container_id,
        by=stock_take_home.c.recorded_by,
        unit_id=stock_take_home.c.unit_id,
        place=stock_take_home.c.line,
    )
    .select_from(stock_take_home)
    .where(
        stock_take_home.c.programme_id == bindparam("programme"),
        stock_take_home.c.medicine == bindparam("medicine"),
        stock_take_home.c.form == bindparam("form"),
    ),
    _arm(
        EntryKind.WASTE,
        recorded_at=stock_waste.c.recorded_at,
        happened_at=stock_waste.c.happened_at,
        amount_mg=-stock_waste.c.amount_mg,
        by=stock_waste.c.handled_by,
        witness=case((_settled.c.verdict == Verdict.WITNESSED, _settled.c.settled_by)),
        remark=_said,
        unit_id=stock_waste.c.unit_id,
        place=literal(3),
    )
    .select_from(
        stock_waste.join(stock_container, stock_container.c.id == stock_waste.c.container_id).outerjoin(
            _settled, _settled.c.waste_id == stock_waste.c.id
        )
    )
    .where(_HERE),
    _arm(
        EntryKind.WASTE_WITHDRAWN,
        recorded_at=_settled.c.settled_at,
        happened_at=_settled.c.settled_at,
        amount_mg=stock_waste.c.amount_mg,
        by=_settled.c.settled_by,
        remark=_settled.c.reason,
    )
    .select_from(
        stock_waste.join(stock_container, stock_container.c.id == stock_waste.c.container_id).join(
            _settled, _settled.c.waste_id == stock_waste.c.id
        )
    )
    .where(_HERE, _settled.c.verdict == Verdict.WITHDRAWN),
    _arm(
        EntryKind.VARIANCE,
        recorded_at=stock_count_confirmed.c.confirmed_at,
        happened_at=stock_count.c.counted_at,
        amount_mg=stock_count.c.variance_mg,
        by=stock_count.c.counted_by,
        witness=stock_count_confirmed.c.confirmed_by,
        remark=stock_count.c.cause + ": " + stock_count.c.explanation,
    )
    .select_from(
        stock_count.join(stock_container, stock_container.c.id == stock_count.c.container_id).join(
            stock_count_confirmed, stock_count_confirmed.c.count_id == stock_count.c.id
        )
    )
    .where(_HERE, stock_count.c.variance_mg != 0),
).subquery("acts")
"""Of one medicine in one form in a programme (`programme`, `medicine`, `form`): what came, what went, and what was counted."""
