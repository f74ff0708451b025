"""The emergency instruction: what whoever learns of an emergency does on the spot.

A programme writes its own, in versions; until it has, that of its country stands (`rules.toml`), so that there is one
always.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import ClassVar, Final, Protocol

import msgspec

from caseload.domain.access import Act
from caseload.domain.catalogue import Country
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

LONGEST_INSTRUCTION: Final = 2000
OWN: Final = "The programme's own instruction"


class InstructionChanged(Conflict):
    """The emergency instruction of this programme has been changed since you read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One version of what to do in an emergency."""

    programme: ProgrammeId
    version: int
    """0 where the programme has written none of its own."""
    says: str
    source: str
    """Who says so: the rule of the country with its source, or the programme."""
    decided_by: StaffId | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyInstructed(Event):
    """A programme wrote what to do in an emergency."""

    name: ClassVar[str] = "escalation.instructed"


class Instructions(Protocol):
    """What programmes have written."""

    async def instruction(self, programme: ProgrammeId, /) -> Instruction | None:
        """The newest version of a programme's own; None where it has none."""
        ...

    async def add_instruction(self, instruction: Instruction, /) -> None:
        """Keep it; `InstructionChanged` when there is such a version already."""
        ...


async def instruct(
    programme: ProgrammeId,
    says: str,
    *,
    version: int,
    by: Staff,
    now: datetime,
    instructions: Instructions,
    journal: Journal,
) -> Instruction:
    """Write what to do in an emergency, as the version after the one that the caller read.

    Raises `NotPermitted`, `Invalid`, `InstructionChanged`.
    """
    by.require(Act.KEEP_CHECK_IN_RULES, programme)
    faults = Faults()
    faults.check(when=not says.strip(), where="says", problem="say what to do, with the numbers to call")
    faults.check(
        when=len(says) > LONGEST_INSTRUCTION,
        where="says",
        problem=f"must have at most {LONGEST_INSTRUCTION} characters",
    )
    faults.raise_if_any()
    written = Instruction(
        programme=programme,
        version=version + 1,
        says=says.strip(),
        source=OWN,
        decided_by=by.id,
        decided_at=now,
    )
    await instructions.add_instruction(written)
    journal.tell(EmergencyInstructed(facts={"programme": str(programme), "version": written.version}))
    return written


def usual_instruction(programme: ProgrammeId, country: Country, day: date) -> Instruction:
    """What the country's rule says, of the version in force on a local day (its first version before that)."""
    versions = sorted((rule for rule in _rules() if rule.jurisdiction is country), key=lambda rule: rule.version)
    rule = next((rule for rule in reversed(versions) if rule.in_force_from <= day), versions[0])
    label = f"{rule.jurisdiction}-{rule.version}/emergency"
    return Instruction(programme=programme, version=0, says=rule.says, source=f"{label}: {rule.source}")


class _Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    jurisdiction: Country
    version: int
    in_force_from: date
    says: str
    source: str


@cache
def _rules() -> tuple[_Rule, ...]:
    text = (files("caseload.domain.escalation") / "rules.toml").read_bytes()
    return msgspec.toml.decode(text, type=dict[str, tuple[_Rule, ...]])["rules"]
