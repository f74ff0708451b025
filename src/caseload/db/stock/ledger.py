"""The ledger in PostgreSQL: the acts themselves, brought into one order. There is no copy of it (decision 0306)."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Numeric,
    Row,
    and_,
    bindparam,
    func,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.programme import Programmes
from caseload.db.stock.entries import ENTRIES
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client_identifier, client_identity
from caseload.db.tables.dosing import dose
from caseload.db.tables.medication import medication_order_signature
from caseload.db.tables.outreach import client_contact
from caseload.db.tables.people import staff
from caseload.db.tables.signature import signature
from caseload.db.tables.stock import stock_container, stock_receipt
from caseload.db.tables.takehome import take_home_dispense, take_home_unit
from caseload.db.tables.window_doses import dose_identity_check
from caseload.domain.client import IdentifierKind
from caseload.domain.dispensing import Period
from caseload.domain.ids import ClientId, ContainerId, DoseId, ProgrammeId, UnitId
from caseload.domain.journal import Journal
from caseload.domain.medicines import Form, Medicine
from caseload.domain.profiles.around import IdentifiedBy
from caseload.domain.stock.ledger import Entry, Page
from caseload.domain.stock.words import EntryKind
from caseload.domain.takehome.collecting import Collecting, Collector, Identity

_BEGIN, _END = bindparam("begin", type_=INSTANT), bindparam("end", type_=INSTANT)
_OPENING = select(func.coalesce(func.sum(ENTRIES.c.amount_mg), 0).cast(Numeric(12, 3))).where(
    ENTRIES.c.recorded_at < _BEGIN
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
_ADDRESS = (
    select(client_contact.c.address)
    .where(client_contact.c.client_id == _client_id, client_contact.c.recorded_at <= ENTRIES.c.recorded_at)
    .order_by(client_contact.c.version.desc())
    .limit(1)
    .scalar_subquery()
)
"""As it was known when the line was recorded: what has been shown never changes."""
_IDENTIFIED = (
    select(dose_identity_check.c.identified_by)
    .where(dose_identity_check.c.dose_id == ENTRIES.c.dose_id, ENTRIES.c.kind == EntryKind.DOSE.value)
    .correlate(ENTRIES)
    .scalar_subquery()
)
_LINES = (
    select(
        ENTRIES.c.kind,
        ENTRIES.c.recorded_at,
        ENTRIES.c.happened_at,
        ENTRIES.c.amount_mg,
        ENTRIES.c.container_id,
        _container.c.label,
        _container.c.strength_mg,
        staff.c.printed_name.label("recorded_by"),
        _witness.c.printed_name.label("witness"),
        ENTRIES.c.remark,
        ENTRIES.c.dose_id,
        ENTRIES.c.unit_id,
        take_home_unit.c.label.label("unit_label"),
        take_home_unit.c.for_on,
        _client_id.label("client_id"),
        _CHART_NUMBER.label("chart_number"),
        _AUTHORITY.label("authority"),
        _IDENTITY.c.given_name,
        _IDENTITY.c.family_name,
        _ADDRESS.label("client_address"),
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
        ENTRIES.join(staff, staff.c.id == ENTRIES.c.by)
        .outerjoin(_witness, _witness.c.id == ENTRIES.c.witness)
        .outerjoin(_container, _container.c.id == ENTRIES.c.container_id)
        .outerjoin(_first, and_(_first.c.id == ENTRIES.c.dose_id, _first.c.version == 1))
        .outerjoin(take_home_unit, take_home_unit.c.id == ENTRIES.c.unit_id)
        .outerjoin(
            take_home_dispense,
            and_(take_home_dispense.c.id == take_home_unit.c.dispense_id, ENTRIES.c.kind == EntryKind.TAKE_HOME.value),
        )
        .outerjoin(_IDENTITY, literal(value=True))
        .outerjoin(stock_receipt, stock_receipt.c.id == ENTRIES.c.receipt_id)
    )
    .where(ENTRIES.c.recorded_at >= _BEGIN, ENTRIES.c.recorded_at < _END)
    .order_by(
        ENTRIES.c.recorded_at,
        ENTRIES.c.dose_id,
        ENTRIES.c.unit_id,
        ENTRIES.c.place,
        ENTRIES.c.container_id,
        ENTRIES.c.kind,
    )
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
                    if row.client_address is not None:
                        self._journal.saw(ClientId(row.client_id), "contact")
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
                    address=row.client_address if named else None,
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
