"""What a plan asks for, on the wire: a rule in fields or as RFC 5545 writes it, and the phases that follow."""

from datetime import date, datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from caseload.api.wire import Wire
from caseload.db.programme import Programmes
from caseload.domain.checkin import Mode, Terms, one_after_another, read_rule, rule_text, usual_phases, usual_terms
from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import ProgrammeId
from caseload.domain.programme import Programme
from caseload.domain.schedule import Recurrence, Unit, Weekday
from caseload.request.work import Work

LocalTime = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        description="Hours and minutes on the wall clock.",
        examples=["09:30"],
    ),
]


class CheckInRuleIn(Wire, frozen=True, kw_only=True):
    """How often, from a day on."""

    starts_on: date
    rrule: str | None = None
    """How often, as RFC 5545 writes it (`FREQ=WEEKLY;INTERVAL=2;BYDAY=TU`), in the place of `every`, `unit` and what goes
    with them."""
    every: int | None = None
    unit: Unit | None = None
    weekday: Weekday | None = None
    """For weeks."""
    month_day: int | None = None
    """For months; 29 to 31 mean the last day of a shorter month."""
    ends_on: date | None = None
    """The last day; of a phase that another follows, the day before that when left out."""
    grace_days: int | None = None
    """Local days until it is overdue; what the programme's profile says when left out."""
    early_days: int | None = None
    """Local days before it is due from which a contact counts; as the profile says when left out."""

    def terms(self, programme: Programme, *, at: time, mode: Mode, now: datetime) -> Terms:
        """As the domain speaks of it, in a programme."""
        return usual_terms(
            programme,
            self._rule(at, programme.zone),
            mode=mode,
            now=now,
            grace_days=self.grace_days,
            early_days=self.early_days,
        )

    def _rule(self, at: time, zone: ZoneInfo) -> Recurrence:
        if self.rrule is not None:
            beside = ("every", "unit", "weekday", "month_day", "ends_on")
            said = [Fault(name, "stands in rrule") for name in beside if getattr(self, name) is not None]
            if said:
                raise Invalid(said)
            return read_rule(self.rrule, starts_on=self.starts_on, at=at, zone=zone)
        if self.every is None or self.unit is None:
            raise Invalid([Fault(name, "say how often, by these two or by rrule") for name in ("every", "unit")])
        return Recurrence(
            every=self.every,
            unit=self.unit,
            weekday=self.weekday,
            month_day=self.month_day,
            at=at,
            starts_on=self.starts_on,
            ends_on=self.ends_on,
        )


class CheckInTermsIn(CheckInRuleIn, frozen=True, kw_only=True):
    """How often a client is to be checked in with, in the programme's own time."""

    at: LocalTime
    mode: Mode
    phases: list[CheckInRuleIn] = msgspec.field(default_factory=list["CheckInRuleIn"])
    """What follows, each from its first day on, at the same time and in the same way."""
    usual_phases: bool = False
    """Whether what follows is what the programme's profile suggests, in the place of `phases`."""

    async def read(self, programme: ProgrammeId, work: Work) -> tuple[Terms, ...]:
        """As the domain speaks of it, in a programme: phase after phase."""
        found = await Programmes(work.connection).get(programme)
        at = time.fromisoformat(self.at)
        terms = self.terms(found, at=at, mode=self.mode, now=work.now)
        if not self.usual_phases:
            later = [each.terms(found, at=at, mode=self.mode, now=work.now) for each in self.phases]
            return one_after_another((terms, *later))
        if self.phases:
            raise Invalid(Fault("phases", "leave them out where usual_phases is true"))
        return usual_phases(terms, found.rules_on(found.today(work.now)))


class CheckInTermsOut(Wire, frozen=True, kw_only=True):
    """How often, how, and with how much slack."""

    rule: str
    """The rule in words."""
    rrule: str
    """The rule as RFC 5545 writes it, from `starts_on` at `at` in `time_zone`."""
    every: int
    unit: Unit
    weekday: Weekday | None
    month_day: int | None
    at: str
    starts_on: date
    ends_on: date | None
    time_zone: str
    mode: Mode
    grace_days: int
    grace_rule: str | None
    """Profile, version and rule that the grace follows; null where the plan says it itself."""
    early_days: int

    @classmethod
    def of(cls, terms: Terms) -> "CheckInTermsOut":
        """From the domain."""
        return cls(
            rule=terms.rule.words,
            rrule=rule_text(terms.rule, terms.zone),
            every=terms.rule.every,
            unit=terms.rule.unit,
            weekday=terms.rule.weekday,
            month_day=terms.rule.month_day,
            at=f"{terms.rule.at:%H:%M}",
            starts_on=terms.rule.starts_on,
            ends_on=terms.rule.ends_on,
            time_zone=terms.zone.key,
            mode=terms.mode,
            grace_days=terms.grace_days,
            grace_rule=terms.grace_rule,
            early_days=terms.early_days,
        )
