"""People of the staff for tests of the domain, which knows no tables: who they are and which roles they hold."""

from caseload.domain.access import Holding, Role
from caseload.domain.ids import ProgrammeId, StaffId, new_id
from caseload.domain.people import Staff


def somebody(*holds: tuple[Role, ProgrammeId | None], may_sign: bool = True) -> Staff:
    """Another person each time, with these roles in these programmes; without a programme, everywhere."""
    return Staff(
        id=StaffId(new_id()),
        user_name="ada",
        printed_name="Ada Nowak",
        session=None,
        holdings=tuple(Holding(role=role, programme=where) for role, where in holds),
        may_sign=may_sign,
    )
