"""Who is on call, over HTTP: the rota of a programme, with the hours in which nobody is."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork, nothing_more
from caseload.db.idempotency import Kept
from caseload.db.on_call import KeptRotas
from caseload.db.programme import Programmes
from caseload.domain import escalation as domain
from caseload.domain.access import Act
from caseload.domain.escalation import NOBODY, OnCall, holes
from caseload.domain.ids import OnCallId, ProgrammeId, StaffId, new_id
from caseload.request.idempotency import once
from caseload.request.work import Work

BACK: Final = timedelta(days=1)
AHEAD: Final = timedelta(days=28)


class OnCallIn(Wire, frozen=True, kw_only=True):
    """A clinician on call."""

    staff_id: UUID
    starts_at: Instant
    ends_at: Instant
    """Two weeks after the start at most."""


class OnCallOut(Wire, frozen=True, kw_only=True):
    """A clinician on call."""

    id: UUID
    programme_id: UUID
    staff_id: UUID
    printed_name: str
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    """When it was ended before its time, if it was."""

    @classmethod
    def of(cls, one: OnCall) -> "OnCallOut":
        """From the domain."""
        return cls(
            id=one.id,
            programme_id=one.programme,
            staff_id=one.staff,
            printed_name=one.printed_name,
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            ended_at=one.ended_at,
        )


class NobodyOut(Wire, frozen=True, kw_only=True):
    """Hours in which nobody is on call."""

    since: datetime
    until: datetime


class RotaOut(Wire, frozen=True, kw_only=True):
    """Who is on call in a programme from yesterday to four weeks ahead."""

    now: OnCallOut | None
    """Null where nobody is."""
    items: list[OnCallOut]
    nobody: list[NobodyOut]
    """From now on."""


class ReachedOut(Wire, frozen=True, kw_only=True):
    """Which clinician an escalation reaches, said on the spot to whoever raises it."""

    on_call: OnCallOut | None
    passed_on_after_minutes: int
    """After so many minutes it goes to whoever is on call then, unless a clinician has acknowledged it."""
    nobody: str | None
    """Where nobody is on call now: what that means."""


@writing("/programmes/{programme_id:uuid}/on-call", act=Act.PLAN_DUTY, name="plan_on_call")
async def plan_on_call(programme_id: FromPath[UUID], data: JSONBody[OnCallIn], work: TheWork, key: TheKey) -> OnCallOut:
    """Put a clinician on call from when to when; one at a time."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    rotas, new = KeptRotas(work.connection, now=work.now), OnCallId(new_id())

    async def plan() -> OnCall:
        return await domain.plan_on_call(
            OnCall(
                id=new,
                programme=programme.id,
                staff=StaffId(data.staff_id),
                starts_at=data.starts_at,
                ends_at=data.ends_at,
                recorded_by=work.by.id,
                recorded_at=work.now,
            ),
            by=work.by,
            now=work.now,
            rotas=rotas,
            journal=work.journal,
        )

    async def again(kept: Kept) -> OnCall:
        return await rotas.get(OnCallId(kept.resource))

    made = await once(work, key, Kept(status=201, resource=new), do=plan, again=again)
    return OnCallOut.of(await rotas.get(made.id))


@reading("/programmes/{programme_id:uuid}/on-call", act=Act.SEE_ESCALATIONS, name="read_on_call")
async def read_on_call(programme_id: FromPath[UUID], work: TheWork) -> RotaOut:
    """Who is on call now and in the next weeks, and when nobody is."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.SEE_ESCALATIONS, programme.id)
    until = work.now + AHEAD
    found = await KeptRotas(work.connection, now=work.now).between(programme.id, since=work.now - BACK, until=until)
    running = next((each for each in found if each.is_running(work.now)), None)
    return RotaOut(
        now=None if running is None else OnCallOut.of(running),
        items=[OnCallOut.of(each) for each in found],
        nobody=[NobodyOut(since=first, until=last) for first, last in holes(found, since=work.now, until=until)],
    )


@writing("/on-call/{on_call_id:uuid}/end", act=Act.PLAN_DUTY, name="end_on_call", status=204)
async def end_on_call(on_call_id: FromPath[UUID], work: TheWork, key: TheKey) -> None:
    """End a time on call now, or call off one that has not begun."""

    async def end() -> None:
        await domain.end_on_call(
            OnCallId(on_call_id),
            by=work.by,
            now=work.now,
            rotas=KeptRotas(work.connection, now=work.now),
            journal=work.journal,
        )

    await once(work, key, Kept(status=204, resource=on_call_id), do=end, again=nothing_more)


async def reached(work: Work, programme_id: ProgrammeId) -> ReachedOut:
    """Which clinician an escalation reaches that is raised now."""
    programme = await Programmes(work.connection).get(programme_id)
    running = await KeptRotas(work.connection, now=work.now).running(programme.id, at=work.now)
    rules = programme.rules_on(programme.today(work.now))
    return ReachedOut(
        on_call=None if running is None else OnCallOut.of(running),
        passed_on_after_minutes=rules.escalating.on_call_after_minutes,
        nobody=NOBODY if running is None else None,
    )


router = Router("/", route_handlers=[plan_on_call, read_on_call, end_on_call], tags=["Duty"])
