"""What a profile asks to be watched beside the doses. None of it gives or refuses one."""

from collections.abc import Iterable

from caseload.domain.profiles.said import Data, SaidBy

MOST_SCREENS_A_YEAR = 366
ADMISSION_DAYS = ("examination_days", "assessment_days")
FEWEST_DAYS_OF_A_MONTH = 28
MOST_INTERIM_MONTHS = 36


class RandomScreens(SaidBy, frozen=True):
    """How many random drug screens each year of treatment has; 0 where the clinician asks for each."""

    a_year: int


class HighDose(SaidBy, frozen=True):
    """From which daily dose of methadone on a flag of its own is shown."""

    methadone_mg_a_day_above: int
    """Exactly so much is not above it."""


class Ecgs(SaidBy, frozen=True):
    """When somebody on methadone has an electrocardiogram, besides before the start, above the high dose and after a faint."""

    follow_up_days: int
    """After the first day of methadone."""
    every_days: int
    """After the last one."""


class Admission(SaidBy, frozen=True):
    """By when after an admission what belongs to it is done, in calendar days after the day of the admission."""

    examination_days: int
    """The full examination in person."""
    assessment_days: int
    """The initial psychosocial assessment, with the care plan."""


class Interim(SaidBy, frozen=True):
    """How long interim treatment lasts, and what belongs to it; its first day is day 1."""

    at_most_days: int
    """In any so many months, counted with the days of earlier ones."""
    months: int
    plan_by_day: int
    """The last day on which the plan for going on is in time."""
    random_screens: int
    """At least so many in it."""

    def contradictions(self) -> Iterable[str]:
        """What makes it unusable although its form is right."""
        if not 1 <= self.months <= MOST_INTERIM_MONTHS:
            yield f"monitoring.interim.months must lie between 1 and {MOST_INTERIM_MONTHS}"
        elif not 1 <= self.at_most_days < FEWEST_DAYS_OF_A_MONTH * self.months:
            yield "monitoring.interim.at_most_days must be more than zero and fewer than the days of its months"
        if not 1 <= self.plan_by_day <= self.at_most_days:
            yield "monitoring.interim.plan_by_day must lie between the first day and the last"
        if not 0 <= self.random_screens <= self.at_most_days:
            yield "monitoring.interim.random_screens must be no fewer than none and no more than the days"

    def looser_than(self, base: "Interim") -> Iterable[str]:
        """Every value of `base` that this loosens."""
        for name in ("at_most_days", "plan_by_day"):
            days, were = getattr(self, name), getattr(base, name)
            if days > were:
                yield f"monitoring.interim.{name}: {were} became {days}"
        for name in ("months", "random_screens"):
            fewer, were = getattr(self, name), getattr(base, name)
            if fewer < were:
                yield f"monitoring.interim.{name}: {were} became {fewer}"


class Monitoring(Data, frozen=True):
    """Everything that a profile asks to be watched."""

    random_screens: RandomScreens
    high_dose: HighDose
    ecg: Ecgs
    admission: Admission | None = None
    """None where the profile sets an admission no clock."""
    interim: Interim | None = None
    """None where the profile knows no interim treatment."""

    def contradictions(self) -> Iterable[str]:
        """What makes it unusable although its form is right."""
        if not 0 <= self.random_screens.a_year <= MOST_SCREENS_A_YEAR:
            yield f"monitoring.random_screens.a_year must lie between 0 and {MOST_SCREENS_A_YEAR}"
        if self.high_dose.methadone_mg_a_day_above < 1:
            yield "monitoring.high_dose.methadone_mg_a_day_above must be more than zero"
        for name in ("follow_up_days", "every_days"):
            if getattr(self.ecg, name) < 1:
                yield f"monitoring.ecg.{name} must be more than zero"
        for name in ADMISSION_DAYS:
            if self.admission is not None and getattr(self.admission, name) < 1:
                yield f"monitoring.admission.{name} must be more than zero"
        if self.interim is not None:
            yield from self.interim.contradictions()

    def looser_than(self, base: "Monitoring") -> Iterable[str]:
        """Every rule of `base` that this loosens."""
        fewer, were = self.random_screens.a_year, base.random_screens.a_year
        if fewer < were:
            yield f"monitoring.random_screens.a_year: {were} became {fewer}"
        above, was = self.high_dose.methadone_mg_a_day_above, base.high_dose.methadone_mg_a_day_above
        if above > was:
            yield f"monitoring.high_dose.methadone_mg_a_day_above: {was} became {above}"
        for name in ("follow_up_days", "every_days"):
            later, before = getattr(self.ecg, name), getattr(base.ecg, name)
            if later > before:
                yield f"monitoring.ecg.{name}: {before} became {later}"
        yield from _looser_admission(base.admission, self.admission)
        yield from _looser_interim(base.interim, self.interim)


def _looser_admission(before: Admission | None, after: Admission | None) -> Iterable[str]:
    if before is not None and after is None:
        yield "monitoring.admission: an admission has no clocks any more"
    elif before is not None and after is not None:
        for name in ADMISSION_DAYS:
            days, were = getattr(after, name), getattr(before, name)
            if days > were:
                yield f"monitoring.admission.{name}: {were} became {days}"


def _looser_interim(before: Interim | None, after: Interim | None) -> Iterable[str]:
    if before is None and after is not None:
        yield "monitoring.interim: interim treatment is known"
    elif before is not None and after is not None:
        yield from after.looser_than(before)
