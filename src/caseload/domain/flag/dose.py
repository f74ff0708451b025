"""The flag that nobody raises: a daily dose of methadone above the number of the programme's profile."""

from collections.abc import Sequence
from decimal import Decimal

from caseload.domain.medicines import Medicine
from caseload.domain.profiles.monitoring import HighDose


def high_dose(medicine: Medicine | None, parts_mg: Sequence[Decimal], rule: HighDose) -> Decimal | None:
    """The daily dose, all parts together, where it is above the rule's number; exactly that number is not."""
    total = sum(parts_mg, Decimal())
    return total if medicine is Medicine.METHADONE and total > rule.methadone_mg_a_day_above else None
