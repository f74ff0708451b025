"""The dosing queue of a programme for a local day, in one page."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from litestar.params import FromPath, QueryParameter

from caseload.api.dosing.due import DueOut
from caseload.api.flag.wire import ShownOut, shown
from caseload.api.route import reading
from caseload.api.window.messages import MessageOut
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.api.written import Written
from caseload.db.closure import ClosureDays
from caseload.db.programme import Programmes
from caseload.db.window import Queues
from caseload.domain.access import Act
from caseload.domain.dosing import NotGivenReason, check_day
from caseload.domain.ids import ProgrammeId
from caseload.domain.medicines import DosePart
from caseload.domain.profiles import profile_on
from caseload.domain.programme import Programme
from caseload.domain.window import Excused, ExcuseReason, Flag, Group, Line, NotGivenToday, WindowDay


class ExcusedOut(Wire, frozen=True, kw_only=True):
    """Why a client is not expected."""

    excusal_id: UUID
    reason: ExcuseReason
    first_on: date
    last_on: date | None
    """Null while nobody knows."""

    @classmethod
    def of(cls, excused: Excused) -> "ExcusedOut":
        """From the domain."""
        return cls(
            excusal_id=excused.excusal,
            reason=excused.reason,
            first_on=excused.first_on,
            last_on=excused.last_on,
        )


class NotGivenTodayOut(Wire, frozen=True, kw_only=True):
    """A part of the day that was not given, and why."""

    part: DosePart
    reason: NotGivenReason
    recorded_at: datetime

    @classmethod
    def of(cls, each: NotGivenToday) -> "NotGivenTodayOut":
        """From the domain."""
        return cls(part=each.part, reason=each.reason, recorded_at=each.recorded_at)


class QueueLineOut(Wire, frozen=True, kw_only=True):
    """A client of the day."""

    client_id: UUID
    given_name: str
    family_name: str
    birth_date: date
    chart_number: str | None
    photograph_on: date | None
    """From when the photograph is; null where none is held."""
    alike: list[UUID]
    """Clients of the same day whose names sound or read alike."""
    flags: list[Flag]
    see_first: list[ShownOut]
    """Allergies, pregnancy, what else is taken, a high daily dose. They refuse nothing."""
    messages: list[MessageOut]
    """What the window should know, until somebody clears it."""
    due: DueOut
    """What is due, the last dose, the missed days, and under `in_the_way` what must happen first."""
    excused: ExcusedOut | None
    not_given: list[NotGivenTodayOut]

    @classmethod
    def of(cls, line: Line, profile: str) -> "QueueLineOut":
        """From the domain, by the profile of the day."""
        who, told = line.waiting, line.told
        return cls(
            client_id=who.client,
            given_name=who.given_name,
            family_name=who.family_name,
            birth_date=who.birth_date,
            chart_number=told.chart_number,
            photograph_on=told.photograph_on,
            alike=sorted(line.alike),
            flags=list(line.flags),
            see_first=shown(told.see_first, who.due, profile_on(profile, who.due.day)),
            messages=[MessageOut.of(each) for each in told.messages],
            due=DueOut.of(who.due),
            excused=ExcusedOut.of(told.excused) if told.excused is not None else None,
            not_given=[NotGivenTodayOut.of(each) for each in told.not_given],
        )


_WRITTEN: Final = Written(QueueLineOut.of)


class QueueOut(Wire, frozen=True, kw_only=True):
    """Everybody to whom something is due on a day, each in one group, by family name."""

    programme_id: UUID
    day: date
    closed: str | None
    """Why the window is closed on this day, and nobody expected; null where it is open."""
    to_attend: list[QueueLineOut]
    held: list[QueueLineOut]
    """Nothing may be given before a prescriber has decided, signed or ordered what `in_the_way` asks for."""
    attended: list[QueueLineOut]
    """Given all that was due, or here and not given it."""
    not_expected: list[QueueLineOut]
    """Excused on this day; everybody who has had nothing, where the window is closed."""

    @classmethod
    def of(cls, programme: Programme, at: WindowDay, queue: Mapping[Group, Sequence[Line]]) -> "QueueOut":
        """From the domain."""
        profile = programme.profiles.name_on(at.day)

        def lines(group: Group) -> list[QueueLineOut]:
            return [_WRITTEN.of(each.waiting.client, each, profile) for each in queue[group]]

        return cls(
            programme_id=programme.id,
            day=at.day,
            closed=at.closed,
            to_attend=lines(Group.TO_ATTEND),
            held=lines(Group.HELD),
            attended=lines(Group.ATTENDED),
            not_expected=lines(Group.NOT_EXPECTED),
        )


Day = Annotated[
    date | None, QueryParameter(name="day", required=False, description="A local day; today when left out.")
]


@reading("/programmes/{programme_id:uuid}/queue", act=Act.RECORD_DOSE, name="read_queue")
async def read_queue(programme_id: FromPath[UUID], work: TheWork, day: Day = None) -> QueueOut:
    """The dosing queue of a day: who is still to attend, held, attended and not expected, and what to know of each."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.RECORD_DOSE, programme.id)
    today = programme.today(work.now)
    wanted = today if day is None else day
    check_day(wanted, today)
    store = Queues(work.connection, work.journal, now=work.now)
    closures = await ClosureDays(work.connection).closed_days(programme.id, wanted, wanted)
    at = WindowDay(
        programme=programme.id,
        day=wanted,
        rules=programme.rules_on(wanted),
        closed=closures[0].reason if closures else None,
    )
    queue = await store.queue(at, by=work.by, act=Act.RECORD_DOSE)
    return QueueOut.of(programme, at, queue)
