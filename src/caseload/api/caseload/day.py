"""A counsellor's day over HTTP: what matters first, and why."""

from datetime import datetime
from uuid import UUID

from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.caseload.day import CounsellorDay, Day
from caseload.domain.access import Act
from caseload.domain.attendance import SessionKind
from caseload.domain.caseload.day import Band, Line, Matter


class ExpectedOut(Wire, frozen=True, kw_only=True):
    """Somebody who is expected at a session."""

    client_id: UUID
    given_name: str
    family_name: str
    arrived_at: datetime | None


class DayLineOut(Wire, frozen=True, kw_only=True):
    """One line of a day."""

    matter: Matter
    band: Band
    why: str
    record_id: UUID
    """Of the escalation, the check-in, the session, the note, the offer, the message or the care task."""
    at: datetime
    """Since when it is late or waits; of what is to come when it is due or begins."""
    client_id: UUID | None
    """Null where the line is about a session or a note."""
    given_name: str | None
    family_name: str | None
    covering: bool
    """You stand in for the responsible counsellor."""
    title: str | None
    """Of the session or the note; of a message what it says; of a care task what is to be done."""
    kind: SessionKind | None
    leads: bool
    expected: list[ExpectedOut]
    """At a session that you lead everybody, at another one the clients whom you look after."""

    @classmethod
    def of(cls, line: Line) -> "DayLineOut":
        """From the domain."""
        about = line.about
        return cls(
            matter=line.matter,
            band=line.band,
            why=line.why,
            record_id=line.record,
            at=line.at,
            client_id=None if about is None else about.client,
            given_name=None if about is None else about.given_name,
            family_name=None if about is None else about.family_name,
            covering=about is not None and about.covering,
            title=line.title,
            kind=line.kind,
            leads=line.leads,
            expected=[
                ExpectedOut(
                    client_id=each.client,
                    given_name=each.given_name,
                    family_name=each.family_name,
                    arrived_at=each.arrived_at,
                )
                for each in line.expected
            ],
        )


class DayOut(Wire, frozen=True, kw_only=True):
    """Everything that waits for you, what matters first."""

    as_of: datetime
    overdue_check_ins: int
    """All of them, also where the list shows the first two hundred: the number of `/overdue-check-ins/count`."""
    items: list[DayLineOut]

    @classmethod
    def of(cls, found: Day, *, now: datetime) -> "DayOut":
        """From the domain."""
        return cls(as_of=now, overdue_check_ins=found.overdue, items=[DayLineOut.of(each) for each in found.lines])


@reading("/day", act=Act.SEE_CHECK_INS, name="read_day", problems=())
async def read_day(work: TheWork) -> DayOut:
    """Your day: what must be heard of at once, what is late, the hours of today, and what waits without an hour.

    Of the clients whom you answer for or stand in for now; each line says why it stands where it does.
    """
    return DayOut.of(await CounsellorDay(work.connection, work.journal, now=work.now).of(work.by), now=work.now)
