"""Labels: what stands on each unit, with the name, address and telephone of the programme that handed it out.

OAR 415-020-0065 asks for the programme's name, address and telephone, and for packaging that keeps children out (16 CFR
1700). Which words a country asks for beside them is the pharmacy's to know; this is the data.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme
from caseload.domain.takehome.unit import TakeHomeUnit

LONGEST_ADDRESS: Final = 500
LONGEST_TELEPHONE: Final = 40


class NoPremises(Conflict):
    """Nobody has said where the programme is and how to call it."""

    def __init__(self) -> None:
        super().__init__("An administrator records its address and telephone: they stand on every label.")


class PremisesMoved(Conflict):
    """Somebody else has changed them at the same moment."""

    def __init__(self) -> None:
        super().__init__("Read the premises of the programme again.")


class PremisesKept(Event):
    """It was said where a programme is and how to call it."""

    name: ClassVar[str] = "programme.premises_kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """Where a programme is and how to call it, as its labels say."""

    programme: ProgrammeId
    version: int
    address: str
    telephone: str
    recorded_by: StaffId
    recorded_at: datetime


class TheirPremises(Protocol):
    """Where programmes are."""

    async def programme(self, wanted: ProgrammeId, /) -> Programme:
        """The programme; raises `ProgrammeUnknown`."""
        ...

    async def premises(self, programme: ProgrammeId, /) -> Premises | None:
        """What was last said; None where nobody has said anything."""
        ...

    async def add_premises(self, premises: Premises, /) -> None:
        """Keep it; raises `PremisesMoved` when somebody has said something else meanwhile."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What stands on a unit."""

    unit: TakeHomeUnit
    programme: str
    address: str
    telephone: str
    given_name: str
    family_name: str
    birth_date: date


async def keep_premises(
    programme: ProgrammeId,
    address: str,
    telephone: str,
    *,
    by: Staff,
    now: datetime,
    places: TheirPremises,
    journal: Journal,
) -> Premises:
    """Say where a programme is and how to call it. Raises `NotPermitted`, `ProgrammeUnknown`, `Invalid`."""
    by.require(Act.MANAGE_PROGRAMMES, programme)
    await places.programme(programme)
    faults = Faults()
    for where, said, most in (("address", address, LONGEST_ADDRESS), ("telephone", telephone, LONGEST_TELEPHONE)):
        faults.check(when=not 0 < len(said.strip()) <= most, where=where, problem=f"must have 1 to {most} characters")
    faults.raise_if_any()
    before = await places.premises(programme)
    kept = Premises(
        programme=programme,
        version=1 if before is None else before.version + 1,
        address=address.strip(),
        telephone=telephone.strip(),
        recorded_by=by.id,
        recorded_at=now,
    )
    await places.add_premises(kept)
    journal.tell(PremisesKept(facts={"programme": str(programme)}))
    return kept
