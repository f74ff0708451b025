"""What another registration took that may be this client's: it stands in the way of a dose and never lets one through.

Nobody has confirmed yet that the two are one person. Were they two, the doses of one would hide the missed days of the
other; so nothing of this counts as taken before the merge is confirmed (decision 141). Product convention.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from caseload.domain.dosing.refusal import Refusal, Rule
from caseload.domain.medication import Acting, is_another
from caseload.domain.medicines import LONG_ACTING, Medicine
from caseload.domain.profiles import Profile


class Found(StrEnum):
    """What is known of the other registration."""

    TAKEN = "taken"
    AT_HOME = "at_home"
    """A unit to take home covers the day."""
    HELD = "held"
    """A hold on every dose, or on the dose of the day, is in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderAnother:
    """One fact of a registration that may be the same client's. It says nothing of whose it is."""

    what: Found
    day: date
    at: datetime | None = None
    last: Acting | None = None
    """The product that was taken."""


def against_another_registration(
    found: Sequence[UnderAnother], medicine: Medicine, day: date, at: datetime | None, rules: Profile
) -> list[Refusal]:
    """Whether anything of the other registration stands in the way of a medicine on a day, given at a moment.

    `at` is left out where only the day is asked for.
    """
    apart = timedelta(hours=rules.minimum_interval.hours)
    why = {each.what for each in found if _stands(each, medicine, day, at, apart)}
    if not why:
        return []
    return [
        Refusal(
            rule=Rule.OTHER_REGISTRATION,
            says="This client may be registered twice, and the other registration stands in the way of this dose."
            " Give nothing before somebody has confirmed or rejected that they are one person.",
            facts={"day": str(day), "other_registration": sorted(why)},
        )
    ]


def against_handing_out(today: date) -> Refusal:
    """Nothing is taken home while a client may be registered twice: nobody would see it taken."""
    return Refusal(
        rule=Rule.OTHER_REGISTRATION,
        says="This client may be registered twice. Hand nothing out before somebody has confirmed or rejected that.",
        facts={"day": str(today)},
    )


def _stands(each: UnderAnother, medicine: Medicine, day: date, at: datetime | None, apart: timedelta) -> bool:
    if each.what is not Found.TAKEN or each.last is None or each.day == day:
        return each.day == day
    if at is not None and each.at is not None and abs(at - each.at) < apart:
        return True
    lasts = each.last.form in LONG_ACTING or is_another(medicine, each.last.medicine)
    return lasts and each.day <= day <= each.last.until
