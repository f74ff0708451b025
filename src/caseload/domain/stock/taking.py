"""What doses take from stock, put right: put back as lines of its own, and taken from where it in fact came.

A dose that is recorded takes in the same statement (`db/stock/taking.py`); nothing here ever refuses a dose.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.dosing import Dose, DoseMoved, Doses
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ContainerId, DoseId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication.record import check_reason
from caseload.domain.medicines import Form, Medicine, check_milligrams
from caseload.domain.people import Staff


class TookNothing(Conflict):
    """This dose took nothing from our stock."""

    def __init__(self) -> None:
        super().__init__(
            "The programme kept no stock with us on that day, a pharmacy had delivered it for the client by name, or the"
            " dose was in fact not given."
        )


class TookDifferently(Event):
    """Somebody said from which containers a dose in fact came."""

    name: ClassVar[str] = "stock.dose_reassigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of what a dose took: negative took, positive put back."""

    container: ContainerId | None
    """None where nobody has said from which."""
    medicine: Medicine
    form: Form
    amount_mg: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class From:
    """So much of a dose came from this container."""

    container: ContainerId
    amount_mg: Decimal


class Takings(Protocol):
    """Where what doses take is kept, beside the doses themselves."""

    async def lines_of(self, dose: DoseId, /) -> Sequence[Line]:
        """Every line of a dose, in the order in which they were made."""
        ...

    async def add_lines(self, dose: Dose, lines: Sequence[Line], /, *, by: Staff, at: datetime, reason: str) -> None:
        """Keep further lines of a dose; raises `Invalid` for a container that does not hold this or is not there."""
        ...


def put_back(lines: Sequence[Line]) -> Sequence[Line]:
    """What puts back everything that is still taken."""
    held: dict[tuple[ContainerId | None, Medicine, Form], Decimal] = defaultdict(Decimal)
    for line in lines:
        held[line.container, line.medicine, line.form] += line.amount_mg
    return [
        Line(container=container, medicine=medicine, form=form, amount_mg=-amount)
        for (container, medicine, form), amount in held.items()
        if amount != 0
    ]


def taken_anew(
    lines: Sequence[Line], medicine: Medicine, form: Form, amount_mg: Decimal, fits: ContainerId | None
) -> Sequence[Line]:
    """What an amended dose comes to: everything back, and the new amount from where the old one came.

    Of another medicine or form it comes from the container that `fits`.
    """
    before = next((line for line in reversed(lines) if line.amount_mg < 0), None)
    same = before is not None and (before.medicine, before.form) == (medicine, form)
    container = before.container if before is not None and same else fits
    return [*put_back(lines), Line(container=container, medicine=medicine, form=form, amount_mg=-amount_mg)]


async def say_whence(
    dose_id: DoseId,
    version: int,
    sources: Sequence[From],
    reason: str,
    *,
    by: Staff,
    now: datetime,
    doses: Doses,
    takings: Takings,
    journal: Journal,
) -> None:
    """Say from which containers a dose in fact came: it was taken from another, from two, or nobody had said.

    Raises `Invalid`, `DoseUnknown`, `DoseMoved`, `TookNothing`, `NotPermitted`.
    """
    faults = Faults()
    check_reason(reason, faults)
    faults.check(when=not 1 <= len(sources) <= 10, where="sources", problem="name 1 to 10 containers")
    faults.check(
        when=len({source.container for source in sources}) != len(sources),
        where="sources",
        problem="name each container once",
    )
    for place, source in enumerate(sources):
        check_milligrams(source.amount_mg, f"sources.{place}.amount_mg", faults)
    faults.raise_if_any()
    seen = await doses.dose(dose_id, by=by, act=Act.RECORD_DOSE)
    await doses.lock(seen.client, by=by, act=Act.RECORD_DOSE)
    dose = await doses.dose(dose_id, by=by, act=Act.RECORD_DOSE)
    if dose.version != version:
        raise DoseMoved("Read the dose again.", version=dose.version)
    back = put_back(await takings.lines_of(dose.id))
    if not back:
        raise TookNothing
    faults.check(
        when=sum(source.amount_mg for source in sources) != dose.amount_mg,
        where="sources",
        problem=f"must come to the {dose.amount_mg:f} mg of the dose",
    )
    faults.raise_if_any()
    taken = [
        Line(container=source.container, medicine=dose.medicine, form=dose.form, amount_mg=-source.amount_mg)
        for source in sources
    ]
    await takings.add_lines(dose, [*back, *taken], by=by, at=now, reason=reason)
    journal.tell(TookDifferently(client=dose.client, records=(dose.id, *(source.container for source in sources))))
