"""Two profiles beside each other: every difference, and which of them loosen a rule.

A programme, or a later version for it, may be stricter than the profile it rests on and never looser: federal and
national rules are floors.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, cast

import msgspec

from caseload.domain.medicines import Medicine
from caseload.domain.profiles import Profile
from caseload.domain.profiles.checkins import CheckIns
from caseload.domain.profiles.ladder import Ladder, Outcome, Proposal
from caseload.domain.profiles.ordering import Rising

_MOST_MISSED: Final = 400
_LEAST_MG, _MOST_MG, _WHOLE = Decimal(1), Decimal(9999), Decimal(100)
_STRICTNESS: Final = {
    Outcome.GIVE: 0,
    Outcome.GIVE_UNLESS_INTOXICATED: 1,
    Outcome.ASK_PRESCRIBER: 2,
    Outcome.NEW_START: 3,
}
NEVER: Final = float("inf")


def said(profile: Profile) -> Iterator[tuple[str, str]]:
    """Everything that a profile says, as a path and a value each, in the order of its file."""
    yield from _said("", cast("object", msgspec.to_builtins(profile, str_keys=True)))


def _said(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in cast("Mapping[str, object]", value).items():
            yield from _said(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list | tuple) and any(isinstance(each, Mapping) for each in cast("Sequence[object]", value)):
        for number, inner in enumerate(cast("Sequence[object]", value)):
            yield from _said(f"{path}.{number}", inner)
    elif isinstance(value, list | tuple):
        yield path, ", ".join(str(each) for each in cast("Sequence[object]", value))
    else:
        yield path, "-" if value is None else str(value)


def differences(one: Profile, other: Profile) -> Sequence[tuple[str, str, str]]:
    """What two profiles say differently: the path, and the value of each; an empty text where one says nothing."""
    first, second = dict(said(one)), dict(said(other))
    return [
        (path, first.get(path, ""), second.get(path, ""))
        for path in dict.fromkeys([*first, *second])
        if first.get(path) != second.get(path)
    ]


def loosened(base: Profile, other: Profile) -> Sequence[str]:
    """Every rule of `base` that `other` loosens; nothing when it only tightens."""
    return [
        *_looser_ladders(base, other),
        *_looser_limits(base, other),
        *_looser_ordering(base, other),
        *_looser_stock(base, other),
        *other.around_the_dose.looser_than(base.around_the_dose),
        *_looser_take_home(base, other),
        *other.monitoring.looser_than(base.monitoring),
        *other.outreach.looser_than(base.outreach),
        *other.escalating.looser_than(base.escalating),
        *_looser_minors(base, other),
        *other.rights.looser_than(base.rights),
    ]


def _looser_minors(base: Profile, other: Profile) -> Iterable[str]:
    if base.minors is None:
        return
    if other.minors is None:
        yield "minors: no rule any more"
    else:
        yield from other.minors.looser_than(base.minors)


def _looser_ladders(base: Profile, other: Profile) -> Iterable[str]:
    for medicine in Medicine:
        ladders = [ladder for profile in (base, other) if (ladder := profile.ladder(medicine)) is not None]
        turns = {rung.from_missed for ladder in ladders for rung in ladder.rungs}
        for missed in sorted(turn for turn in turns if turn <= _MOST_MISSED):
            former, later = _outcome(base, medicine, missed), _outcome(other, medicine, missed)
            if _STRICTNESS[later] < _STRICTNESS[former]:
                yield f"{medicine}, {missed} missed: {former.value} became {later.value}"
            if _proposes_more(_proposal(base, medicine, missed), _proposal(other, medicine, missed)):
                yield f"{medicine}, {missed} missed: more is proposed for the restart"
        before, after = base.ladder(medicine), other.ladder(medicine)
        if before is not None:
            yield from _looser_beside(medicine, before, after)


def _proposal(profile: Profile, medicine: Medicine, missed: int) -> Proposal | None:
    ladder = profile.ladder(medicine)
    rung = None if ladder is None else ladder.rung(missed)
    return None if rung is None else rung.proposal


def _proposes_more(before: Proposal | None, after: Proposal | None) -> bool:
    """Whether from any last dose more would be proposed; both are straight lines between the doses where they turn."""
    if before is None or after is None:
        return False
    turns = {_LEAST_MG, _MOST_MG, *_turns_of(before), *_turns_of(after)}
    return any(after.amount_mg(last) > before.amount_mg(last) for last in turns)


def _turns_of(proposal: Proposal) -> Iterable[Decimal]:
    for limit in (proposal.at_most_mg, proposal.at_least_mg):
        if limit is not None:
            yield limit
            yield limit * _WHOLE / proposal.percent


def _looser_beside(medicine: Medicine, before: Ladder, after: Ladder | None) -> Iterable[str]:
    """What stands beside the rungs: titration, and gaps that repeat themselves."""
    titration, was = after.titration if after is not None else None, before.titration
    if was is not None and titration is None:
        yield f"{medicine}: nobody is told of missed doses in titration any more"
    elif was is not None and titration is not None:
        yield from _more(f"{medicine}: titration.days", titration.days, was.days)
        yield from _less(f"{medicine}: titration.from_missed", titration.from_missed, was.from_missed)
    repeated, asked = after.repeated if after is not None else None, before.repeated
    if asked is not None and repeated is None:
        yield f"{medicine}: nobody is asked about repeated gaps any more"
    elif asked is not None and repeated is not None:
        yield from _less(f"{medicine}: repeated.from_days", repeated.from_days, asked.from_days)
        yield from _more(f"{medicine}: repeated.of_days", repeated.of_days, asked.of_days)


def _outcome(profile: Profile, medicine: Medicine, missed: int) -> Outcome:
    """What so many missed doses mean; where a profile says nothing, the dose is given."""
    ladder = profile.ladder(medicine)
    rung = None if ladder is None else ladder.rung(missed)
    return Outcome.GIVE if rung is None else rung.outcome


def _looser_limits(base: Profile, other: Profile) -> Iterable[str]:
    if base.country is not other.country:
        yield "country: another country's rules are no tightening of these"
    if not set(other.sign_off.roles) <= set(base.sign_off.roles):
        yield "sign_off.roles: more roles may sign"
    yield from _less("tolerance.away_days", other.tolerance.away_days, base.tolerance.away_days)
    yield from _more("tolerance.naltrexone_days", other.tolerance.naltrexone_days, base.tolerance.naltrexone_days)
    yield from _more("minimum_interval.hours", other.minimum_interval.hours, base.minimum_interval.hours)
    yield from _more("attendance.minimum_minutes", other.attendance.minimum_minutes, base.attendance.minimum_minutes)
    window, former = other.at_the_window, base.at_the_window
    yield from _less("at_the_window.late_after_minutes", window.late_after_minutes, former.late_after_minutes)
    yield from _less("at_the_window.clock_ahead_seconds", window.clock_ahead_seconds, former.clock_ahead_seconds)
    yield from _less("sign_off.deadline_hours", other.sign_off.deadline_hours, base.sign_off.deadline_hours)
    for step in (*base.check_ins.slack, *other.check_ins.slack):
        days = step.from_interval_days
        later, before = other.check_ins.slack_for(days), base.check_ins.slack_for(days)
        yield from _less(f"check_ins.slack of {days} days: grace_days", later.grace_days, before.grace_days)
        yield from _less(f"check_ins.slack of {days} days: early_days", later.early_days, before.early_days)
    yield from _rarer(base.check_ins, other.check_ins)


def _rarer(base: CheckIns, other: CheckIns) -> Iterable[str]:
    """Where fewer check-ins are suggested, or a client is seen more often for a shorter time or for less."""
    for day in sorted({step.from_day for step in (*base.phases, *other.phases)}):
        weeks, were = other.weeks_on(day), base.weeks_on(day)
        yield from _less(f"check_ins.phases from day {day}: every_weeks", weeks, were)
    yield from _more("check_ins.step_up.days", other.step_up.days, base.step_up.days)
    for name in ("dose_change_percent", "relapse_use_days"):
        yield from _less(f"check_ins.step_up.{name}", getattr(other.step_up, name), getattr(base.step_up, name))


def _looser_ordering(base: Profile, other: Profile) -> Iterable[str]:
    before, after = base.ordering, other.ordering
    free = "ordering.antagonist_beside.opioid_free_days"
    yield from _more(free, after.antagonist_beside.opioid_free_days, before.antagonist_beside.opioid_free_days)
    other_free = "ordering.antagonist_beside.other_opioid_free_days"
    was_free, is_free = before.antagonist_beside.other_opioid_free_days, after.antagonist_beside.other_opioid_free_days
    yield from _more(other_free, is_free, was_free)
    named, were_named = other.injections.named_patient.within_days, base.injections.named_patient.within_days
    yield from _less("injections.named_patient.within_days", _or_never(named), _or_never(were_named))
    if not set(after.pharmacy.medicines) <= set(before.pharmacy.medicines):
        yield "ordering.pharmacy.medicines: a pharmacy may supply more"
    hours = "ordering.verbal.countersign_hours"
    yield from _less(hours, after.verbal.countersign_hours or 0, before.verbal.countersign_hours or 0)
    for medicine in Medicine:
        start, was = ([each for each in part.starting if medicine in each.medicines] for part in (after, before))
        if was and not start:
            yield f"ordering.starting: no limit for {medicine} any more"
        elif was:
            yield from _less(f"{was[0].rule}: first_day_mg", start[0].first_day_mg, was[0].first_day_mg)
            yield from _less(f"{was[0].rule}: after_days", start[0].after_days, was[0].after_days)
        rise, rose = ([each for each in part.rising if medicine in each.medicines] for part in (after, before))
        if rose and not rise:
            yield f"ordering.rising: no limit for {medicine} any more"
        elif rose:
            yield from _looser_rise(rose[0], rise[0])


def _looser_rise(before: Rising, after: Rising) -> Iterable[str]:
    yield from _less(f"{before.rule}: at_most_mg", _or_never(after.at_most_mg), _or_never(before.at_most_mg))
    yield from _more(f"{before.rule}: days_apart", after.days_apart or 0, before.days_apart or 0)
    yield from _less(f"{before.rule}: week_mg", _or_never(after.week_mg), _or_never(before.week_mg))
    if before.week_mg is not None:
        until = f"{before.rule}: week_until_day"
        yield from _more(until, _or_never(after.week_until_day), _or_never(before.week_until_day))


def _looser_stock(base: Profile, other: Profile) -> Iterable[str]:
    before, after = base.stock, other.stock
    yield from _less("stock.inventory.every_days", after.inventory.every_days, before.inventory.every_days)
    yield from _less("stock.witness.within_hours", after.witness.within_hours, before.witness.within_hours)
    notice = "stock.loss.notice_business_days"
    yield from _less(notice, after.loss.notice_business_days, before.loss.notice_business_days)
    yield from _less("stock.loss.form_days", _or_never(after.loss.form_days), _or_never(before.loss.form_days))
    if not set(before.register.medicines) <= set(after.register.medicines):
        yield "stock.register.medicines: fewer medicines stand in the register"
    if before.register.names_clients and not after.register.names_clients:
        yield "stock.register.names_clients: it no longer names whom they were supplied to"
    if not set(before.register.collector_required) <= set(after.register.collector_required):
        yield "stock.register.collector_required: of fewer medicines somebody must say who collects them"
    if not set(before.register.collector_asked) <= set(after.register.collector_asked):
        yield "stock.register.collector_asked: of fewer medicines it is asked who collects them"


def _looser_take_home(base: Profile, other: Profile) -> Iterable[str]:
    before, after = base.take_home, other.take_home
    for medicine in Medicine:
        for day in sorted(before.turns() | after.turns()):
            most, was = (
                NEVER if ceiling is None else ceiling.at_most_days
                for ceiling in (part.ceiling(medicine, day) for part in (after, before))
            )
            yield from _less(f"take_home.ladders of {medicine} from day {day}: at_most_days", most, was)
    if before.closure.needs_decision and not after.closure.needs_decision:
        yield "take_home.closure.needs_decision: closed days need none any more"
    yield from _less("take_home.review.within_days", after.review.within_days, before.review.within_days)
    yield from _less(
        "take_home.suspension.after_missed",
        _or_never(after.suspension.after_missed),
        _or_never(before.suspension.after_missed),
    )
    yield from _less("take_home.suspension.review_days", after.suspension.review_days, before.suspension.review_days)


def _or_never(limit: int | None) -> float:
    return NEVER if limit is None else limit


def _more(name: str, after: float, before: float) -> Iterable[str]:
    if after < before:
        yield f"{name}: {_spoken(before)} became {_spoken(after)}"


def _less(name: str, after: float, before: float) -> Iterable[str]:
    if after > before:
        yield f"{name}: {_spoken(before)} became {_spoken(after)}"


def _spoken(limit: float) -> str:
    return "no limit" if limit == NEVER else f"{limit:g}"
