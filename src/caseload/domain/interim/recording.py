"""What people do with interim treatment: begin it, plan how the client goes on and put that right, end it, take it back."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime

from caseload.domain.access import Act
from caseload.domain.admission import LONGEST_NAME, LONGEST_TEXT
from caseload.domain.caseload import Episode
from caseload.domain.errors import Faults
from caseload.domain.ids import InterimId
from caseload.domain.interim.counting import before_it, last_day
from caseload.domain.interim.treatment import (
    READ_AGAIN,
    Begun,
    End,
    Ended,
    InterimBegun,
    InterimDaysUsed,
    InterimEnded,
    InterimPlanCorrected,
    InterimPlanned,
    InterimRunning,
    Interims,
    InterimSettled,
    InterimTakenBack,
    InterimTreatment,
    NoInterimHere,
    Plan,
)
from caseload.domain.journal import Journal
from caseload.domain.people import Staff
from caseload.domain.profiles import Profile
from caseload.domain.profiles.monitoring import Interim
from caseload.domain.taken_back import because


async def begin_interim(
    episode: Episode,
    begun: Begun,
    *,
    others: Sequence[InterimTreatment],
    as_id: InterimId,
    rules: Profile,
    today: date,
    by: Staff,
    now: datetime,
    interims: Interims,
    journal: Journal,
) -> InterimTreatment:
    """Record the beginning of one here, or one that was elsewhere, of a client in care.

    Raises `NotPermitted`, `NoInterimHere`, `Invalid`, `InterimRunning`, and `InterimDaysUsed` for one that begins today.
    """
    by.require(Act.ADMIT, episode.programme)
    says = rules.monitoring.interim
    if says is None:
        raise NoInterimHere("Ask the administrator which profile the programme goes by.", profile=rules.label)
    _require_days(begun, episode, today)
    one = InterimTreatment(
        id=as_id,
        client=episode.client,
        number=len(others) + 1,
        episode=episode.id if begun.elsewhere is None else None,
        begun=begun,
        recorded_by=by.id,
        recorded_at=now,
    )
    _require_alone(one, others)
    _require_days_left(one, others, today, says, rules)
    await interims.begin(one)
    journal.tell(InterimBegun(client=one.client, records=(as_id, episode.id), facts={"elsewhere": one.episode is None}))
    return one


def _require_days(begun: Begun, episode: Episode, today: date) -> None:
    faults, last = Faults(), begun.last_on
    faults.check(when=begun.started_on > today, where="started_on", problem="must not lie in the future")
    if begun.elsewhere is None:
        faults.check(
            when=begun.started_on < episode.admitted_on,
            where="started_on",
            problem=f"must not lie before the admission on {episode.admitted_on}; name the programme of an earlier one",
        )
        faults.check(when=last is not None, where="last_on", problem="end one of ours by an end of its own")
    else:
        faults.check(
            when=not 0 < len(begun.elsewhere.strip()) <= LONGEST_NAME,
            where="elsewhere",
            problem=f"name the programme, in {LONGEST_NAME} characters at most",
        )
        faults.check(
            when=last is None or not begun.started_on <= last <= today,
            where="last_on",
            problem="say the last day of one elsewhere, not before the first one and not after today",
        )
    faults.raise_if_any()


def _require_alone(one: InterimTreatment, others: Iterable[InterimTreatment]) -> None:
    ends = one.last_on or date.max
    for each in others:
        if (
            each.taken_back is None
            and each.begun.started_on <= ends
            and one.begun.started_on <= (each.last_on or date.max)
        ):
            raise InterimRunning(
                "End that one first, or take it back if it is wrong.",
                interim=str(each.id),
                started_on=str(each.begun.started_on),
                last_on=str(each.last_on),
            )


def _require_days_left(
    one: InterimTreatment, others: Sequence[InterimTreatment], today: date, says: Interim, rules: Profile
) -> None:
    """Of what is about to begin; what has begun is recorded all the same, and listed."""
    start, before = one.begun.started_on, before_it(one, others)
    if one.episode is None or start < today or last_day(start, says.at_most_days, says.months, before) >= start:
        return
    raise InterimDaysUsed(
        f"{says.says} Admit the client to comprehensive treatment, or refer them.",
        rule=f"{says.rule} of {rules.label}",
        at_most_days=says.at_most_days,
        months=says.months,
        used=[{"first_on": str(each.begun.started_on), "last_on": str(each.last_on)} for each in before],
    )


async def plan_on(
    one: InterimTreatment,
    made_on: date,
    made_by: str,
    *,
    today: date,
    by: Staff,
    now: datetime,
    interims: Interims,
    journal: Journal,
) -> InterimTreatment:
    """Record the plan for going on. Raises `Invalid`, `InterimSettled`."""
    _require_counts(one)
    faults = Faults()
    _check_plan(faults, made_on, made_by, one, today)
    faults.raise_if_any()
    if one.plan is not None:
        raise InterimSettled(READ_AGAIN)
    plan = Plan(made_on=made_on, made_by=made_by, recorded_by=by.id, recorded_at=now)
    await interims.add_plan(one, plan)
    journal.tell(InterimPlanned(client=one.client, records=(one.id,)))
    return replace(one, plans=(plan,))


async def correct_plan(
    one: InterimTreatment,
    made_on: date | None,
    made_by: str | None,
    reason: str,
    *,
    version: int,
    today: date,
    by: Staff,
    now: datetime,
    interims: Interims,
    journal: Journal,
) -> InterimTreatment:
    """Say what is true of the plan instead, or (without day and name) that there is none; what was said before stays.

    `version` is the one that was read. Raises `Invalid`, `InterimSettled`.
    """
    _require_counts(one)
    faults = Faults()
    if made_on is None and made_by is None:
        faults.check(when=one.plan is not None and one.plan.made_on is None, where="made_by", problem="there is none")
    else:
        _check_plan(faults, made_on, made_by or "", one, today)
    faults.check(
        when=not 0 < len(reason.strip()) <= LONGEST_TEXT,
        where="reason",
        problem=f"say what was wrong, in {LONGEST_TEXT} characters at most",
    )
    faults.raise_if_any()
    if one.plan is None or one.plan.version != version:
        raise InterimSettled(READ_AGAIN)
    plan = Plan(
        version=version + 1, made_on=made_on, made_by=made_by, reason=reason, recorded_by=by.id, recorded_at=now
    )
    await interims.add_plan(one, plan)
    journal.tell(InterimPlanCorrected(client=one.client, records=(one.id,), facts={"version": plan.version}))
    return replace(one, plans=(*one.plans, plan))


async def end_interim(
    one: InterimTreatment,
    last_on: date,
    how: Ended,
    *,
    today: date,
    by: Staff,
    now: datetime,
    interims: Interims,
    journal: Journal,
) -> InterimTreatment:
    """Record its last day. Raises `Invalid`, `InterimSettled`."""
    _require_counts(one)
    faults = Faults()
    _check_day(faults, last_on, "last_on", one, today)
    faults.raise_if_any()
    if one.last_on is not None:
        raise InterimSettled(READ_AGAIN)
    end = End(last_on=last_on, how=how, recorded_by=by.id, recorded_at=now)
    await interims.add_end(one, end)
    journal.tell(InterimEnded(client=one.client, records=(one.id,), facts={"how": how}))
    return replace(one, end=end)


def _check_plan(faults: Faults, made_on: date | None, made_by: str, one: InterimTreatment, today: date) -> None:
    if made_on is None:
        faults.add("made_on", "say on which day it was made")
    else:
        _check_day(faults, made_on, "made_on", one, today)
    faults.check(
        when=not 0 < len(made_by.strip()) <= LONGEST_NAME,
        where="made_by",
        problem=f"name who made it, in {LONGEST_NAME} characters at most",
    )


def _check_day(faults: Faults, day: date, where: str, one: InterimTreatment, today: date) -> None:
    faults.check(
        when=not one.begun.started_on <= day <= today,
        where=where,
        problem=f"must lie between its first day, {one.begun.started_on}, and today",
    )


def _require_counts(one: InterimTreatment) -> None:
    if one.taken_back is not None:
        raise InterimSettled(READ_AGAIN)


async def take_back_interim(
    one: InterimTreatment, reason: str, *, by: Staff, now: datetime, interims: Interims, journal: Journal
) -> InterimTreatment:
    """Say that it was recorded by mistake, with all that was said of it. Raises `Invalid`, `InterimSettled`."""
    taken_back = because(reason, by=by, now=now)
    _require_counts(one)
    await interims.add_taken_back(one, taken_back)
    journal.tell(InterimTakenBack(client=one.client, records=(one.id,)))
    return replace(one, taken_back=taken_back)
