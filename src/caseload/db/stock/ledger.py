"""The ledger in PostgreSQL: the acts themselves, brought into one order. There is no copy of it (decision 0306)."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Numeric,
    Row,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.programme import Programmes
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client_identifier, client_identity
from caseload.db.tables.dosing import dose
from caseload.db.tables.medication import medication_order_signature
from caseload.db.tables.people import staff
from caseload.db.tables.signature import signature
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
from caseload.db.tables.takehome import take_home_dispense, take_home_unit
from caseload.db.tables.window_doses import dose_identity_check
from caseload.domain.client import IdentifierKind
from caseload.domain.dispensing import Period
from caseload.domain.ids import ClientId, ContainerId, DoseId, ProgrammeId, UnitId
from caseload.domain.journal import Journal
from caseload.domain.medicines import Form, Medicine
from caseload.domain.profiles.around import IdentifiedBy
from caseload.domain.stock.ledger import Entry, Page
from caseload.domain.stock.words import EntryKind, Verdict
from caseload.domain.takehome.collecting import Collecting, Collector, Identity

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

_ACTS = union_all(
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

_BEGIN, _END = bindparam("begin", type_=INSTANT), bindparam("end", type_=INSTANT)
_OPENING = select(func.coalesce(func.sum(_ACTS.c.amount_mg), 0).cast(Numeric(12, 3))).where(
    _ACTS.c.recorded_at < _BEGIN
)

_witness, _container = staff.alias("witness"), stock_container.alias("container")
_first = dose.alias("first")
_client_id = func.coalesce(_first.c.client_id, take_home_unit.c.client_id)
_CHART_NUMBER = (
    select(client_identifier.c.value)
    .where(client_identifier.c.client_id == _client_id, client_identifier.c.kind == IdentifierKind.CHART)
    .order_by(client_identifier.c.recorded_at)
    .limit(1)
    .scalar_subquery()
)
_AUTHORITY = (
    select(signature.c.printed_name)
    .join(medication_order_signature, medication_order_signature.c.signature_id == signature.c.id)
    .where(medication_order_signature.c.order_id == func.coalesce(_first.c.order_id, take_home_unit.c.order_id))
    .scalar_subquery()
)
_IDENTITY = (
    select(client_identity.c.given_name, client_identity.c.family_name)
    .where(client_identity.c.client_id == _client_id)
    .order_by(client_identity.c.version.desc())
    .limit(1)
    .lateral("identity")
)
_IDENTIFIED = (
    select(dose_identity_check.c.identified_by)
    .where(dose_identity_check.c.dose_id == _ACTS.c.dose_id, _ACTS.c.kind == EntryKind.DOSE.value)
    .correlate(_ACTS)
    .scalar_subquery()
)
_LINES = (
    select(
        _ACTS.c.kind,
        _ACTS.c.recorded_at,
        _ACTS.c.happened_at,
        _ACTS.c.amount_mg,
        _ACTS.c.container_id,
        _container.c.label,
        _container.c.strength_mg,
        staff.c.printed_name.label("recorded_by"),
        _witness.c.printed_name.label("witness"),
        _ACTS.c.remark,
        _ACTS.c.dose_id,
        _ACTS.c.unit_id,
        take_home_unit.c.label.label("unit_label"),
        take_home_unit.c.for_on,
        _client_id.label("client_id"),
        _CHART_NUMBER.label("chart_number"),
        _AUTHORITY.label("authority"),
        _IDENTITY.c.given_name,
        _IDENTITY.c.family_name,
        stock_receipt.c.supplier_name,
        stock_receipt.c.supplier_address,
        stock_receipt.c.document,
        take_home_dispense.c.collector,
        take_home_dispense.c.collected_by,
        take_home_dispense.c.collector_address,
        take_home_dispense.c.identity_requested,
        take_home_dispense.c.identity_provided,
        _IDENTIFIED.label("identified_by"),
    )
    .select_from(
        _ACTS.join(staff, staff.c.id == _ACTS.c.by)
        .outerjoin(_witness, _witness.c.id == _ACTS.c.witness)
        .outerjoin(_container, _container.c.id == _ACTS.c.container_id)
        .outerjoin(_first, and_(_first.c.id == _ACTS.c.dose_id, _first.c.version == 1))
        .outerjoin(take_home_unit, take_home_unit.c.id == _ACTS.c.unit_id)
        .outerjoin(
            take_home_dispense,
            and_(take_home_dispense.c.id == take_home_unit.c.dispense_id, _ACTS.c.kind == EntryKind.TAKE_HOME.value),
        )
        .outerjoin(_IDENTITY, literal(value=True))
        .outerjoin(stock_receipt, stock_receipt.c.id == _ACTS.c.receipt_id)
    )
    .where(_ACTS.c.recorded_at >= _BEGIN, _ACTS.c.recorded_at < _END)
    .order_by(_ACTS.c.recorded_at, _ACTS.c.dose_id, _ACTS.c.unit_id, _ACTS.c.place, _ACTS.c.container_id, _ACTS.c.kind)
)


class Ledger:
    """Satisfies `domain.stock.ledger.Ledger`."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def page(
        self, programme: ProgrammeId, medicine: Medicine, form: Form, period: Period, *, named: bool
    ) -> Page:
        """See `domain.stock.ledger.Ledger.page`."""
        zone = (await Programmes(self._connection).get(programme)).zone
        given: dict[str, Any] = {
            "programme": programme,
            "medicine": medicine,
            "form": form,
            "begin": datetime.combine(period.first, time(), zone),
            "end": datetime.combine(period.last + timedelta(days=1), time(), zone),
        }
        balance: Decimal = (await self._connection.execute(_OPENING, given)).scalar_one()
        opening, entries = balance, list[Entry]()
        for row in (await self._connection.execute(_LINES, given)).all():
            balance += row.amount_mg
            if row.client_id is not None:
                self._journal.saw(ClientId(row.client_id), "dose")
                if named:
                    self._journal.saw(ClientId(row.client_id), "identity")
            entries.append(
                Entry(
                    kind=EntryKind(row.kind),
                    recorded_at=row.recorded_at,
                    happened_at=row.happened_at,
                    amount_mg=row.amount_mg,
                    balance_mg=balance,
                    container=None if row.container_id is None else ContainerId(row.container_id),
                    container_label=row.label,
                    strength_mg=row.strength_mg,
                    recorded_by=row.recorded_by,
                    witness=row.witness,
                    remark=_remark(row),
                    unit=None if row.unit_id is None else UnitId(row.unit_id),
                    dose=None if row.dose_id is None else DoseId(row.dose_id),
                    client=None if row.client_id is None else ClientId(row.client_id),
                    chart_number=row.chart_number,
                    given_name=row.given_name if named else None,
                    family_name=row.family_name if named else None,
                    authority=row.authority,
                    supplier_name=row.supplier_name,
                    supplier_address=row.supplier_address,
                    document=row.document,
                    collecting=_collecting(row, named=named),
                    identified_by=None if row.identified_by is None else IdentifiedBy(row.identified_by),
                )
            )
        return Page(opening_mg=opening, entries=entries)


def _collecting(row: Row[*tuple[Any, ...]], *, named: bool) -> Collecting | None:
    """Who collected what a line says was taken home. Nobody's name or address stands where clients have none."""
    if row.collector is None:
        return None
    asked = row.identity_requested
    return Collecting(
        by_client=row.collector == Collector.CLIENT,
        name=row.collected_by if named or row.collected_by is None else "",
        address=row.collector_address if named or row.collector_address is None else "",
        identity=None if asked is None else Identity(asked, row.identity_provided),
    )


def _remark(row: Row[*tuple[Any, ...]]) -> str | None:
    """What is said beside a line: of a unit its label and the day it is for."""
    return row.remark if row.unit_id is None or row.remark is not None else f"{row.unit_label} for {row.for_on}"
