"""What happened to a check-in, as facts with two clocks: when it happened, and when we were told.

An outcome settles a check-in. Outcomes are versions: whatever comes later (a correction, a late entry) is the next
version and the last one counts, so nothing is ever lost and the key of the table settles every race.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from operator import itemgetter
from typing import NamedTuple, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from caseload.domain.access import Reach
from caseload.domain.checkin.answers import Answers
from caseload.domain.checkin.plan import CheckIn
from caseload.domain.checkin.terms import Mode, Terms
from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import CheckInId, ClientId, PlanId, ProgrammeId, StaffId
from caseload.domain.schedule import instant


class Ended(StrEnum):
    """How a check-in was settled."""

    COMPLETED = "completed"
    MISSED = "missed"
    OVERTAKEN = "overtaken"
    """A later check-in of the same plan took place: the client has been seen since."""
    WITHDRAWN = "withdrawn"
    """Its plan was changed or stopped before it was due."""
    RECORDED_IN_ERROR = "recorded_in_error"
    """The version before was a mistake: the check-in is not settled."""


SETTLED_BY_PEOPLE = frozenset({Ended.COMPLETED, Ended.MISSED})
"""What somebody said about this very check-in; to say otherwise is a correction, with a reason."""


class Result(StrEnum):
    """How an attempt to reach the client ended without a check-in."""

    NO_ANSWER = "no_answer"
    LEFT_MESSAGE = "left_message"
    WRONG_NUMBER = "wrong_number"
    NOT_THERE = "not_there"
    DECLINED = "declined"


class AskedBy(StrEnum):
    """At whose wish a check-in was moved."""

    CLIENT = "client"
    PROVIDER = "provider"
    CLOSURE = "closure"
    """At nobody's: the programme is closed on the day."""
    ZONE = "zone"
    """At nobody's: the programme moved to another time zone, and the clock shows the same."""


_MOVED_BY_THEMSELVES = frozenset({AskedBy.CLIENT, AskedBy.ZONE})
"""Moves by which the clinic did not say anew when a check-in is due."""


class Punctuality(StrEnum):
    """When a check-in took place, against when it was due."""

    EARLY = "early"
    ON_TIME = "on_time"
    LATE = "late"


class LastFact(StrEnum):
    """What we were last told of a check-in that waits."""

    SCHEDULED = "scheduled"
    ATTEMPTED = "attempted"
    RESCHEDULED = "rescheduled"
    REOPENED = "reopened"


class CheckInUnknown(NotFound):
    """No such check-in within your reach."""


class AlreadySettled(Conflict):
    """This check-in has already been settled."""


class NoLongerOpen(Conflict):
    """This check-in no longer waits for anybody: its plan was changed, or a later check-in took place."""


class OutcomeChanged(Conflict):
    """The outcome of this check-in has changed since you read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Somebody tried to reach the client, and it did not become a check-in. Not a completion, however many."""

    id: UUID
    check_in: CheckInId
    attempted_at: datetime
    mode: Mode
    result: Result
    note: str | None
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A check-in was given another time."""

    check_in: CheckInId
    number: int
    """1 for the first move of this check-in; two at the same moment cannot both have it."""
    due_at: datetime
    grace_ends_at: datetime
    asked_by: AskedBy
    reason: str | None
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a check-in was settled: one version, kept for ever."""

    check_in: CheckInId
    version: int
    ended: Ended
    occurred_at: datetime | None = None
    """When it took place; None where it did not."""
    mode: Mode | None = None
    note: str | None = None
    reason: str | None = None
    """Why it was missed or withdrawn, or why the version before was wrong."""
    overtaken_by: CheckInId | None = None
    on_behalf_of: StaffId | None = None
    """The colleague who spoke with the client, where whoever records it did not."""
    answers: Answers | None = None
    """What was asked and answered; None where nothing was asked, or it did not take place."""
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A check-in with everything that happened to it, in the order in which we were told."""

    check_in: CheckIn
    terms: Terms
    """Of the version of the plan that scheduled it."""
    moves: tuple[Move, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    @property
    def due_at(self) -> datetime:
        """When it is due, after all moves."""
        return self.moves[-1].due_at if self.moves else self.check_in.due_at

    @property
    def grace_ends_at(self) -> datetime:
        """The last instant at which it is not overdue."""
        return self.moves[-1].grace_ends_at if self.moves else self.check_in.grace_ends_at

    @property
    def movable_until(self) -> datetime:
        """Until when it may be moved at the client's wish: one interval after the clinic last said when it was due."""
        ours = [move.due_at for move in self.moves if move.asked_by not in _MOVED_BY_THEMSELVES]
        return self.terms.movable_until(ours[-1] if ours else self.check_in.due_at)

    @property
    def counts_from(self) -> datetime:
        """From when a contact counts as this check-in; whoever comes at the time that was moved is welcome too."""
        return self.terms.counts_from(min(self.due_at, self.check_in.due_at, self._named_at))

    @property
    def _named_at(self) -> datetime:
        """When the rule named it, whatever was closed on that day."""
        return instant(datetime.combine(self.check_in.scheduled_on, self.terms.rule.at), self.terms.zone)

    @property
    def outcome(self) -> Outcome | None:
        """How it was settled, by the last version; None where it waits, also because the last one was a mistake."""
        last = self.outcomes[-1] if self.outcomes else None
        return None if last is None or last.ended is Ended.RECORDED_IN_ERROR else last

    def punctuality(self, occurred_at: datetime) -> Punctuality:
        """Whether a contact at that instant is early, on time or late."""
        if occurred_at < self.due_at:
            return Punctuality.EARLY
        return Punctuality.LATE if occurred_at > self.grace_ends_at else Punctuality.ON_TIME


class Waiting(NamedTuple):
    """A check-in that waits to be settled, as the lists need it: derived from its facts, and kept beside them.

    A tuple, which is made in half the time of the other kinds of record: lists make fifty at once.
    """

    check_in: CheckInId
    plan: PlanId
    plan_version: int
    client: ClientId
    programme: ProgrammeId
    due_at: datetime
    grace_ends_at: datetime
    counts_from: datetime
    """From when a contact counts as this check-in, as it is due now."""
    movable_until: datetime
    attempts: int
    last_fact: LastFact
    last_fact_at: datetime
    """When it happened: for an attempt, when it was made."""
    last_fact_by: StaffId | None
    """None where the plan itself brought it about."""
    rule: str
    """The rule of the plan in words."""
    mode: Mode
    grace_days: int
    grace_rule: str | None
    """Profile, version and rule that the grace follows; None where the plan says it itself."""
    zone: ZoneInfo


def waiting(record: Record) -> Waiting | None:
    """What is kept of a check-in while it waits; None once it is settled."""
    if record.outcome is not None:
        return None
    told = [(record.check_in.made_at, LastFact.SCHEDULED, record.check_in.made_at, None)]
    told += [(one.recorded_at, LastFact.ATTEMPTED, one.attempted_at, one.recorded_by) for one in record.attempts]
    told += [(one.recorded_at, LastFact.RESCHEDULED, one.recorded_at, one.recorded_by) for one in record.moves]
    told += [(one.recorded_at, LastFact.REOPENED, one.recorded_at, one.recorded_by) for one in record.outcomes[-1:]]
    _, last_fact, at, by = max(told, key=itemgetter(0))
    return Waiting(
        check_in=record.check_in.id,
        plan=record.check_in.plan,
        plan_version=record.check_in.plan_version,
        client=record.check_in.client,
        programme=record.check_in.programme,
        due_at=record.due_at,
        grace_ends_at=record.grace_ends_at,
        counts_from=record.terms.counts_from(record.due_at),
        movable_until=record.movable_until,
        attempts=len(record.attempts),
        last_fact=last_fact,
        last_fact_at=at,
        last_fact_by=by,
        rule=record.terms.rule.words,
        mode=record.terms.mode,
        grace_days=record.terms.grace_days,
        grace_rule=record.terms.grace_rule,
        zone=record.terms.zone,
    )


class CheckIns(Protocol):
    """The check-ins that are kept."""

    async def hold(self, check_in: CheckInId, /, *, reach: Reach) -> Record:
        """The check-in, its plan held so that nothing of it changes until this piece of work ends; `CheckInUnknown`."""
        ...

    async def closed_days(self, programme: ProgrammeId, /, *, since: date) -> frozenset[date]:
        """The days from then on on which a programme is closed."""
        ...

    async def open_before(self, check_in: CheckIn, /) -> Sequence[Record]:
        """The plan's check-ins that were scheduled before this one and still wait."""
        ...

    async def overtaken_by(self, check_in: CheckInId, /) -> Sequence[Record]:
        """The check-ins that were closed, and still are, because this one took place."""
        ...

    async def in_care(self, client: ClientId, programme: ProgrammeId, /) -> bool:
        """Whether the client has an open episode of care in a programme."""
        ...

    async def add_attempt(self, attempt: Attempt, waiting: Waiting | None) -> None:
        """Keep an attempt, and the check-in as it now waits, if it does."""
        ...

    async def add_move(self, move: Move, waiting: Waiting | None) -> None:
        """Keep a move, and the check-in as it now waits."""
        ...

    async def add_outcomes(self, outcomes: Sequence[Outcome], waiting: Sequence[Waiting]) -> None:
        """Keep outcomes with their answers: of their check-ins exactly these still wait.

        `AlreadySettled` when such a version exists, `Invalid` when nobody is known on whose behalf it was recorded.
        """
        ...
