"""Who enters which sheet, where it is kept, and what of a line can be understood."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from caseload.domain.access import Act
from caseload.domain.dosing import Charted, NotGiven, PreDose
from caseload.domain.dosing.observing import PreDoses
from caseload.domain.downtime.answer import (
    Answer,
    Entered,
    Found,
    NobodyOfTheStaff,
    NotOfTheSheet,
    NotTheGiver,
    Outcome,
)
from caseload.domain.downtime.paper import PaperLine, Sheet, What
from caseload.domain.downtime.telling import Aside
from caseload.domain.ids import ClientId, DoseId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.observation import Observations
from caseload.domain.people import Staff
from caseload.domain.programme import Programme
from caseload.domain.stock.waste import Wastes
from caseload.domain.takehome import Dispense
from caseload.domain.takehome.handed_out import TakeHomesHandedOut
from caseload.domain.window import Spilled, VomitedDoses
from caseload.domain.window.spilled import Spills


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Somebody of the staff, at a moment of the sheet."""

    may_give: bool
    """Whether a role in the programme let them give doses at that moment."""


class Sheets(PreDoses, VomitedDoses, Spills, TakeHomesHandedOut, Protocol):
    """Where a sheet is kept, and where it is looked up what the record says already."""

    def aside(self) -> AbstractAsyncContextManager[None]:
        """Undo what is done inside when it raises, and nothing else."""
        ...

    async def hands(
        self, named: Sequence[tuple[StaffId, datetime]], programme: ProgrammeId, /
    ) -> Mapping[tuple[StaffId, datetime], Hand]:
        """Those of the named who are of the staff, each at their moment."""
        ...

    async def doses_since(self, client: ClientId, day: date, /, *, by: Staff) -> Sequence[Charted]:
        """The newest versions of a client's doses since a day."""
        ...

    async def not_given_on(self, client: ClientId, day: date, /) -> Sequence[NotGiven]:
        """What was not given on a day."""
        ...

    async def seen_on(self, client: ClientId, day: date, /) -> Sequence[PreDose]:
        """What was seen before the doses of a day."""
        ...

    async def spills_on(self, client: ClientId, day: date, /) -> Sequence[Spilled]:
        """What was spilled on a day."""
        ...

    async def handed_out_on(self, client: ClientId, day: date, /) -> Sequence[Dispense]:
        """What was handed out on a day."""
        ...

    async def vomited_of(self, dose: DoseId, /) -> Found | None:
        """The record that a dose came back."""
        ...

    async def add_entry(self, entered: Entered, /) -> None:
        """Keep that a sheet was entered, and how each line was answered."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Who enters which sheet, when, and where it is kept."""

    sheet: Sheet
    programme: Programme
    by: Staff
    now: datetime
    store: Sheets
    wastes: Wastes
    observations: Observations
    journal: Journal
    hands: Mapping[tuple[StaffId, datetime], Hand]


Doing = Callable[[PaperLine, Desk, Aside], Awaitable[Answer]]
"""How something that a line says is brought into the record."""


async def check_client(line: PaperLine, desk: Desk) -> None:
    """Lock the client's record; raises `ClientUnknown`, `NotOfTheSheet` unless it is a client of the programme."""
    record = await desk.store.lock(line.client, by=desk.by, act=Act.RECORD_DOSE)
    if record.place(desk.by, Act.RECORD_DOSE) != desk.programme.id:
        raise NotOfTheSheet("The client belongs to another programme: enter the line in a sheet of that one.")


def check_hand(line: PaperLine, at: datetime, desk: Desk) -> None:
    """Raise unless whoever stands on the line could have done it at that moment of the sheet's day."""
    hand = desk.hands.get((line.written_by, at))
    if hand is None:
        raise NobodyOfTheStaff("Read the name on the paper again, and choose it from the staff.")
    if desk.programme.today(at) != desk.sheet.day:
        raise NotOfTheSheet("The time lies on another day than the sheet. Read it on the paper again.")
    if not hand.may_give:
        raise NotTheGiver(
            "They held no role here that may give doses at that moment. Read the name and the time on the paper again; if"
            " it was so all the same, record the dose by itself as a late entry."
        )


def answered(line: PaperLine, what: What, record: UUID, outcome: Outcome = Outcome.RECORDED) -> Answer:
    return Answer(
        line=line.number, what=what, outcome=outcome, client=line.client, written_by=line.written_by, record=record
    )


def found_already(line: PaperLine, what: What, found: Found) -> Answer:
    return replace(answered(line, what, found.record, Outcome.ALREADY), found=found)
