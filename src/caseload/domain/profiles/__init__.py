"""Jurisdiction profiles: the clinic's thresholds as versioned, dated, sourced data. None of them is a constant in code.

Federal and national rules disagree with each other, so a programme selects a profile; a change of a profile is a new
file with a new version and the date from which it counts, and what was decided keeps pointing to the version that was
in force. The files stand in `profiles_data/`, one per version, and are checked when they are read.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from functools import cache
from importlib import resources
from itertools import pairwise
from types import MappingProxyType

import msgspec

from caseload.domain.access import CLINICIANS, Role
from caseload.domain.catalogue import Country
from caseload.domain.errors import NotFound
from caseload.domain.medicines import LOOKS_BACK_DAYS, Medicine
from caseload.domain.profiles.around import AroundTheDose
from caseload.domain.profiles.injections import Injections
from caseload.domain.profiles.ordering import Ordering
from caseload.domain.profiles.said import Data, SaidBy
from caseload.domain.profiles.stock import StockRules
from caseload.domain.profiles.takehome import TakeHomeRules

LONGEST_SLACK_DAYS = 31
"""The most days of grace, or of early window, that a check-in may have."""

LONGEST_LOOK_BACK_DAYS = 31
"""The most days in which repeated gaps are counted."""

_WHOLE = Decimal(100)
_THOUSANDTHS = Decimal("0.001")


class ProfileUnknown(NotFound):
    """There is no such jurisdiction profile."""


class ProfileBroken(ValueError):
    """A profile file contradicts itself; its message names the file and what is wrong."""


class Outcome(StrEnum):
    """What a number of missed doses means for the next one."""

    GIVE = "give"
    GIVE_UNLESS_INTOXICATED = "give_unless_intoxicated"
    """Give after looking for intoxication; whoever finds it raises a hold."""
    ASK_PRESCRIBER = "ask_prescriber"
    """Nothing is given until a prescriber has decided."""
    NEW_START = "new_start"
    """The order cannot be given as it stands: a prescriber starts anew, by a new order or with a named lower amount."""


GIVES = frozenset({Outcome.GIVE, Outcome.GIVE_UNLESS_INTOXICATED})


class Proposal(Data, frozen=True):
    """What the published ladder proposes to a prescriber for the restart; it never decides by itself."""

    percent: int
    at_most_mg: Decimal | None = None
    at_least_mg: Decimal | None = None

    def amount_mg(self, last_taken_mg: Decimal) -> Decimal:
        """The proposed amount: never more than the last dose taken. Only a prescriber rounds it (domain: precision)."""
        proposed = last_taken_mg * self.percent / _WHOLE
        if self.at_most_mg is not None:
            proposed = min(proposed, self.at_most_mg)
        if self.at_least_mg is not None:
            proposed = max(proposed, self.at_least_mg)
        return min(proposed, last_taken_mg).quantize(_THOUSANDTHS, rounding=ROUND_DOWN)


class Rung(SaidBy, frozen=True):
    """From so many consecutive missed doses on, until the next rung."""

    from_missed: int
    outcome: Outcome
    proposal: Proposal | None = None


class Titration(SaidBy, frozen=True):
    """While a dose is still being built up, missed ones are told to the prescriber also where the next may be given."""

    days: int
    """Days of treatment that count as titration, and longer while a step up is still to come."""
    from_missed: int


class Repeated(SaidBy, frozen=True):
    """Missed and partial doses that are not one run: so many of the last days ask the prescriber."""

    from_days: int
    of_days: int


class Ladder(Data, frozen=True):
    """What consecutive missed doses of some medicines mean. Each ladder names its medicines."""

    medicines: tuple[Medicine, ...]
    rungs: tuple[Rung, ...]
    titration: Titration | None = None
    repeated: Repeated | None = None

    def rung(self, missed: int) -> Rung | None:
        """The rung that so many missed doses reach; None when none was missed."""
        reached = [rung for rung in self.rungs if rung.from_missed <= missed]
        return reached[-1] if reached else None


class Tolerance(SaidBy, frozen=True):
    """Where tolerance is lost whatever the number of missed doses: away from treatment, or after naltrexone."""

    away_days: int
    """From so many missed days in prison, in hospital, in detox or after a discharge on."""
    naltrexone_days: int
    """Days after the last naltrexone in which the first agonist asks."""


class MinimumInterval(SaidBy, frozen=True):
    """How far apart the doses of two dosing days must be."""

    hours: int


class AtTheWindow(SaidBy, frozen=True):
    """Until when a recording is of the moment; later it is a late entry and needs a reason."""

    late_after_minutes: int
    clock_ahead_seconds: int
    """A station's clock may run ahead by this much; such a time is taken as now, a later one is refused."""


class SignOff(SaidBy, frozen=True):
    """Who signs the record of a dose after somebody else has given it, and by when."""

    roles: tuple[Role, ...]
    deadline_hours: int


class Slack(Data, frozen=True):
    """What check-ins that are at least so many days apart allow, until the next step."""

    from_interval_days: int
    grace_days: int
    """Local days after the check-in is due until it is overdue."""
    early_days: int
    """Local days before it is due from which a contact counts as this check-in."""


class CheckIns(SaidBy, frozen=True):
    """When a check-in that was not completed becomes overdue, unless its plan says otherwise."""

    slack: tuple[Slack, ...]

    def slack_for(self, interval_days: int) -> Slack:
        """The slack of check-ins that far apart."""
        return next(step for step in reversed(self.slack) if step.from_interval_days <= interval_days)


class Attendance(SaidBy, frozen=True):
    """How long somebody must have been at a session for it to count as attended."""

    minimum_minutes: int


class Profile(Data, frozen=True):
    """One version of one jurisdiction's rules, in force from a local date until a later version begins."""

    profile: str
    version: int
    in_force_from: date
    name: str
    country: Country
    """Whose schedules and products the catalogue shows to its programmes."""
    missed_doses: tuple[Ladder, ...]
    ordering: Ordering
    injections: Injections
    unknown_days: SaidBy
    tolerance: Tolerance
    minimum_interval: MinimumInterval
    at_the_window: AtTheWindow
    around_the_dose: AroundTheDose
    sign_off: SignOff
    check_ins: CheckIns
    attendance: Attendance
    stock: StockRules
    take_home: TakeHomeRules
    tightens: str | None = None
    """The profile that a clinic's own variant rests on, and no rule of which it may loosen."""

    @property
    def label(self) -> str:
        """Profile and version in one word, such as `UK-1`."""
        return f"{self.profile}-{self.version}"

    def ladder(self, medicine: Medicine) -> Ladder | None:
        """The missed-dose ladder that names this medicine."""
        return next((ladder for ladder in self.missed_doses if medicine in ladder.medicines), None)


def read_profile(text: bytes, where: str) -> Profile:
    """The profile in a file; raises `ProfileBroken` with everything that is wrong in it."""
    try:
        profile = msgspec.json.decode(text, type=Profile)
    except msgspec.DecodeError as error:
        message = f"{where}: {error}"
        raise ProfileBroken(message) from error
    wrong = list(_contradictions(profile))
    if wrong:
        message = f"{where}: {'; '.join(wrong)}"
        raise ProfileBroken(message)
    return profile


def _contradictions(profile: Profile) -> Iterable[str]:
    """What makes a profile unusable although its form is right."""
    if profile.version < 1:
        yield "version must be 1 or more"
    named = [medicine for ladder in profile.missed_doses for medicine in ladder.medicines]
    if sorted(named) != sorted(Medicine):
        yield "every medicine must stand in exactly one missed-dose ladder"
    for ladder in profile.missed_doses:
        yield from _wrong_ladder(ladder)
    if not profile.sign_off.roles or not set(profile.sign_off.roles) <= CLINICIANS:
        yield "sign_off.roles must name clinicians"
    counts = {
        "minimum_interval.hours": profile.minimum_interval.hours,
        "at_the_window.late_after_minutes": profile.at_the_window.late_after_minutes,
        "sign_off.deadline_hours": profile.sign_off.deadline_hours,
        "attendance.minimum_minutes": profile.attendance.minimum_minutes,
        "tolerance.away_days": profile.tolerance.away_days,
        "stock.inventory.every_days": profile.stock.inventory.every_days,
        "stock.witness.within_hours": profile.stock.witness.within_hours,
        "stock.loss.notice_business_days": profile.stock.loss.notice_business_days,
        "stock.loss.form_days": 1 if profile.stock.loss.form_days is None else profile.stock.loss.form_days,
    }
    yield from (f"{name} must be more than zero" for name, count in counts.items() if count <= 0)
    if not 1 <= profile.tolerance.naltrexone_days < LOOKS_BACK_DAYS:
        yield f"tolerance.naltrexone_days must lie between 1 and {LOOKS_BACK_DAYS - 1}"
    if profile.at_the_window.clock_ahead_seconds < 0:
        yield "at_the_window.clock_ahead_seconds must not be negative"
    yield from _wrong_slack(profile.check_ins.slack)
    yield from profile.around_the_dose.contradictions()
    yield from profile.ordering.contradictions()
    yield from profile.injections.contradictions()
    yield from profile.take_home.contradictions()


def _wrong_slack(slack: tuple[Slack, ...]) -> Iterable[str]:
    steps = [step.from_interval_days for step in slack]
    if not steps or steps[0] != 1 or any(later <= earlier for earlier, later in pairwise(steps)):
        yield "check_ins.slack must begin at an interval of 1 day and rise"
    for step in slack:
        if not (0 <= step.grace_days <= LONGEST_SLACK_DAYS and 0 <= step.early_days <= LONGEST_SLACK_DAYS):
            yield f"grace_days and early_days of check_ins.slack must lie between 0 and {LONGEST_SLACK_DAYS}"


def _wrong_ladder(ladder: Ladder) -> Iterable[str]:
    steps = [rung.from_missed for rung in ladder.rungs]
    if not steps or steps[0] != 1 or any(later <= earlier for earlier, later in pairwise(steps)):
        yield "the rungs of a ladder must begin at 1 missed dose and rise"
    for rung in ladder.rungs:
        if rung.proposal is not None and not 0 < rung.proposal.percent <= _WHOLE:
            yield f"{rung.rule}: percent must lie between 1 and 100"
    titration, repeated = ladder.titration, ladder.repeated
    if titration is not None and (titration.days < 1 or titration.from_missed < 1):
        yield f"{titration.rule}: days and from_missed must be more than zero"
    if repeated is not None and not 1 <= repeated.from_days <= repeated.of_days <= LONGEST_LOOK_BACK_DAYS:
        yield f"{repeated.rule}: 1 <= from_days <= of_days <= {LONGEST_LOOK_BACK_DAYS}"


_brought: dict[str, tuple[Profile, ...]] = {}
"""The clinic's own variants; `brought.bring` fills it as a process starts."""


@cache
def profiles() -> Mapping[str, tuple[Profile, ...]]:
    """Every version of every profile, oldest first. Raises `ProfileBroken`."""
    found: dict[str, list[Profile]] = {name: list(versions) for name, versions in _brought.items()}
    folder = resources.files("caseload.domain") / "profiles_data"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        profile = read_profile(file.read_bytes(), file.name)
        found.setdefault(profile.profile, []).append(profile)
    return MappingProxyType({name: in_order(versions) for name, versions in found.items()})


def replace_brought(own: Mapping[str, tuple[Profile, ...]]) -> None:
    """Let every profile that is asked for from now on come from ours and these; see `brought.bring`, which checks."""
    _brought.clear()
    _brought.update(own)
    profiles.cache_clear()
    profile_on.cache_clear()


def in_order(versions: Iterable[Profile]) -> tuple[Profile, ...]:
    """The versions of one profile, oldest first; raises `ProfileBroken` when numbers and dates do not rise together."""
    ordered = tuple(sorted(versions, key=lambda profile: profile.version))
    for earlier, later in pairwise(ordered):
        if later.version == earlier.version or later.in_force_from <= earlier.in_force_from:
            message = f"{later.label}: versions and dates of a profile must rise together"
            raise ProfileBroken(message)
    return ordered


@cache
def profile_on(name: str, day: date) -> Profile:
    """The version of a profile in force on a local day (its first version before that); raises `ProfileUnknown`."""
    versions = profiles().get(name)
    if versions is None:
        known = ", ".join(sorted(profiles()))
        raise ProfileUnknown(f"Choose one of {known}.")
    return next((profile for profile in reversed(versions) if profile.in_force_from <= day), versions[0])


def profile_version(name: str, version: int) -> Profile:
    """One version of a profile, as a decision or a record names it; raises `ProfileUnknown`."""
    found = next((profile for profile in profiles().get(name, ()) if profile.version == version), None)
    if found is None:
        raise ProfileUnknown("Look at the list of profiles for the versions there are.")
    return found
