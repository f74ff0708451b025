"""The dispensing list: to whom what is due in a programme on a day."""

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, QueryParameter

from caseload.api.dosing.due import DueOut
from caseload.api.dosing.store import charts
from caseload.api.flag.wire import ShownOut, shown
from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.flag import KeptFlags
from caseload.db.programme import Programmes
from caseload.domain import dosing as domain
from caseload.domain.access import Act
from caseload.domain.dosing import DueTo
from caseload.domain.flag import NO_FLAGS, SeeFirst
from caseload.domain.ids import ProgrammeId
from caseload.domain.profiles import Profile


class DispensingLineOut(Wire, frozen=True, kw_only=True):
    """A client to whom something is due."""

    client_id: UUID
    given_name: str
    family_name: str
    birth_date: date
    due: DueOut
    flags: list[ShownOut]
    """What to see first; nothing is refused for it."""

    @classmethod
    def of(cls, line: DueTo, flags: SeeFirst, profile: Profile) -> "DispensingLineOut":
        """From the database."""
        return cls(
            client_id=line.client,
            given_name=line.given_name,
            family_name=line.family_name,
            birth_date=line.birth_date,
            due=DueOut.of(line.due),
            flags=shown(flags, line.due, profile),
        )


class DispensingListOut(Wire, frozen=True, kw_only=True):
    """Everybody to whom something is due on a day, by family name."""

    programme_id: UUID
    day: date
    items: list[DispensingLineOut]


Day = Annotated[
    date | None, QueryParameter(name="day", required=False, description="A local day; today when left out.")
]


@reading("/programmes/{programme_id:uuid}/dispensing", act=Act.RECORD_DOSE, name="read_dispensing_list")
async def read_dispensing_list(programme_id: FromPath[UUID], work: TheWork, day: Day = None) -> DispensingListOut:
    """What is due to whom in a programme on a day, the last dose, and what stands in the way."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.RECORD_DOSE, programme.id)
    today = programme.today(work.now)
    wanted = today if day is None else day
    domain.check_day(wanted, today)
    lines = await charts(work).due_in(programme.id, wanted, by=work.by, act=Act.RECORD_DOSE)
    flags = await KeptFlags(work.connection, work.journal).shown([line.client for line in lines], wanted)
    profile = programme.profiles.on(wanted)
    return DispensingListOut(
        programme_id=programme.id,
        day=wanted,
        items=[DispensingLineOut.of(line, flags.get(line.client, NO_FLAGS), profile) for line in lines],
    )
