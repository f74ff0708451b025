"""Jurisdiction profiles: the clinic's thresholds as versioned, dated, sourced data. None of them is a constant in code.

Federal and national rules disagree with each other, so a programme selects a profile; a change of a profile is a new
file with a new version and the date from which it counts, and what was decided keeps pointing to the version that was
in force. The files stand in `profiles_data/`, one per version, and are checked when they are read.
"""

from collections.abc import Iterable, Mapping
from datetime import date
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
from caseload.domain.profiles.checkins import CheckIns, wrong_phases, wrong_slack
from caseload.domain.profiles.injections import Injections
from caseload.domain.profiles.ladder import Ladder, Tolerance, wrong_ladder
from caseload.domain.profiles.minors import Minors
from caseload.domain.profiles.monitoring import Monitoring
from caseload.domain.profiles.ordering import Ordering
from caseload.domain.profiles.outreach import Escalating, Outreach
from caseload.domain.profiles.rights import Rights
from caseload.domain.profiles.said import Data, SaidBy
from caseload.domain.profiles.stock import StockRules
from caseload.domain.profiles.takehome import TakeHomeRules


class ProfileUnknown(NotFound):
    """There is no such jurisdiction profile."""


class ProfileBroken(ValueError):
    """A profile file contradicts itself; its message names the file and what is wrong."""


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
    outreach: Outreach
    escalating: Escalating
    attendance: Attendance
    stock: StockRules
    take_home: TakeHomeRules
    monitoring: Monitoring
    rights: Rights
    minors: Minors | None = None
    """Who signs for minors; none where no such rule is known, and nothing is decided here."""
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
        yield from wrong_ladder(ladder)
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
    yield from wrong_slack(profile.check_ins.slack)
    yield from profile.outreach.contradictions()
    yield from profile.escalating.contradictions()
    yield from wrong_phases(profile.check_ins)
    yield from profile.around_the_dose.contradictions()
    yield from profile.ordering.contradictions()
    yield from profile.injections.contradictions()
    yield from profile.take_home.contradictions()
    yield from profile.monitoring.contradictions()
    yield from profile.rights.contradictions()


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
