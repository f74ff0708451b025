"""How a programme holds its sessions: how large a group may be, when its week begins, who countersigns notes.

What a programme has not said is taken from `sessions.toml`, where each number has its source.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import ClassVar, Protocol

import msgspec

from caseload.domain.access import Act
from caseload.domain.attendance.session import LARGEST_ROSTER
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.schedule import Weekday

LONGEST_SIGNING_HOURS = 24 * 31


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a number comes from."""

    source: str


class GroupRule(Said, frozen=True):
    """How many clients a group has room for."""

    places: int


class NoteRule(Said, frozen=True):
    """Within how many hours of its session a note is to be signed."""

    sign_within_hours: int


class HoursRule(Said, frozen=True):
    """How many hours a week a level of care asks for; the edition names the level."""

    edition: str
    level: str
    at_least_hours: int = 0
    below_hours: int | None = None


class Usual(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is usual, as `sessions.toml` says it."""

    version: int
    group: GroupRule
    notes: NoteRule
    hours: tuple[HoursRule, ...]

    def hours_of(self, edition: str, level: str) -> HoursRule | None:
        """What this level of care asks for, where there is a rule."""
        return next((each for each in self.hours if (each.edition, each.level) == (edition, level)), None)


class SessionRulesRaced(Conflict):
    """Somebody else has said meanwhile how sessions are held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """How one programme holds its sessions."""

    week_starts_on: Weekday = Weekday.MONDAY
    group_places: int
    """The largest group it holds."""
    notes_co_signed: bool = False
    """Whether a note that anybody but a supervisor signed waits for one."""
    sign_within_hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRulesSet(Event):
    """Somebody said how a programme holds its sessions."""

    name: ClassVar[str] = "programme.session_rules_set"


class RulesOfSessions(Protocol):
    """How programmes hold their sessions."""

    async def rules_of(self, programme: ProgrammeId) -> tuple[SessionRules, int]:
        """The newest rules with their version; the usual ones, as version 0, where nobody has said any."""
        ...

    async def add_rules(
        self, programme: ProgrammeId, rules: SessionRules, *, version: int, by: StaffId, now: datetime
    ) -> None:
        """Keep a version; `SessionRulesRaced` when it exists."""
        ...


@cache
def usual() -> Usual:
    """What is usual, read once."""
    text = (files("caseload.domain.attendance") / "sessions.toml").read_bytes()
    return msgspec.toml.decode(text, type=Usual)


def usual_rules() -> SessionRules:
    """The rules of a programme that has said none."""
    said = usual()
    return SessionRules(group_places=said.group.places, sign_within_hours=said.notes.sign_within_hours)


async def set_session_rules(
    rules: SessionRules,
    *,
    version: int,
    programme: ProgrammeId,
    by: Staff,
    now: datetime,
    kept: RulesOfSessions,
    journal: Journal,
) -> None:
    """Say how a programme holds its sessions from now on; `version` is the one that the caller read.

    What was planned and signed before stays as it was. Raises `NotPermitted`, `Invalid`, `SessionRulesRaced`.
    """
    by.require(Act.SET_SESSION_RULES, programme)
    faults = Faults()
    faults.check(
        when=not 1 <= rules.group_places <= LARGEST_ROSTER,
        where="group_places",
        problem=f"must be from 1 to {LARGEST_ROSTER}",
    )
    faults.check(
        when=not 1 <= rules.sign_within_hours <= LONGEST_SIGNING_HOURS,
        where="sign_within_hours",
        problem=f"must be from 1 to {LONGEST_SIGNING_HOURS}",
    )
    faults.raise_if_any()
    await kept.add_rules(programme, rules, version=version + 1, by=by.id, now=now)
    journal.tell(
        SessionRulesSet(
            records=(programme,), facts={"version": version + 1, "notes_co_signed": int(rules.notes_co_signed)}
        )
    )
