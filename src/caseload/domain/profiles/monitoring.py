"""What a profile asks to be watched beside the doses. None of it gives or refuses one."""

from collections.abc import Iterable

from caseload.domain.profiles.said import Data, SaidBy

MOST_SCREENS_A_YEAR = 366
ADMISSION_DAYS = ("examination_days", "assessment_days")


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


class Monitoring(Data, frozen=True):
    """Everything that a profile asks to be watched."""

    random_screens: RandomScreens
    high_dose: HighDose
    ecg: Ecgs
    admission: Admission | None = None
    """None where the profile sets an admission no clock."""

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


def _looser_admission(before: Admission | None, after: Admission | None) -> Iterable[str]:
    if before is not None and after is None:
        yield "monitoring.admission: an admission has no clocks any more"
    elif before is not None and after is not None:
        for name in ADMISSION_DAYS:
            days, were = getattr(after, name), getattr(before, name)
            if days > were:
                yield f"monitoring.admission.{name}: {were} became {days}"
