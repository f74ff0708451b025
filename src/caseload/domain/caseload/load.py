"""How much each counsellor carries, how late it is, and until when they counsel: what a supervisor must see.

Nothing here refuses anything: a client without a counsellor would be worse than a counsellor with one too many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol
from uuid import UUID

from caseload.domain.access import Act
from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import ClientId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

LARGEST_CEILING: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one counsellor carries in one programme now."""

    counsellor: StaffId
    printed_name: str
    responsible: int
    """Clients whom they answer for."""
    covering: int
    """Clients whom they stand in for."""
    overdue: int
    """Check-ins of both that are overdue: the lines of the overdue list of this counsellor in this programme."""
    overdue_since: datetime | None
    """Since when the longest of them is."""
    ceiling: int | None
    """With more clients than this a supervisor is warned; None where nobody said."""
    counsels_now: bool
    """Whether they are a counsellor here: false for somebody whose role has ended while clients are theirs."""
    counsels_until: datetime | None
    """When their role ends by itself; None where it does not, or has."""
    away_until: datetime | None
    covered_by: StaffId | None
    """Who stands in while they are away."""

    @property
    def is_over(self) -> bool:
        """More clients are theirs than the ceiling says."""
        return self.ceiling is not None and self.responsible > self.ceiling


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlooked:
    """A client whose responsible counsellor is, or will be, no counsellor of the programme any more."""

    responsibility: UUID
    client: ClientId
    given_name: str
    family_name: str
    birth_date: date
    counsellor: StaffId
    since: datetime
    """From when on nobody who counsels here answers for the client."""


class Worry(StrEnum):
    """What whoever hands a client over is told about the new counsellor."""

    OVER_CEILING = "over_ceiling"
    ROLE_ENDS = "role_ends"
    AWAY = "away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """One warning: it has prevented nothing."""

    worry: Worry
    clients: int | None = None
    ceiling: int | None = None
    at: datetime | None = None
    """When the role ends, or until when they are away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CeilingSet(Event):
    """Somebody said how many clients a counsellor is meant to have at most."""

    name: ClassVar[str] = "caseload.ceiling_set"


class Ceilings(Protocol):
    """The ceilings that are kept."""

    async def load(self, of: StaffId, programme: ProgrammeId) -> Load | None:
        """What one counsellor of a programme carries; None where they do not counsel there and have no clients."""
        ...

    async def add_ceiling(
        self,
        as_id: UUID,
        programme: ProgrammeId,
        counsellor: StaffId | None,
        ceiling: int | None,
        *,
        by: StaffId,
        now: datetime,
    ) -> None:
        """Keep it: from now on it counts."""
        ...


def warnings(load: Load) -> Sequence[Warned]:
    """What is to be said of whoever has just been given clients."""
    found: list[Warned] = []
    if load.is_over:
        found.append(Warned(worry=Worry.OVER_CEILING, clients=load.responsible, ceiling=load.ceiling))
    if load.counsels_until is not None:
        found.append(Warned(worry=Worry.ROLE_ENDS, at=load.counsels_until))
    if load.away_until is not None:
        found.append(Warned(worry=Worry.AWAY, at=load.away_until))
    return found


async def set_ceiling(
    programme: ProgrammeId,
    counsellor: StaffId | None,
    ceiling: int | None,
    *,
    as_id: UUID,
    by: Staff,
    now: datetime,
    ceilings: Ceilings,
    journal: Journal,
) -> None:
    """Say from how many clients on to warn: of one counsellor, or of everybody of whom nothing else was said.

    None takes the word back. Raises `NotPermitted`, `Invalid`.
    """
    by.require(Act.HAND_OVER, programme)
    if ceiling is not None and not 1 <= ceiling <= LARGEST_CEILING:
        raise Invalid(Fault("ceiling", f"must be between 1 and {LARGEST_CEILING}"))
    if counsellor is not None and await ceilings.load(counsellor, programme) is None:
        raise Invalid(Fault("counsellor_id", "must be somebody who counsels in this programme, or has clients there"))
    await ceilings.add_ceiling(as_id, programme, counsellor, ceiling, by=by.id, now=now)
    of = "everybody" if counsellor is None else str(counsellor)
    facts: dict[str, str | int] = {"programme": str(programme), "of": of, "ceiling": ceiling or 0}
    journal.tell(CeilingSet(records=(as_id,), facts=facts))
