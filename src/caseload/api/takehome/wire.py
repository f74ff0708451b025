"""Take-home decisions and units as they go over the wire."""

from datetime import date, datetime
from uuid import UUID

from caseload.api.amounts import written
from caseload.api.wire import Wire
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.takehome import CameBack, Criterion, Suspension, TakeHomeDecision, TakeHomeUnit


class AnswerIO(Wire, frozen=True, kw_only=True):
    """What the prescriber says of one criterion; one that is not met needs a note."""

    met: bool
    note: str = ""


class AnswersIO(Wire, frozen=True, kw_only=True):
    """An answer to each of the six criteria of 42 CFR 8.12(i)(2). Housing and length of treatment are none of them."""

    no_condition_that_endangers: AnswerIO
    """No active substance use disorder or other condition that raises the risk of an overdose or impairs."""
    attends_regularly: AnswerIO
    no_behaviour_that_endangers: AnswerIO
    no_known_diversion: AnswerIO
    stores_safely: AnswerIO
    """Can carry and store it safely."""
    otherwise_safe: AnswerIO

    def of_each(self) -> dict[Criterion, AnswerIO]:
        """By criterion."""
        return {
            Criterion.NO_CONDITION_THAT_ENDANGERS: self.no_condition_that_endangers,
            Criterion.ATTENDS_REGULARLY: self.attends_regularly,
            Criterion.NO_BEHAVIOUR_THAT_ENDANGERS: self.no_behaviour_that_endangers,
            Criterion.NO_KNOWN_DIVERSION: self.no_known_diversion,
            Criterion.STORES_SAFELY: self.stores_safely,
            Criterion.OTHERWISE_SAFE: self.otherwise_safe,
        }


class SuspensionOut(Wire, frozen=True, kw_only=True):
    """The end of a decision before its time: by a prescriber, or by a rule of the profile."""

    id: UUID
    reason: str
    review_on: date
    suspended_by: UUID
    suspended_at: datetime
    policy: str | None
    """The rule and the version of the profile; null when a prescriber signed."""
    missed: int | None

    @classmethod
    def of(cls, suspension: Suspension) -> "SuspensionOut":
        """From the domain."""
        by_rule = suspension.by_rule
        return cls(
            id=suspension.id,
            reason=suspension.reason,
            review_on=suspension.review_on,
            suspended_by=suspension.suspended_by,
            suspended_at=suspension.suspended_at,
            policy=None if by_rule is None else f"{by_rule} of {suspension.profile}-{suspension.profile_version}",
            missed=suspension.missed,
        )


class TakeHomeDecisionOut(Wire, frozen=True, kw_only=True):
    """A prescriber's signed decision with the facts it rests on."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    medicine: Medicine
    days: int
    answers: AnswersIO
    rationale: str
    review_on: date
    decided_on: date
    decided_by: UUID
    decided_at: datetime
    day_of_treatment: int
    first_dose_on: date | None
    ceiling_days: int | None
    ceiling_rule: str | None
    """The rule of the profile that names the ceiling; null where no ladder names the medicine."""
    profile: str
    suspension: SuspensionOut | None

    @classmethod
    def of(cls, decision: TakeHomeDecision) -> "TakeHomeDecisionOut":
        """From the domain."""
        answers = {str(key): AnswerIO(met=each.met, note=each.note) for key, each in decision.answers.items()}
        return cls(
            id=decision.id,
            client_id=decision.client,
            programme_id=decision.programme,
            medicine=decision.medicine,
            days=decision.days,
            answers=AnswersIO(**answers),
            rationale=decision.rationale,
            review_on=decision.review_on,
            decided_on=decision.decided_on,
            decided_by=decision.decided_by,
            decided_at=decision.decided_at,
            day_of_treatment=decision.day_of_treatment,
            first_dose_on=decision.first_dose_on,
            ceiling_days=decision.ceiling_days,
            ceiling_rule=decision.ceiling_rule,
            profile=f"{decision.profile}-{decision.profile_version}",
            suspension=None if decision.suspension is None else SuspensionOut.of(decision.suspension),
        )


class OutcomeOut(Wire, frozen=True, kw_only=True):
    """What became of a unit."""

    version: int
    return_id: UUID
    state: CameBack
    taken: bool
    reason: str | None
    waste_id: UUID | None
    """The record of waste of one that came back full: somebody else signs that it was destroyed."""


class UnitOut(Wire, frozen=True, kw_only=True):
    """One labelled unit for one part of one day."""

    id: UUID
    dispense_id: UUID
    order_id: UUID
    decision_id: UUID | None
    for_on: date
    part: DosePart
    medicine: Medicine
    form: Form
    strength_mg: str
    amount_mg: str
    amount_ml: str | None
    label: str
    is_closure: bool
    """For a day on which the window is closed: it counts against no ladder."""
    dispensed_on: date
    replaces: UUID | None
    is_exception: bool
    """Handed out on paper although a rule stood in the way."""
    outcome: OutcomeOut | None
    """Null until somebody has said what became of it."""

    @classmethod
    def of(cls, unit: TakeHomeUnit) -> "UnitOut":
        """From the domain."""
        said = unit.outcome
        return cls(
            id=unit.id,
            dispense_id=unit.dispense,
            order_id=unit.order,
            decision_id=unit.decision,
            for_on=unit.for_on,
            part=unit.part,
            medicine=unit.medicine,
            form=unit.form,
            strength_mg=written(unit.strength_mg),
            amount_mg=written(unit.amount_mg),
            amount_ml=None if unit.amount_ml is None else written(unit.amount_ml),
            label=unit.label,
            is_closure=unit.is_closure,
            dispensed_on=unit.dispensed_on,
            replaces=unit.replaces,
            is_exception=unit.is_exception,
            outcome=None
            if said is None
            else OutcomeOut(
                version=said.version,
                return_id=said.report,
                state=said.state,
                taken=said.taken,
                reason=said.reason,
                waste_id=said.waste,
            ),
        )
