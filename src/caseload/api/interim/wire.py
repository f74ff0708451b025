"""Interim treatment on the wire."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from caseload.api.wire import Wire
from caseload.domain import interim as domain
from caseload.domain.admission import State
from caseload.domain.interim import Ended, InterimTreatment, Plan, Standing
from caseload.domain.programme import Programme


class InterimIn(Wire, frozen=True, kw_only=True):
    """The beginning of an interim treatment here, or one that was elsewhere."""

    started_on: date | None = None
    """Its first day, day 1; today when left out."""
    elsewhere: str | None = None
    """The programme where it was, when it was not here: its days count with ours."""
    last_on: date | None = None
    """Of one elsewhere its last day."""


class InterimPlanIn(Wire, frozen=True, kw_only=True):
    """That there is a plan for going on."""

    made_by: str
    """The name of who made it."""
    made_on: date | None = None
    """Today when left out."""


class InterimPlanCorrectionIn(Wire, frozen=True, kw_only=True):
    """What is true of the plan instead; without a name and a day, there is none."""

    reason: str
    """Why what was said before is wrong."""
    made_by: str | None = None
    made_on: date | None = None


class InterimPlanOut(Wire, frozen=True, kw_only=True):
    """What one version says of the plan for going on."""

    version: int
    made_on: date | None
    """Null where it says that there is no plan."""
    made_by: str | None
    reason: str | None
    """Why the version before was wrong; null in the first."""
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, plan: Plan) -> "InterimPlanOut":
        """From the domain."""
        return cls(
            version=plan.version,
            made_on=plan.made_on,
            made_by=plan.made_by,
            reason=plan.reason,
            recorded_by=plan.recorded_by,
            recorded_at=plan.recorded_at,
        )


class InterimEndIn(Wire, frozen=True, kw_only=True):
    """The last day of an interim treatment."""

    how: Ended
    last_on: date | None = None
    """Today when left out."""


class InterimWithdrawalIn(Wire, frozen=True, kw_only=True):
    """Why it was recorded by mistake."""

    reason: str


class InterimStandingOut(Wire, frozen=True, kw_only=True):
    """How one stands today, or stood on its last day."""

    rule: str
    """Of the profile in force on its first day."""
    source: str
    days_used: int
    """Within the months of the rule, with those of earlier ones, here and elsewhere."""
    at_most_days: int
    last_day: date
    """The last day on which the rule allows it; before the first one when none was left."""
    is_over: bool
    """That day has passed. It stops no dose."""
    plan: State
    plan_due_on: date
    """The last day on which the plan is in time."""
    random_screens: int
    """Days of it for which a random screen was drawn and a sample given."""
    random_screens_needed: int

    @classmethod
    def of(cls, stands: Standing) -> "InterimStandingOut":
        """From the domain."""
        return cls(
            rule=stands.rule,
            source=stands.says.source,
            days_used=stands.days_used,
            at_most_days=stands.says.at_most_days,
            last_day=stands.last_day,
            is_over=stands.is_over,
            plan=stands.plan,
            plan_due_on=stands.plan_due_on,
            random_screens=stands.screens,
            random_screens_needed=stands.says.random_screens,
        )


class InterimOut(Wire, frozen=True, kw_only=True):
    """One interim treatment."""

    id: UUID
    episode_id: UUID | None
    elsewhere: str | None
    started_on: date
    last_on: date | None
    """As was said, or on which the client left; null while it runs."""
    ended: Ended | None
    planned_on: date | None
    planned_by: str | None
    plans: list[InterimPlanOut]
    """What was ever said of the plan, the first version first; the last one counts."""
    recorded_by: UUID
    recorded_at: datetime
    taken_back: str | None
    """Why it was a mistake."""
    stands: InterimStandingOut | None
    """Null of one elsewhere, and of one taken back."""


class InterimListOut(Wire, frozen=True, kw_only=True):
    """Every interim treatment of a client, the first day first."""

    items: list[InterimOut]


class InterimDueOut(Wire, frozen=True, kw_only=True):
    """A client in interim treatment about whom something is to be done."""

    client_id: UUID
    interim_id: UUID
    given_name: str
    family_name: str
    started_on: date
    due_on: date
    """The plan while there is none, and then the last day."""
    stands: InterimStandingOut


class InterimsDueOut(Wire, frozen=True, kw_only=True):
    """Everybody in interim treatment whose plan, or whose last day, is due, the longest due first."""

    items: list[InterimDueOut]


def interim_shown(
    one: InterimTreatment,
    found: Sequence[InterimTreatment],
    screened: Sequence[date],
    programme: Programme,
    now: datetime,
) -> InterimOut:
    """One as it stands among all of the client's."""
    rules = programme.rules_on(one.begun.started_on)
    stands = domain.standing(one, found, screened, programme.today(now), rules)
    return InterimOut(
        id=one.id,
        episode_id=one.episode,
        elsewhere=one.begun.elsewhere,
        started_on=one.begun.started_on,
        last_on=one.last_on,
        ended=one.end.how if one.end is not None else None,
        planned_on=one.plan.made_on if one.plan is not None else None,
        planned_by=one.plan.made_by if one.plan is not None else None,
        plans=[InterimPlanOut.of(each) for each in one.plans],
        recorded_by=one.recorded_by,
        recorded_at=one.recorded_at,
        taken_back=one.taken_back.reason if one.taken_back is not None else None,
        stands=None if stands is None else InterimStandingOut.of(stands),
    )
