"""Consents that expire soon: in good time, and more urgently as their last day comes near.

How many days before is the country's rule (`expiry_alert_days`); 30, 14 and 7 are product convention.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from caseload.domain.access import Act
from caseload.domain.consent.consent import Consent, Standing
from caseload.domain.consent.forms import earliest_alert, rules_on
from caseload.domain.people import Staff
from caseload.domain.programme import Programme

MOST: Final = 200
"""Lines of the list, those that end first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiring:
    """A consent in force whose last day is near."""

    consent: Consent
    last_day: date
    days_left: int
    """0 on the last day itself."""
    alert: int
    """The nearest step that has been reached: 30, 14 or 7."""
    rule: str


class ExpiringConsents(Protocol):
    """Consents by their end."""

    async def ending(self, *, after: datetime, until: datetime, by: Staff, act: Act, limit: int) -> Sequence[Consent]:
        """Those of clients within the person's reach whose last day ends between the two, the first to end first."""
        ...


async def expiring(
    *,
    by: Staff,
    act: Act,
    now: datetime,
    consents: ExpiringConsents,
    programmes: Iterable[Programme],
    limit: int = MOST,
) -> Sequence[Expiring]:
    """The consents in force that expire soon, those that end first before the others."""
    until = now + timedelta(days=earliest_alert() + 2)
    where = {each.id: each for each in programmes}
    found = await consents.ending(after=now, until=until, by=by, act=act, limit=limit)
    lines = (is_expiring(consent, where[consent.discloser], at=now) for consent in found)
    return [line for line in lines if line is not None]


def is_expiring(consent: Consent, programme: Programme, *, at: datetime) -> Expiring | None:
    """Pure: whether a consent in force is so near its last day that a step of the rule has been reached."""
    last_day, today = consent.expiry.last_day, programme.today(at)
    if last_day is None or consent.standing(at) is not Standing.IN_FORCE:
        return None
    rules = rules_on(programme.profiles.name_on(today), today)
    left = (last_day - today).days
    reached = [step for step in rules.expiry_alert_days if left <= step]
    if not reached:
        return None
    return Expiring(
        consent=consent,
        last_day=last_day,
        days_left=left,
        alert=min(reached),
        rule=f"expiry_alert_days ({rules.version})",
    )
