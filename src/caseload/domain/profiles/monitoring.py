"""What a profile asks to be watched beside the doses. None of it gives or refuses one."""

from collections.abc import Iterable

from caseload.domain.profiles.said import Data, SaidBy

MOST_SCREENS_A_YEAR = 366


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


class Monitoring(Data, frozen=True):
    """Everything that a profile asks to be watched."""

    random_screens: RandomScreens
    high_dose: HighDose
    ecg: Ecgs

    def contradictions(self) -> Iterable[str]:
        """What makes it unusable although its form is right."""
        if not 0 <= self.random_screens.a_year <= MOST_SCREENS_A_YEAR:
            yield f"monitoring.random_screens.a_year must lie between 0 and {MOST_SCREENS_A_YEAR}"
        if self.high_dose.methadone_mg_a_day_above < 1:
            yield "monitoring.high_dose.methadone_mg_a_day_above must be more than zero"
        for name in ("follow_up_days", "every_days"):
            if getattr(self.ecg, name) < 1:
                yield f"monitoring.ecg.{name} must be more than zero"

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
