"""After a history ends: days of which nobody has told us, and who found out what happened on them.

They are not missed days and not days with a dose. A prescriber must decide before the next dose (the profile's rule
for days that are not known); what somebody found out by asking the client, the family or another clinic is kept
beside it, with a name, and takes the client off the worklist.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults
from caseload.domain.history.cells import is_plain
from caseload.domain.ids import ClientId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.medicines import Medicine
from caseload.domain.people import Staff

LONGEST_NOTE = 2000


class Finding(StrEnum):
    """What the days after the history turned out to be."""

    NO_DOSES = "no_doses"
    """Nothing was taken."""
    DOSES_ELSEWHERE = "doses_elsewhere"
    """Medicine was given by somebody else; the note says by whom and how much."""
    CANNOT_BE_KNOWN = "cannot_be_known"
    """Everybody who could tell was asked."""


class NothingToVerify(Conflict):
    """There are no days of this client left to verify."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToVerify:
    """One line of the worklist: since when nothing is known of a client, and what would take them off the list."""

    client: ClientId
    programme: ProgrammeId
    given_name: str
    family_name: str
    source: str
    last_dose_on: date | None
    last_medicine: Medicine | None
    last_amounts_mg: tuple[Decimal, ...]
    """Of every dose of that day; more than one where nobody has decided whether the second corrects the first."""
    last_day_covered: date

    @property
    def because(self) -> str:
        """Why the client is on the list."""
        return f"The history from {self.source} tells of the days up to {self.last_day_covered}."

    @property
    def clears(self) -> str:
        """What would take the client off the list."""
        return "Ask the client or whoever treated them since, and record what you found."


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What somebody found out."""

    id: UUID
    client: ClientId
    until: date
    """The last day that it speaks of."""
    finding: Finding
    note: str
    verified_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryVerified(Event):
    """Somebody found out about the days after a brought-in history ends."""

    name: ClassVar[str] = "history.verified"


class Verifications(Protocol):
    """What was found out, and about whom nothing yet."""

    async def waiting(self, whom: ClientId, *, by: Staff) -> ToVerify | None:
        """The client's line of the worklist, if they stand on it; `ClientUnknown` outside the person's reach."""
        ...

    async def to_verify(self, *, by: Staff, after: ClientId | None, limit: int) -> Sequence[ToVerify]:
        """Whoever within reach stands on the worklist, in the order of registration."""
        ...

    async def add_verification(self, verification: Verification) -> None:
        """Keep what was found out."""
        ...


async def verify(
    client: ClientId,
    finding: Finding,
    note: str,
    *,
    as_id: UUID,
    until: date,
    today: date,
    by: Staff,
    now: datetime,
    verifications: Verifications,
    journal: Journal,
) -> Verification:
    """Record what happened on the days after the history ends.

    Raises `NotPermitted`, `ClientUnknown`, `NothingToVerify`, `Invalid`.
    """
    waiting = await verifications.waiting(client, by=by)
    if waiting is None:
        raise NothingToVerify("The history of this client has been verified, or none was brought in.")
    by.require(Act.VERIFY_HISTORY, waiting.programme)
    faults = Faults()
    faults.check(when=not note.strip(), where="note", problem="say whom you asked and what they said")
    faults.check(when=len(note) > LONGEST_NOTE, where="note", problem=f"must have at most {LONGEST_NOTE} characters")
    faults.check(when=not is_plain(note.replace("\n", " ")), where="note", problem="must not hold control characters")
    faults.check(when=until > today, where="until", problem="cannot lie in the future")
    faults.check(
        when=until <= waiting.last_day_covered,
        where="until",
        problem=f"must come after {waiting.last_day_covered}, the last day that the history tells of",
    )
    faults.raise_if_any()
    verification = Verification(
        id=as_id,
        client=client,
        until=until,
        finding=finding,
        note=note,
        verified_by=by.id,
        recorded_at=now,
    )
    await verifications.add_verification(verification)
    journal.tell(HistoryVerified(client=client, records=(verification.id,), facts={"finding": finding.value}))
    return verification
