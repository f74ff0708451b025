"""Looking at a broken glass: by somebody else, by the end of the next working day, with an outcome."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from caseload.domain.errors import Conflict, Faults, NotPermitted
from caseload.domain.glass.breaking import Broken, Glasses, end_glass
from caseload.domain.ids import GlassId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

LONGEST_NOTE: Final = 2000


class Outcome(StrEnum):
    """What whoever looked came to."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not_justified"
    """What follows from that is done elsewhere."""


class NotYourOwnGlass(NotPermitted):
    """You cannot review what you did yourself."""

    def __init__(self) -> None:
        super().__init__("Ask another privacy officer to look at it.")


class GlassReviewedAlready(Conflict):
    """Somebody has reviewed this already."""

    def __init__(self) -> None:
        super().__init__("Read their outcome.")


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassReview:
    """Somebody's word that they have looked at it."""

    glass: GlassId
    outcome: Outcome
    note: str
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassReviewed(Event):
    """Somebody looked at a broken glass."""

    name: ClassVar[str] = "glass.reviewed"


class GlassReviews(Glasses, Protocol):
    """The reviews that are kept."""

    async def add_review(self, broken: Broken, review: GlassReview, /) -> None:
        """Keep it; `GlassReviewedAlready` when there is one."""
        ...


async def review_glass(
    broken: Broken, outcome: Outcome, note: str, *, by: Staff, now: datetime, glasses: GlassReviews, journal: Journal
) -> GlassReview:
    """Keep what somebody else came to. A glass that is still broken ends with it: nothing may happen unseen after it.

    Raises `NotYourOwnGlass`, `Invalid`, `GlassReviewedAlready`.
    """
    if broken.staff == by.id:
        raise NotYourOwnGlass
    faults = Faults()
    faults.check(
        when=not 0 < len(note.strip()) <= LONGEST_NOTE,
        where="note",
        problem=f"must say in 1 to {LONGEST_NOTE} characters what the outcome rests on",
    )
    faults.raise_if_any()
    review = GlassReview(glass=broken.id, outcome=outcome, note=note.strip(), by=by.id, at=now)
    await glasses.add_review(broken, review)
    journal.tell(GlassReviewed(client=broken.client, records=(broken.id,), facts={"outcome": outcome.value}))
    await end_glass(broken, by=by.id, now=now, glasses=glasses, journal=journal)
    return review
