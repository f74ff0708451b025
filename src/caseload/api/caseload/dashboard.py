"""A programme at one glance over HTTP: counts, and nobody's name."""

from datetime import date, datetime
from uuid import UUID

from litestar.params import FromPath

from caseload.api.caseload.episodes import LevelOfCareWire
from caseload.api.caseload.loads import LoadOut
from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.attendance.rules import RulesOfSessions
from caseload.db.caseload.dashboard import Dashboards, When
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.attendance.hours import A_DAY, A_WEEK, first_of_week
from caseload.domain.caseload import Phase, Priority
from caseload.domain.caseload.dashboard import Dashboard
from caseload.domain.ids import ProgrammeId
from caseload.domain.programme import Programme
from caseload.domain.schedule import Weekday, start_of_day


class ClientsCountOut(Wire, frozen=True, kw_only=True):
    """The clients of a programme by how they stand to it."""

    in_care: int
    waiting: int
    left: int
    """Known here, and neither in care nor waiting."""


class AtLevelOut(Wire, frozen=True, kw_only=True):
    """How many clients in care are at a level of care today."""

    level_of_care: LevelOfCareWire
    clients: int


class AtPhaseOut(Wire, frozen=True, kw_only=True):
    """How many clients in care are in a phase of treatment today."""

    phase: Phase | None
    """Null: nobody has said."""
    clients: int


class CheckInsCountOut(Wire, frozen=True, kw_only=True):
    """The check-ins of a programme."""

    overdue: int
    """The number of `/overdue-check-ins/count?programme=`."""
    due_today: int
    """Neither settled nor overdue."""


class SessionsCountOut(Wire, frozen=True, kw_only=True):
    """The sessions of today."""

    sessions: int
    expected: int
    arrived: int


class HoursCountOut(Wire, frozen=True, kw_only=True):
    """How the clients in care stood to the hours of their level of care, each judged as in `/clients/{id}/hours`."""

    first: date
    last: date
    """Of the last week that is over."""
    met: int
    short: int
    over: int
    no_rule: int
    not_a_whole_week: int


class WaitingCountOut(Wire, frozen=True, kw_only=True):
    """How many wait for admission with one priority."""

    priority: Priority | None
    """Null: nobody has looked."""
    clients: int
    since: datetime
    """Since when the longest of them waits."""


class UnsignedCountOut(Wire, frozen=True, kw_only=True):
    """What waits for a signature."""

    notes: int
    notes_late: int
    notes_to_co_sign: int
    doses: int
    doses_late: int


class DashboardOut(Wire, frozen=True, kw_only=True):
    """A programme at one glance."""

    as_of: datetime
    clients: ClientsCountOut
    levels_of_care: list[AtLevelOut]
    phases: list[AtPhaseOut]
    check_ins: CheckInsCountOut
    today: SessionsCountOut
    hours: HoursCountOut
    counsellors: list[LoadOut]
    """The first two hundred; all of them stand in `/caseload/counsellors`."""
    waiting_list: list[WaitingCountOut]
    unsigned: UnsignedCountOut
    open_escalations: int
    handovers_waiting: int
    """For the new counsellor's answer."""
    discharges_waiting: int
    """For a prescriber's decision."""

    @classmethod
    def of(cls, found: Dashboard, *, now: datetime) -> "DashboardOut":
        """From the domain."""
        hours, unsigned = found.hours, found.unsigned
        return cls(
            as_of=now,
            clients=ClientsCountOut(in_care=found.in_care, waiting=found.waiting, left=found.left),
            levels_of_care=[
                AtLevelOut(
                    level_of_care=LevelOfCareWire(edition=each.level.edition, level=each.level.level),
                    clients=each.clients,
                )
                for each in found.levels
            ],
            phases=[AtPhaseOut(phase=each.phase, clients=each.clients) for each in found.phases],
            check_ins=CheckInsCountOut(overdue=found.overdue, due_today=found.today.check_ins),
            today=SessionsCountOut(
                sessions=found.today.sessions, expected=found.today.expected, arrived=found.today.arrived
            ),
            hours=HoursCountOut(
                first=hours.first,
                last=hours.last,
                met=hours.met,
                short=hours.short,
                over=hours.over,
                no_rule=hours.no_rule,
                not_a_whole_week=hours.not_a_whole_week,
            ),
            counsellors=[LoadOut.of(each) for each in found.loads],
            waiting_list=[
                WaitingCountOut(priority=each.priority, clients=each.clients, since=each.since)
                for each in found.waiting_list
            ],
            unsigned=UnsignedCountOut(
                notes=unsigned.notes,
                notes_late=unsigned.notes_late,
                notes_to_co_sign=unsigned.notes_to_co_sign,
                doses=unsigned.doses,
                doses_late=unsigned.doses_late,
            ),
            open_escalations=found.open_escalations,
            handovers_waiting=found.handovers_waiting,
            discharges_waiting=found.discharges_waiting,
        )


@reading("/programmes/{programme_id:uuid}/dashboard", act=Act.SEE_DASHBOARD, name="read_dashboard")
async def read_dashboard(programme_id: FromPath[UUID], work: TheWork) -> DashboardOut:
    """A programme at one glance: who is in care and who waits, what is late, today, hours, loads, what is unsigned.

    Counts only; each is the number of lines of a list that you may open.
    """
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.SEE_DASHBOARD, programme.id)
    rules, _ = await RulesOfSessions(work.connection).rules_of(programme.id)
    found = await Dashboards(work.connection, work.journal, now=work.now).of(
        programme.id, _when(programme, work.now, rules.week_starts_on), reach=work.by.reach(Act.SEE_DASHBOARD)
    )
    return DashboardOut.of(found, now=work.now)


def _when(programme: Programme, now: datetime, week_starts_on: Weekday) -> When:
    today = programme.today(now)
    this_week = first_of_week(today, week_starts_on)
    first = this_week - A_WEEK

    def began(day: date) -> datetime:
        return start_of_day(day, programme.zone)

    return When(
        today=today,
        day=(began(today), began(today + A_DAY)),
        first=first,
        last=this_week - A_DAY,
        week=(began(first), began(this_week)),
    )
