"""As whom a job reads what it works out from: as far as a programme's nurses do, and no other programme."""

from dataclasses import replace

from caseload.domain.access import Holding, Role
from caseload.domain.ids import ProgrammeId
from caseload.domain.people import Staff, the_service


def reader(programme: ProgrammeId) -> Staff:
    """Reads the record of one programme, as far as its nurses do, and no other."""
    return replace(the_service(), holdings=(Holding(role=Role.NURSE, programme=programme),))
