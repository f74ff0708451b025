"""The ledger of one medicine in one form: every act in the order in which it was recorded, with the balance after it.

For the register of the Misuse of Drugs Regulations 2001, regulation 19 and Schedule 6 (received: date, supplier,
quantity; supplied: date, to whom, on whose authority, quantity), and for the inspector. It is read, never written: a
late entry stands where it was recorded, so that what has been shown never changes (regulation 20).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from caseload.domain.access import Act
from caseload.domain.dispensing import Period
from caseload.domain.ids import ClientId, ContainerId, DoseId, ProgrammeId, UnitId
from caseload.domain.medicines import Form, Medicine
from caseload.domain.people import Staff
from caseload.domain.profiles.around import IdentifiedBy
from caseload.domain.stock.words import EntryKind
from caseload.domain.takehome.collecting import Collecting


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger."""

    kind: EntryKind
    recorded_at: datetime
    happened_at: datetime
    amount_mg: Decimal
    """More than zero when it came, less when it went."""
    balance_mg: Decimal
    """What the books have after it, of this medicine and form."""
    container: ContainerId | None
    container_label: str | None
    strength_mg: Decimal | None
    recorded_by: str
    """The printed name."""
    witness: str | None
    remark: str | None
    dose: DoseId | None = None
    unit: UnitId | None = None
    """The take-home unit that left, came back or was destroyed."""
    client: ClientId | None = None
    chart_number: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    address: str | None = None
    """Of the client, as it was known when the line was recorded; where the register names people."""
    authority: str | None = None
    """The prescriber who signed the order."""
    supplier_name: str | None = None
    supplier_address: str | None = None
    document: str | None = None
    collecting: Collecting | None = None
    """Of a take-home unit: who collected it, by name where the register names people."""
    identified_by: IdentifiedBy | None = None
    """Of a dose at the window: how whoever gave it made sure who it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The lines of some days, between two balances."""

    opening_mg: Decimal
    entries: Sequence[Entry]

    @property
    def closing_mg(self) -> Decimal:
        """What the books have at the end."""
        return self.entries[-1].balance_mg if self.entries else self.opening_mg


class Ledger(Protocol):
    """Where the ledger is read."""

    async def page(
        self, programme: ProgrammeId, medicine: Medicine, form: Form, period: Period, /, *, named: bool
    ) -> Page:
        """The lines that were recorded on these local days; clients by name too when `named`."""
        ...


async def read_ledger(
    programme: ProgrammeId,
    medicine: Medicine,
    form: Form,
    period: Period,
    *,
    named: bool = False,
    by: Staff,
    ledger: Ledger,
) -> Page:
    """The ledger of a programme; raises `NotPermitted` for whoever may not read it there."""
    by.require(Act.SEE_DISPENSING_LOG, programme)
    return await ledger.page(programme, medicine, form, period, named=named)
