"""Escalations on the wire."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from caseload.api.escalation.instruction import EmergencyInstructionOut
from caseload.api.on_call import ReachedOut
from caseload.api.wire import Wire
from caseload.domain.escalation import Escalation, Ground, PassedTo, Passing


class EscalationIn(Wire, frozen=True, kw_only=True):
    """What does not wait."""

    ground: Ground
    said: str
    """What was said or seen."""


class AcknowledgementIn(Wire, frozen=True, kw_only=True):
    """That you take it on."""

    doing: str
    """What is being done."""


class AcknowledgementOut(Wire, frozen=True, kw_only=True):
    """That a clinician has taken it on."""

    doing: str
    acknowledged_by: UUID
    acknowledged_at: datetime


class PassingOut(Wire, frozen=True, kw_only=True):
    """That nobody had acknowledged it in time, and to whom it went then. It stays open."""

    passed_to: PassedTo
    staff: list[UUID]
    """Who that was; empty where nobody was on call, or nobody supervised."""
    rule: str
    passed_at: datetime


class EscalationOut(Wire, frozen=True, kw_only=True):
    """What a clinician must hear of at once."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    ground: Ground
    check_in_id: UUID | None
    """The check-in of which an answer raised it."""
    observation_id: UUID | None
    """The observation outside a check-in of which an answer raised it."""
    said: str | None
    raised_by: UUID
    raised_at: datetime
    acknowledgement: AcknowledgementOut | None
    """Null while it is open."""
    passed: list[PassingOut]
    """To whom it went because nobody acknowledged it in time, in their turn."""

    @classmethod
    def of(cls, one: Escalation, passings: Sequence[Passing] = ()) -> "EscalationOut":
        """From the domain."""
        taken_on = one.acknowledged
        return cls(
            id=one.id,
            client_id=one.client,
            programme_id=one.programme,
            ground=one.ground,
            check_in_id=one.check_in,
            observation_id=None if one.observation is None else one.observation.id,
            said=one.said,
            raised_by=one.raised_by,
            raised_at=one.raised_at,
            acknowledgement=None
            if taken_on is None
            else AcknowledgementOut(doing=taken_on.doing, acknowledged_by=taken_on.by, acknowledged_at=taken_on.at),
            passed=[
                PassingOut(passed_to=each.to, staff=list(each.staff), rule=each.rule, passed_at=each.passed_at)
                for each in passings
            ],
        )


class EscalatedOut(Wire, frozen=True, kw_only=True):
    """An escalation as it was raised, with what to do on the spot."""

    escalation: EscalationOut
    instruction: EmergencyInstructionOut
    reaches: ReachedOut
    """Which clinician it reaches; that nobody is on call, where that is so."""


class EmergencyOut(Wire, frozen=True, kw_only=True):
    """What of the answers does not wait: act on it now."""

    instruction: EmergencyInstructionOut
    """What to do on the spot."""
    escalations: list[EscalationOut]
    """Each stays open until a clinician has acknowledged it."""
    reaches: ReachedOut
    """Which clinician they reach; that nobody is on call, where that is so."""
