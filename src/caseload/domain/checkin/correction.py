"""Putting right what was said of a check-in: a further outcome with its reason, and what it no longer overtakes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from caseload.domain.access import Act
from caseload.domain.checkin.answers import Answers
from caseload.domain.checkin.asked import Asked
from caseload.domain.checkin.filling import check_filled, take_back_all
from caseload.domain.checkin.record import CheckIns, Ended, Outcome, OutcomeChanged, Record, waiting
from caseload.domain.checkin.settle import check_occurred, check_text, overtaken_with
from caseload.domain.checkin.terms import Mode
from caseload.domain.errors import Faults
from caseload.domain.ids import CheckInId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInCorrected(Event):
    """What was said of a check-in was corrected."""

    name: ClassVar[str] = "check_in.corrected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is true of a check-in instead: completed (also otherwise than recorded), missed, or not settled at all."""

    ended: Ended
    reason: str
    """Why it is corrected."""
    occurred_at: datetime | None = None
    mode: Mode | None = None
    note: str | None = None
    asked: Asked | None = None
    """What was asked and answered instead; as it stood where this is left out."""

    def faults(self) -> Faults:
        """What contradicts itself."""
        faults = Faults()
        took_place = self.ended is Ended.COMPLETED
        faults.check(
            when=self.ended in {Ended.OVERTAKEN, Ended.WITHDRAWN},
            where="ended",
            problem="must be completed, missed or recorded_in_error; the others follow from other facts by themselves",
        )
        for field in ("occurred_at", "mode"):
            given = getattr(self, field) is not None
            faults.check(when=took_place and not given, where=field, problem="is needed for what took place")
            faults.check(when=given and not took_place, where=field, problem="is only for what took place")
        if self.asked is not None:
            self._check_asked(self.asked, faults, took_place=took_place)
        faults.check(when=not self.reason.strip(), where="reason", problem="say why it is corrected")
        check_text(faults, "reason", self.reason)
        check_text(faults, "note", self.note)
        return faults

    @staticmethod
    def _check_asked(asked: Asked, faults: Faults, *, took_place: bool) -> None:
        """What was asked instead is checked as it was the first time; without new answers, those before stand."""
        for where, given in (("answers", asked.answers is not None), ("instruments", bool(asked.filled))):
            faults.check(when=given and not took_place, where=where, problem="is only for what took place")
        if took_place and asked.answers is not None:
            asked.check(faults)
        else:
            check_filled(asked.filled, faults)


async def correct(
    check_in: CheckInId,
    correction: Correction,
    *,
    version: int,
    by: Staff,
    now: datetime,
    check_ins: CheckIns,
    journal: Journal,
) -> Outcome:
    """Correct what was said of a check-in; `version` is the one that the caller read.

    What the corrected contact had overtaken, and no longer does, waits again; of a client who has left care nothing
    does. What its answers escalate is escalated now; what the version before has escalated stays open until a clinician
    has looked.
    Raises `CheckInUnknown`, `Invalid`, or `OutcomeChanged`.
    """
    record = await check_ins.hold(check_in, reach=by.reach(Act.COMPLETE_CHECK_IN))
    if record.outcome is None or record.outcome.version != version:
        raise OutcomeChanged("Read the check-in again, and correct what it says now.", version=len(record.outcomes))
    faults = correction.faults()
    if correction.occurred_at is not None:
        check_occurred(faults, record, correction.occurred_at, now=now)
    faults.raise_if_any()
    outcome = Outcome(
        check_in=check_in,
        version=version + 1,
        ended=correction.ended,
        occurred_at=correction.occurred_at,
        mode=correction.mode,
        note=correction.note,
        reason=correction.reason,
        on_behalf_of=record.outcome.on_behalf_of if correction.ended is Ended.COMPLETED else None,
        answers=_answers(record.outcome, correction),
        recorded_by=by.id,
        recorded_at=now,
    )
    others = await _settle_anew(record, outcome, check_ins=check_ins)
    journal.tell(
        CheckInCorrected(
            client=record.check_in.client,
            records=(check_in, *others),
            facts={"version": outcome.version, "ended": correction.ended.value},
        )
    )
    if correction.asked is not None:
        await _keep_asked(record, outcome, correction.asked, correction.reason, by=by, now=now, journal=journal)
    return outcome


async def _settle_anew(record: Record, outcome: Outcome, *, check_ins: CheckIns) -> Sequence[CheckInId]:
    """Keep a correction with what it overtakes now, and what it no longer does; return which others that were."""
    overtaken = await overtaken_with(record, outcome, check_ins=check_ins)
    released = await _released(outcome, check_ins=check_ins)
    corrected = replace(record, outcomes=(*record.outcomes, outcome))
    open_again = [one for one in (corrected, *released) if one.outcome is None]
    whose, where = record.check_in.client, record.check_in.programme
    has_left = bool(open_again) and not await check_ins.in_care(whose, where)
    await check_ins.add_outcomes(
        [
            outcome,
            *overtaken,
            *(one.outcomes[-1] for one in released),
            *(_withdrawn(one, outcome) for one in open_again if has_left),
        ],
        [] if has_left else [each for one in open_again if (each := waiting(one)) is not None],
    )
    return [*(one.check_in for one in overtaken), *(one.check_in.id for one in released)]


async def _keep_asked(
    record: Record, outcome: Outcome, asked: Asked, reason: str, *, by: Staff, now: datetime, journal: Journal
) -> None:
    """Keep what was filled in instead; where it did not take place at all, take back what was."""
    if outcome.ended is Ended.COMPLETED:
        await asked.keep(record, outcome, by=by, now=now, journal=journal)
    else:
        await take_back_all(record, reason=reason, by=by, now=now, observations=asked.observations, journal=journal)


def _answers(before: Outcome, correction: Correction) -> Answers | None:
    """What the corrected version says was answered: each version of what took place is whole."""
    if correction.ended is not Ended.COMPLETED:
        return None
    said = None if correction.asked is None else correction.asked.answers
    return before.answers if said is None else said


def _withdrawn(one: Record, corrected: Outcome) -> Outcome:
    """Nobody is to meet a client who has left care: what the correction opens again is withdrawn with it."""
    return Outcome(
        check_in=one.check_in.id,
        version=len(one.outcomes) + 1,
        ended=Ended.WITHDRAWN,
        reason="The client has left care.",
        recorded_by=corrected.recorded_by,
        recorded_at=corrected.recorded_at,
    )


async def _released(outcome: Outcome, *, check_ins: CheckIns) -> Sequence[Record]:
    """What a corrected contact no longer overtakes, each with the outcome that says so."""
    return [
        replace(
            one,
            outcomes=(
                *one.outcomes,
                Outcome(
                    check_in=one.check_in.id,
                    version=len(one.outcomes) + 1,
                    ended=Ended.RECORDED_IN_ERROR,
                    reason="The contact that overtook it was corrected.",
                    recorded_by=outcome.recorded_by,
                    recorded_at=outcome.recorded_at,
                ),
            ),
        )
        for one in await check_ins.overtaken_by(outcome.check_in)
        if outcome.occurred_at is None or outcome.occurred_at < one.terms.counts_from(one.due_at)
    ]
