"""What a profile says of long-acting injections, beside the windows of the products themselves."""

from collections.abc import Iterable

from caseload.domain.profiles.said import Data, SaidBy


class NamedPatient(SaidBy, frozen=True):
    """How long an injection that a pharmacy delivered for one client may be given to them."""

    within_days: int | None
    """Days after it was received; None where there is no such limit."""


class Injections(Data, frozen=True):
    """Each of them is said where it applies; the first two ask for a prescriber's decision."""

    early: SaidBy
    overdue: SaidBy
    site: SaidBy
    named_patient: NamedPatient

    def contradictions(self) -> Iterable[str]:
        """What makes it unusable although its form is right."""
        if self.named_patient.within_days is not None and self.named_patient.within_days < 1:
            yield "injections.named_patient.within_days must be more than zero"
