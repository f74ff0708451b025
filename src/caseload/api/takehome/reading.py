"""A client's take-homes at one look."""

from datetime import date, timedelta
from typing import Final
from uuid import UUID

from litestar.params import FromPath

from caseload.api.route import reading
from caseload.api.takehome.store import take_homes
from caseload.api.takehome.wire import TakeHomeDecisionOut, UnitOut
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.domain.takehome import ReviewReason
from caseload.domain.takehome.decision import day_of_treatment

DAYS_SHOWN: Final = 35


class ReviewOut(Wire, frozen=True, kw_only=True):
    """A take-home decision that a prescriber is to look at again."""

    reasons: list[ReviewReason]
    review_by: date
    decision: TakeHomeDecisionOut


class ReviewsOut(Wire, frozen=True, kw_only=True):
    """The take-home decisions that wait for a prescriber, the first date first."""

    items: list[ReviewOut]


class TakeHomesOut(Wire, frozen=True, kw_only=True):
    """A client's take-homes: the decisions, newest first, and the units of the last days and the days to come."""

    client_id: UUID
    today: date
    day_of_treatment: int
    """The day of the first dose of the episode is day 1; 1 before it."""
    decisions: list[TakeHomeDecisionOut]
    units: list[UnitOut]
    """Also older ones of which nobody has said what became of them."""


@reading("/clients/{client_id:uuid}/take-homes", act=Act.SEE_MEDICATION, name="read_take_homes")
async def read_take_homes(client_id: FromPath[UUID], work: TheWork) -> TakeHomesOut:
    """What a client may take home on whose word, what was handed out for which day, and what became of it."""
    store, wanted = take_homes(work), ClientId(client_id)
    record = await store.record(wanted, by=work.by, act=Act.SEE_MEDICATION)
    today = record.day_of(work.now)
    began = await store.treatment_began(record, today)
    return TakeHomesOut(
        client_id=client_id,
        today=today,
        day_of_treatment=day_of_treatment(began, today),
        decisions=[TakeHomeDecisionOut.of(each) for each in await store.take_home_decisions_of(wanted)],
        units=[UnitOut.of(each) for each in await store.units_since(wanted, today - timedelta(days=DAYS_SHOWN))],
    )


@reading("/programmes/{programme_id:uuid}/take-home-reviews", act=Act.DECIDE_MEDICATION, name="list_take_home_reviews")
async def list_take_home_reviews(programme_id: FromPath[UUID], work: TheWork) -> ReviewsOut:
    """What a prescriber is to look at again: suspended decisions, those whose date has come, units that are missing."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.DECIDE_MEDICATION, programme.id)
    found = await take_homes(work).reviews(
        programme.id, programme.today(work.now), by=work.by, act=Act.DECIDE_MEDICATION
    )
    return ReviewsOut(
        items=[
            ReviewOut(
                reasons=list(each.reasons),
                review_by=each.review_by,
                decision=TakeHomeDecisionOut.of(each.decision),
            )
            for each in found
        ]
    )
