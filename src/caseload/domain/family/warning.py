"""Safety warnings about somebody around a client: what must not be done, whatever was signed.

A consent can be signed under somebody's eyes. Whoever is warned of for domestic risk is told nothing about the client, by
no consent and by no exception, until the warning is lifted; whoever is not to be called is not rung. Listening stays free
(product convention; no rule of 42 CFR part 2 asks for it).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import ClientId, RelatedPersonId, StaffId, WarningId
from caseload.domain.journal import Event


class WarningKind(StrEnum):
    """What a safety warning is about, the graver first."""

    DOMESTIC_RISK = "domestic_risk"
    """May harm the client: is told nothing about them, and is not rung."""
    DO_NOT_CALL = "do_not_call"
    """Is not rung: somebody else may answer or listen, or they do not want it."""


class WarningUnknown(NotFound):
    """No such warning about this person."""

    def __init__(self) -> None:
        super().__init__("Read the person again for the warnings there are.")


class AlreadyWarned(Conflict):
    """This warning about the person stands already."""

    def __init__(self) -> None:
        super().__init__("Nothing needs to be done. To say something else, lift it and record a new one.")


class WarningLifted(Conflict):
    """This warning has been lifted."""

    def __init__(self) -> None:
        super().__init__("Nothing needs to be done. Read the person for when, and why.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WarnedBy:
    """Whose word it was, and when they said it."""

    who: str
    """The client, the person themselves, a neighbour: in words."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyWarning:
    """That somebody around a client must not be called, or told anything, from when to when."""

    id: WarningId
    client: ClientId
    person: RelatedPersonId
    kind: WarningKind
    note: str
    """What whoever is about to ring or tell has to know."""
    recorded_by: StaffId
    recorded_at: datetime
    said: WarnedBy | None = None
    """Who said so, and when; always there for `do_not_call`, which somebody asked for (none before it was kept)."""
    lifted_at: datetime | None = None
    lifted_by: StaffId | None = None
    lifted_because: str | None = None

    def counts(self, at: datetime) -> bool:
        """Whether it stands at that moment: as soon as it is known until, and not including, when it was lifted.

        It forbids what was begun before it, too.
        """
        return self.lifted_at is None or at < self.lifted_at


def stopping(warnings: Iterable[SafetyWarning], *, at: datetime, rings: bool) -> WarningKind | None:
    """The warning that forbids telling somebody now; `rings` says that they would be called, or were."""
    standing = {each.kind for each in warnings if each.counts(at)}
    if WarningKind.DOMESTIC_RISK in standing:
        return WarningKind.DOMESTIC_RISK
    return WarningKind.DO_NOT_CALL if rings and WarningKind.DO_NOT_CALL in standing else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonWarnedOf(Event):
    """A safety warning about somebody around a client was recorded."""

    name: ClassVar[str] = "family.warning_recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonNoLongerWarnedOf(Event):
    """A safety warning about somebody around a client was lifted."""

    name: ClassVar[str] = "family.warning_lifted"


class Warnings(Protocol):
    """The safety warnings about people around clients."""

    async def warn(self, warning: SafetyWarning, /) -> None:
        """Keep it, once nothing is being told about the client; `AlreadyWarned` when one of this kind stands."""
        ...

    async def lift(self, lifted: SafetyWarning, /) -> None:
        """Keep when and why it was lifted; `WarningLifted` when somebody else was faster."""
        ...
