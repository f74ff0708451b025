"""A check-in on the wire, with everything that happened to it."""

from datetime import date, datetime
from typing import Self
from uuid import UUID

from litestar import Response

from caseload.api.checkin.answers import CheckInAnswersOut
from caseload.api.checkin.terms import CheckInTermsOut
from caseload.api.wire import Wire
from caseload.api.work import etag
from caseload.domain.checkin import AskedBy, Ended, Mode, Punctuality, Record, Result


class CheckInOutcomeOut(Wire, frozen=True, kw_only=True):
    """One version of how a check-in was settled."""

    version: int
    ended: Ended
    occurred_at: datetime | None
    punctuality: Punctuality | None
    """Against when it was due; null where it did not take place."""
    mode: Mode | None
    note: str | None
    reason: str | None
    overtaken_by: UUID | None
    on_behalf_of: UUID | None
    """The colleague who spoke with the client, where whoever recorded it did not."""
    answers: CheckInAnswersOut | None
    """What was asked and answered; null where nothing was asked."""
    recorded_by: UUID
    recorded_at: datetime


class CheckInAttemptOut(Wire, frozen=True, kw_only=True):
    """An attempt."""

    id: UUID
    attempted_at: datetime
    mode: Mode
    result: Result
    note: str | None
    recorded_by: UUID
    recorded_at: datetime


class CheckInMoveOut(Wire, frozen=True, kw_only=True):
    """Another time that was given to a check-in."""

    number: int
    due_at: datetime
    asked_by: AskedBy
    reason: str | None
    recorded_by: UUID
    recorded_at: datetime


class CheckInOut(Wire, frozen=True, kw_only=True):
    """A check-in with everything that happened to it."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    plan_id: UUID
    plan_version: int
    scheduled_on: date
    due_at: datetime
    grace_ends_at: datetime
    counts_from: datetime
    """From when a contact counts as this check-in."""
    movable_until: datetime
    """Until when it may be moved at the client's wish."""
    terms: CheckInTermsOut
    waiting: bool
    """Whether it still waits to be settled."""
    version: int
    """Of its outcome; also the ETag. 0 where there has been none."""
    outcome: CheckInOutcomeOut | None
    """The one that counts; null while it waits."""
    outcomes: list[CheckInOutcomeOut]
    moves: list[CheckInMoveOut]
    attempts: list[CheckInAttemptOut]

    @classmethod
    def of(cls, record: Record) -> Self:
        """From the domain."""
        check_in = record.check_in
        outcomes = _outcomes(record)
        return cls(
            id=check_in.id,
            client_id=check_in.client,
            programme_id=check_in.programme,
            plan_id=check_in.plan,
            plan_version=check_in.plan_version,
            scheduled_on=check_in.scheduled_on,
            due_at=record.due_at,
            grace_ends_at=record.grace_ends_at,
            counts_from=record.counts_from,
            movable_until=record.movable_until,
            terms=CheckInTermsOut.of(record.terms),
            waiting=record.outcome is None,
            version=len(outcomes),
            outcome=None if record.outcome is None else outcomes[-1],
            outcomes=outcomes,
            moves=_moves(record),
            attempts=_attempts(record),
        )


def _outcomes(record: Record) -> list[CheckInOutcomeOut]:
    return [
        CheckInOutcomeOut(
            version=one.version,
            ended=one.ended,
            occurred_at=one.occurred_at,
            punctuality=None if one.occurred_at is None else record.punctuality(one.occurred_at),
            mode=one.mode,
            note=one.note,
            reason=one.reason,
            overtaken_by=one.overtaken_by,
            on_behalf_of=one.on_behalf_of,
            answers=None if one.answers is None else CheckInAnswersOut.of(one.answers),
            recorded_by=one.recorded_by,
            recorded_at=one.recorded_at,
        )
        for one in record.outcomes
    ]


def _moves(record: Record) -> list[CheckInMoveOut]:
    return [
        CheckInMoveOut(
            number=one.number,
            due_at=one.due_at,
            asked_by=one.asked_by,
            reason=one.reason,
            recorded_by=one.recorded_by,
            recorded_at=one.recorded_at,
        )
        for one in record.moves
    ]


def _attempts(record: Record) -> list[CheckInAttemptOut]:
    return [
        CheckInAttemptOut(
            id=one.id,
            attempted_at=one.attempted_at,
            mode=one.mode,
            result=one.result,
            note=one.note,
            recorded_by=one.recorded_by,
            recorded_at=one.recorded_at,
        )
        for one in record.attempts
    ]


def versioned(record: Record, status: int) -> Response[CheckInOut]:
    """A check-in, named by the ETag of its newest outcome."""
    return Response(CheckInOut.of(record), status_code=status, headers={"ETag": etag(len(record.outcomes))})
