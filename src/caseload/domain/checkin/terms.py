"""What a plan of check-ins asks for: how often, how, and how much slack."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from caseload.domain.errors import Faults
from caseload.domain.profiles import Profile
from caseload.domain.profiles.checkins import LONGEST_SLACK_DAYS
from caseload.domain.programme import Programme
from caseload.domain.schedule import Recurrence, local_day, local_days_later, one_interval_later


class Mode(StrEnum):
    """How a check-in takes place."""

    IN_PERSON = "in_person"
    TELEPHONE = "telephone"
    VIDEO = "video"
    TEXT = "text"
    HOME_VISIT = "home_visit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a plan asks for: how often, how, and how much slack. Raises `Invalid` with every fault at once."""

    rule: Recurrence
    grace_days: int
    """Local days after a check-in is due until it is overdue."""
    early_days: int
    """Local days before it is due from which a contact counts as this check-in."""
    mode: Mode
    zone: ZoneInfo
    """The zone the rule is worked out in: the programme's, when the plan was decided."""
    grace_rule: str | None = None
    """Profile, version and rule that the grace follows; None where whoever planned it said otherwise."""

    def __post_init__(self) -> None:
        """Refuse a grace or an early window that no clinic means."""
        faults = Faults()
        for field in ("grace_days", "early_days"):
            faults.check(
                when=not 0 <= getattr(self, field) <= LONGEST_SLACK_DAYS,
                where=field,
                problem=f"must be from 0 to {LONGEST_SLACK_DAYS} days",
            )
        faults.raise_if_any()

    def grace_ends_at(self, due_at: datetime, closed: Collection[date] = ()) -> datetime:
        """The last instant at which a check-in due then is not overdue. Grace is counted in open local days."""
        days = left = self.grace_days
        if closed:
            day, days = local_day(due_at, self.zone), 0
            while left:
                days += 1
                left -= day + timedelta(days=days) not in closed
        return local_days_later(due_at, days, self.zone)

    def movable_until(self, due_at: datetime) -> datetime:
        """Until when a check-in due then may be moved at the client's wish: one interval later."""
        return one_interval_later(self.rule, due_at, self.zone)

    def counts_from(self, due_at: datetime) -> datetime:
        """From when a contact counts as the check-in that is due then."""
        return local_days_later(due_at, -self.early_days, self.zone)


def with_slack(terms: Terms, rule: Recurrence, profile: Profile) -> Terms:
    """The same terms for another rule, with the slack that the profile has for how often that is."""
    slack = profile.check_ins.slack_for(rule.interval_days)
    return Terms(
        rule=rule,
        grace_days=slack.grace_days,
        early_days=slack.early_days,
        mode=terms.mode,
        zone=terms.zone,
        grace_rule=f"{profile.label} {profile.check_ins.rule}",
    )


def usual_terms(
    programme: Programme,
    rule: Recurrence,
    *,
    mode: Mode,
    now: datetime,
    grace_days: int | None = None,
    early_days: int | None = None,
) -> Terms:
    """Terms in a programme's own zone; the slack that is not given follows its profile. Raises `Invalid`."""
    profile = programme.rules_on(programme.today(now))
    slack = profile.check_ins.slack_for(rule.interval_days)
    return Terms(
        rule=rule,
        grace_days=slack.grace_days if grace_days is None else grace_days,
        early_days=slack.early_days if early_days is None else early_days,
        mode=mode,
        zone=programme.zone,
        grace_rule=f"{profile.label} {profile.check_ins.rule}" if grace_days is None else None,
    )
