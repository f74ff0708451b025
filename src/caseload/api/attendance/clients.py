"""A client's attendance over HTTP: what it adds up to, and session by session."""

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, QueryParameter

from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.attendance import Attendances
from caseload.db.client import Clients
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.attendance import SessionKind, Status, Totals, totals
from caseload.domain.errors import Faults
from caseload.domain.ids import ClientId, TherapySessionId
from caseload.domain.profiles import Profile
from caseload.domain.schedule import EARLIEST, LATEST, start_of_day

FirstDay = Annotated[
    date | None, QueryParameter(name="from", required=False, description="The first local day; from the start if none.")
]
LastDay = Annotated[
    date | None, QueryParameter(name="until", required=False, description="The last local day; until now if none.")
]


class AttendanceOut(Wire, frozen=True, kw_only=True):
    """What a client's places in sessions add up to, brought-in visits among them."""

    attended: int
    too_short: int
    """There, but for fewer minutes than the rule asks for."""
    did_not_attend: int
    cancelled_by_client: int
    counted: int
    """The places that the rate is of: all above."""
    rate_percent: int | None
    """Attended of a hundred counted, rounded down; null where none counts."""
    cancelled_by_provider: int
    """Not counted: never against the client."""
    recorded_in_error: int
    """Not counted."""
    not_known: int
    """Not counted: brought-in visits of which nobody wrote down what became of them."""
    minutes: int
    """Minutes in sessions; brought-in visits have none."""
    minimum_minutes: int
    rule: str
    """Profile, version and rule that the minimum follows."""

    @classmethod
    def of(cls, told: Totals, profile: Profile) -> "AttendanceOut":
        """From the domain."""
        return cls(
            attended=told.attended,
            too_short=told.too_short,
            did_not_attend=told.did_not_attend,
            cancelled_by_client=told.cancelled_by_client,
            counted=told.counted,
            rate_percent=told.rate_percent,
            cancelled_by_provider=told.cancelled_by_provider,
            recorded_in_error=told.recorded_in_error,
            not_known=told.not_known,
            minutes=told.minutes,
            minimum_minutes=profile.attendance.minimum_minutes,
            rule=f"{profile.label} {profile.attendance.rule}",
        )


class AttendedOut(Wire, frozen=True, kw_only=True):
    """One session of a client, by the register that counts."""

    session_id: UUID
    programme_id: UUID
    kind: SessionKind
    title: str
    started_at: datetime
    status: Status
    minutes: int
    walk_in: bool
    note: str | None
    register_version: int


@reading("/clients/{client_id:uuid}/attendance", act=Act.SEE_SESSIONS, name="read_attendance")
async def read_attendance(
    client_id: FromPath[UUID], work: TheWork, first: FirstDay = None, last: LastDay = None
) -> AttendanceOut:
    """What a client's attendance adds up to, over everything or over a period of local days."""
    reach = work.by.reach(Act.SEE_SESSIONS)
    client = await Clients(work.connection, work.journal, now=work.now).get(ClientId(client_id), reach=reach)
    programme = await Programmes(work.connection).get(client.programme)
    check_days(first, last)
    counted = await Attendances(work.connection, work.journal, now=work.now).counted(
        client.id,
        reach=reach,
        first=None if first is None else (first, start_of_day(first, programme.zone)),
        last=None if last is None else (last, start_of_day(last + timedelta(days=1), programme.zone)),
    )
    profile = programme.rules_on(programme.today(work.now))
    told = totals(counted, minimum_minutes=profile.attendance.minimum_minutes)
    return AttendanceOut.of(told, profile)


@reading("/clients/{client_id:uuid}/sessions", act=Act.SEE_SESSIONS, name="list_client_sessions")
async def list_client_sessions(
    client_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[AttendedOut]:
    """A client's sessions whose registers were taken, latest first."""
    found = await Attendances(work.connection, work.journal, now=work.now).of_client(
        ClientId(client_id),
        reach=work.by.reach(Act.SEE_SESSIONS),
        after=None if after is None else TherapySessionId(after),
        limit=limit,
    )
    items = [
        AttendedOut(
            session_id=each.session,
            programme_id=each.programme,
            kind=each.kind,
            title=each.title,
            started_at=each.started_at,
            status=each.status,
            minutes=each.minutes,
            walk_in=each.walk_in,
            note=each.note,
            register_version=each.register_version,
        )
        for each in found
    ]
    return Page(items=items, next=items[-1].session_id if len(items) == limit else None)


def check_days(first: date | None, last: date | None) -> None:
    """Raise `Invalid` unless these days, as far as they are given, are days of this age and in order."""
    faults = Faults()
    for where, day in (("from", first), ("until", last)):
        faults.check(
            when=day is not None and not EARLIEST <= day <= LATEST,
            where=where,
            problem=f"must be from {EARLIEST} to {LATEST}",
        )
    faults.check(
        when=first is not None and last is not None and last < first, where="until", problem="must not be before from"
    )
    faults.raise_if_any()
