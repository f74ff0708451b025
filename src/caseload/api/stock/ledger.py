"""The ledger of a medicine, for the inspector: on the screen by the day, and as the register of controlled drugs."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final, assert_never
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, QueryParameter

from caseload.api.amounts import written
from caseload.api.route import reading
from caseload.api.spreadsheet import CSV_FILE, Plain, csv_file
from caseload.api.stock.wire import quantity
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.programme import Programmes
from caseload.db.stock.ledger import Ledger
from caseload.domain.access import Act
from caseload.domain.dispensing import Period
from caseload.domain.ids import ProgrammeId
from caseload.domain.medicines import Form, Medicine
from caseload.domain.profiles.around import IdentifiedBy
from caseload.domain.stock.ledger import Entry, read_ledger
from caseload.domain.stock.words import EntryKind
from caseload.domain.takehome.collecting import Collecting, Collector

OfMedicine = Annotated[Medicine, QueryParameter(name="medicine", description="Each medicine has a part of its own.")]
OfForm = Annotated[Form, QueryParameter(name="form", description="Each form has a part of its own.")]
First = Annotated[
    date | None, QueryParameter(name="first", required=False, description="First local day; today when left out.")
]
Last = Annotated[
    date | None, QueryParameter(name="last", required=False, description="Last local day; the first when left out.")
]

REGISTER: Final = (
    "recorded_at", "date", "entry", "received_from", "supplier_address", "document", "supplied_to",
    "supplied_to_address", "chart_number", "authority", "collected_by", "collector", "collector_address",
    "identity_requested", "identity_provided",
    "identified_by", "strength_mg", "quantity_in", "amount_in_mg", "quantity_out", "amount_out_mg",
    "balance_mg", "container", "recorded_by", "witness", "remark", "dose",
)  # fmt: skip
"""The columns of the register."""
_NOT_SAID: Final = "not said"
_YES_NO: Final = {True: "yes", False: "no"}
_INSIDE: Final = frozenset({EntryKind.POURED_IN, EntryKind.POURED_OUT})
"""Nothing came or went: it is no line of the register."""


class EntryOut(Wire, frozen=True, kw_only=True):
    """One line of the ledger."""

    kind: EntryKind
    recorded_at: datetime
    happened_at: datetime
    amount_mg: str
    """More than zero when it came, less when it went."""
    balance_mg: str
    """What the books have after it, of this medicine and form."""
    container_id: UUID | None
    container: str | None
    """Its label; null where nobody has said from which container a dose came."""
    recorded_by: str
    witness: str | None
    remark: str | None
    dose_id: UUID | None
    unit_id: UUID | None
    """The take-home unit that left, came back or was destroyed."""
    client_id: UUID | None
    chart_number: str | None

    @classmethod
    def of(cls, entry: Entry) -> "EntryOut":
        """From the domain; clients by number, not by name."""
        return cls(
            kind=entry.kind,
            recorded_at=entry.recorded_at,
            happened_at=entry.happened_at,
            amount_mg=written(entry.amount_mg),
            balance_mg=written(entry.balance_mg),
            container_id=entry.container,
            container=entry.container_label,
            recorded_by=entry.recorded_by,
            witness=entry.witness,
            remark=entry.remark,
            dose_id=entry.dose,
            unit_id=entry.unit,
            client_id=entry.client,
            chart_number=entry.chart_number,
        )


class LedgerOut(Wire, frozen=True, kw_only=True):
    """The ledger of one medicine in one form on one local day, between two balances."""

    day: date
    opening_mg: str
    entries: list[EntryOut]
    closing_mg: str


@reading("/programmes/{programme_id:uuid}/stock-ledger", act=Act.SEE_DISPENSING_LOG, name="read_stock_ledger")
async def read_stock_ledger(
    programme_id: FromPath[UUID], work: TheWork, medicine: OfMedicine, form: OfForm, day: First = None
) -> LedgerOut:
    """Everything that was recorded of one medicine in one form on one local day, with the balance after each line."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    wanted = day or programme.today(work.now)
    page = await read_ledger(
        programme.id,
        medicine,
        form,
        Period(first=wanted, last=wanted),
        by=work.by,
        ledger=Ledger(work.connection, work.journal),
    )
    return LedgerOut(
        day=wanted,
        opening_mg=written(page.opening_mg),
        entries=[EntryOut.of(entry) for entry in page.entries],
        closing_mg=written(page.closing_mg),
    )


@reading(
    "/programmes/{programme_id:uuid}/controlled-drugs-register",
    act=Act.SEE_DISPENSING_LOG,
    name="export_register",
    operation_class=CSV_FILE,
)
async def export_register(
    programme_id: FromPath[UUID],
    work: TheWork,
    medicine: OfMedicine,
    form: OfForm,
    first: First = None,
    last: Last = None,
) -> Response[str]:
    """The register of one medicine in one form as CSV: what came from whom, what went to whom on whose authority.

    Whether clients stand in it by name is the profile's to say.
    """
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    begins = first or last or programme.today(work.now)
    named = programme.rules_on(begins).stock.register.names_clients
    page = await read_ledger(
        programme.id,
        medicine,
        form,
        Period(first=begins, last=last or begins),
        named=named,
        by=work.by,
        ledger=Ledger(work.connection, work.journal),
    )
    zone = programme.zone
    forward = [Plain(""), str(begins), "brought forward", *[""] * 18, Plain(written(page.opening_mg)), *[""] * 5]
    lines = [_register_line(each, each.happened_at.astimezone(zone).date()) for each in page.entries]
    return csv_file(REGISTER, [forward, *(line for line in lines if line is not None)])


def _collected(entry: Entry) -> list[str | None]:
    """The person collecting (regulation 19), in which role, and whether proof of identity was requested and provided.

    Somebody else stands by name where the register names people. At the window an identity document is such a proof;
    whoever was known, or recognised by the photograph, was not asked for one.
    """
    if entry.kind is EntryKind.DOSE:
        how = entry.identified_by
        proof = _NOT_SAID if how is None else _YES_NO[how is IdentifiedBy.ID_DOCUMENT]
        return ["the client, at the window", "patient", None, proof, proof, how]
    said = entry.collecting
    if said is None:
        return [None] * 6
    who, role = _role_of(said)
    asked = said.identity
    proof = (_NOT_SAID, _NOT_SAID) if asked is None else (_YES_NO[asked.requested], _YES_NO[asked.provided])
    return [who, role, said.address, *proof, None]


def _role_of(said: Collecting) -> tuple[str, str]:
    """Who it was, and in which of the register's roles."""
    match said.collector:
        case Collector.CLIENT:
            return "the client", "patient"
        case Collector.OTHER:
            return said.name or "somebody else", "representative"
        case Collector.HEALTH_PROFESSIONAL:
            return said.name or "somebody else", "healthcare professional"
        case Collector.NOT_SAID:
            return _NOT_SAID, _NOT_SAID
        case _:
            assert_never(said.collector)


def _register_line(entry: Entry, day: date) -> list[str | None] | None:
    if entry.kind in _INSIDE:
        return None
    came, went = max(entry.amount_mg, Decimal(0)), max(-entry.amount_mg, Decimal(0))
    name = None if entry.family_name is None else f"{entry.given_name} {entry.family_name}"
    return [
        entry.recorded_at.isoformat(),
        str(day),
        entry.kind,
        entry.supplier_name,
        entry.supplier_address,
        entry.document,
        name,
        entry.address,
        entry.chart_number,
        entry.authority,
        *_collected(entry),
        None if entry.strength_mg is None else written(entry.strength_mg),
        _quantity(came, entry.strength_mg),
        written(came) if came else None,
        _quantity(went, entry.strength_mg),
        written(went) if went else None,
        Plain(written(entry.balance_mg)),
        entry.container_label,
        entry.recorded_by,
        entry.witness,
        entry.remark,
        None if entry.dose is None else str(entry.dose),
    ]


def _quantity(amount_mg: Decimal, strength_mg: Decimal | None) -> str | None:
    return quantity(amount_mg, strength_mg) if amount_mg and strength_mg is not None else None
