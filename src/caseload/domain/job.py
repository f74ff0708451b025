"""Work beside the requests: when it is due, how often it is tried, and what becomes of what fails every time.

A job names a kind of work and at most one record, by id: nothing of a client ever stands in it. What it has done and
that it has done it are kept together, so that a job may be given to two workers and is done once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import JobId
from caseload.domain.journal import Event

MOST_ATTEMPTS: Final = 5
"""How often a job is begun without getting any further, before it is given up for a person to look at."""

FIRST_PAUSE: Final = timedelta(seconds=10)
LONGEST_PAUSE: Final = timedelta(minutes=10)

WORKER_ENDED: Final = "WorkerEnded"
"""The problem of a job that never said what was wrong: each worker that began it ended in the middle."""


class JobUnknown(NotFound):
    """There is no such job that was given up."""


class JobWaitsAlready(Conflict):
    """The job need not be tried again."""


class JobEnded(StrEnum):
    """How a job ended."""

    DONE = "done"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A job that is to be done."""

    id: JobId
    kind: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work that a worker has taken on."""

    id: JobId
    kind: str
    key: str
    """What tells it from others of its kind: only one that is not ended has it."""
    subject: UUID | None
    """The record it is about."""
    due_at: datetime
    attempts: int
    """How often it was begun since it last got any further, this time included."""
    takes: int
    """How often it was begun at all: who has begun it before somebody else did is told by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """A job that was tried as often as anything is. It names what went wrong and nobody."""

    id: JobId
    kind: str
    due_at: datetime
    given_up_at: datetime
    attempts: int
    problem: str
    """The kind of error, without its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsStand:
    """What operators see of all jobs together."""

    waiting: int
    """Jobs that are due and not done."""
    oldest: timedelta
    """For how long the oldest of them has been due; nothing where none is."""
    given_up: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobGivenUp(Event):
    """A job was tried as often as anything is, and waits for an operator."""

    name: ClassVar[str] = "job.given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTriedAgain(Event):
    """An operator had a job tried anew that had been given up."""

    name: ClassVar[str] = "job.tried_again"


def pause_after(attempts: int) -> timedelta:
    """How long to wait before a job that failed so often is tried again: twice as long each time, within bounds."""
    doubled = FIRST_PAUSE.total_seconds() * 2.0 ** min(attempts - 1, 16)
    return min(timedelta(seconds=doubled), LONGEST_PAUSE)


def is_last(job: Job) -> bool:
    """Whether this attempt is the last one."""
    return job.attempts >= MOST_ATTEMPTS


def never_said_why(job: Job) -> bool:
    """Whether every attempt that is allowed has been begun before this one and none ended: it ends its workers."""
    return job.attempts > MOST_ATTEMPTS
