"""What a kind of job is: a name, and a function that does one step of it in one piece of work."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from caseload.domain.job import Job
from caseload.request.work import Work


class Step(Enum):
    """What one step of a job has come to."""

    DONE = auto()
    """It is done; that is kept together with what this step has done."""
    MORE = auto()
    """Part of it is done and kept, and another step follows, by this worker or by another one."""
    NOTHING = auto()
    """There was nothing to do. Where nothing was seen or told either, no entry is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of job."""

    name: str
    """As the log names it; the same words as the event that its steps tell, or those of none."""
    step: Callable[[Work, Job], Awaitable[Step]]
    """Does one step. Whatever it raises undoes the step; the job is tried again, and given up after several times.

    Its reads and writes go through `work.connection` and `work.journal`, so that they stand in the audit log. A step
    is one transaction and one entry, and takes some seconds at most: many records are many steps.
    """
    every: timedelta | None = None
    """How long after one has ended the next is due, for a job that comes round by itself."""
