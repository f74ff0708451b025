"""Restrictions over HTTP: which clients only named staff see, and who those are."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.db.restriction import KeptRestrictions, obligations_in
from caseload.domain import restriction as domain
from caseload.domain.access import Act
from caseload.domain.ids import NamingId, ProgrammeId, RestrictionId, StaffId, new_id
from caseload.domain.restriction import Naming, Obligation, ObligationKind, Restriction, RestrictionKind
from caseload.request.idempotency import RequestKey, once
from caseload.request.work import Work


class RestrictionIn(Wire, frozen=True, kw_only=True):
    """Who alone is to see a client from now on, and why."""

    kind: RestrictionKind
    reason: str
    staff: list[UUID]
    """Everybody who is to see the client, among them whoever answers for the client now."""
    until_at: Instant | None = None
    """When it ends by itself; never when left out."""


class NamingIn(Wire, frozen=True, kw_only=True):
    """One more person who is to see a restricted client."""

    staff_id: UUID
    until_at: Instant | None = None
    """When it ends by itself; with the restriction when left out."""


class RestrictionEndIn(Wire, frozen=True, kw_only=True):
    """Why it ends."""

    because: str


class NamingOut(Wire, frozen=True, kw_only=True):
    """Somebody who is or was named."""

    id: UUID
    staff_id: UUID
    starts_at: datetime
    until_at: datetime | None
    ended_at: datetime | None
    is_now: bool

    @classmethod
    def of(cls, one: Naming, *, now: datetime) -> "NamingOut":
        """From the domain."""
        return cls(
            id=one.id,
            staff_id=one.staff,
            starts_at=one.starts_at,
            until_at=one.until_at,
            ended_at=one.ended_at,
            is_now=one.counts(now),
        )


class RestrictionOut(Wire, frozen=True, kw_only=True):
    """A client whom only named staff see, from when to when."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    kind: RestrictionKind
    reason: str
    starts_at: datetime
    until_at: datetime | None
    recorded_by: UUID
    ended_at: datetime | None
    ended_by: UUID | None
    ended_because: str | None
    is_now: bool
    named: list[NamingOut]

    @classmethod
    def of(cls, one: Restriction, *, now: datetime) -> "RestrictionOut":
        """From the domain."""
        return cls(
            id=one.id,
            client_id=one.client,
            programme_id=one.programme,
            kind=one.kind,
            reason=one.reason,
            starts_at=one.starts_at,
            until_at=one.until_at,
            recorded_by=one.recorded_by,
            ended_at=one.ended_at,
            ended_by=one.ended_by,
            ended_because=one.ended_because,
            is_now=one.counts(now),
            named=[NamingOut.of(each, now=now) for each in one.named],
        )


class RestrictionsOut(Wire, frozen=True, kw_only=True):
    """The restrictions of a client, the latest first."""

    items: list[RestrictionOut]


class ObligationOut(Wire, frozen=True, kw_only=True):
    """Something waits about a restricted client, and nobody named is there to see it."""

    restriction_id: UUID
    kind: ObligationKind
    since: datetime
    named: list[UUID]
    """Who sees the client: call one of them, or ask a privacy officer or the medical director to name somebody who is here."""

    @classmethod
    def of(cls, one: Obligation) -> "ObligationOut":
        """From the domain."""
        return cls(restriction_id=one.restriction, kind=one.kind, since=one.since, named=list(one.named))


class ObligationsOut(Wire, frozen=True, kw_only=True):
    """What waits, what waits longest first."""

    items: list[ObligationOut]


@writing("/clients/{client_id:uuid}/restrictions", act=Act.RESTRICT_CLIENT, name="restrict_client")
async def restrict_client(
    client_id: FromPath[UUID], data: JSONBody[RestrictionIn], work: TheWork, key: TheKey
) -> RestrictionOut:
    """Let only named staff see a client. What safe dosing needs stays in sight of whoever gives and prescribes."""
    client, new = await client_within(work, client_id, Act.RESTRICT_CLIENT), RestrictionId(new_id())

    async def restrict() -> Restriction:
        return await domain.restrict(
            client,
            data.kind,
            data.reason,
            [(NamingId(new_id()), StaffId(each)) for each in data.staff],
            until_at=data.until_at,
            as_id=new,
            by=work.by,
            now=work.now,
            restrictions=_kept(work),
            journal=work.journal,
        )

    return await _once(work, key, Kept(status=201, resource=new), do=restrict)


@reading("/clients/{client_id:uuid}/restrictions", act=Act.RESTRICT_CLIENT, name="list_restrictions")
async def list_restrictions(client_id: FromPath[UUID], work: TheWork) -> RestrictionsOut:
    """Every restriction that there is or was of a client, the latest first."""
    client = await client_within(work, client_id, Act.RESTRICT_CLIENT)
    found = await _kept(work).of_client(client.id, by=work.by)
    return RestrictionsOut(items=[RestrictionOut.of(each, now=work.now) for each in found])


@writing("/restrictions/{restriction_id:uuid}/staff", act=Act.RESTRICT_CLIENT, name="name_for_restricted")
async def name_for_restricted(
    restriction_id: FromPath[UUID], data: JSONBody[NamingIn], work: TheWork, key: TheKey
) -> RestrictionOut:
    """Let one more person see a restricted client."""
    wanted, naming = RestrictionId(restriction_id), NamingId(new_id())

    async def name() -> Restriction:
        return await domain.name_staff(
            wanted,
            StaffId(data.staff_id),
            until_at=data.until_at,
            as_id=naming,
            by=work.by,
            now=work.now,
            restrictions=_kept(work),
            journal=work.journal,
        )

    return await _once(work, key, Kept(status=201, resource=wanted), do=name)


@writing(
    "/restrictions/{restriction_id:uuid}/staff/{naming_id:uuid}/end",
    act=Act.RESTRICT_CLIENT,
    name="end_naming_for_restricted",
)
async def end_naming_for_restricted(
    restriction_id: FromPath[UUID], naming_id: FromPath[UUID], work: TheWork, key: TheKey
) -> RestrictionOut:
    """Somebody sees a restricted client no more."""
    wanted = RestrictionId(restriction_id)

    async def end() -> Restriction:
        return await domain.end_naming(
            wanted, NamingId(naming_id), by=work.by, now=work.now, restrictions=_kept(work), journal=work.journal
        )

    return await _once(work, key, Kept(status=201, resource=wanted), do=end)


@writing("/restrictions/{restriction_id:uuid}/end", act=Act.RESTRICT_CLIENT, name="end_restriction")
async def end_restriction(
    restriction_id: FromPath[UUID], data: JSONBody[RestrictionEndIn], work: TheWork, key: TheKey
) -> RestrictionOut:
    """Let everybody whose work it is see the client again."""
    wanted = RestrictionId(restriction_id)

    async def end() -> Restriction:
        return await domain.end_restriction(
            wanted, data.because, by=work.by, now=work.now, restrictions=_kept(work), journal=work.journal
        )

    return await _once(work, key, Kept(status=201, resource=wanted), do=end)


@reading("/programmes/{programme_id:uuid}/obligations", act=Act.SEE_OBLIGATIONS, name="list_obligations")
async def list_obligations(programme_id: FromPath[UUID], work: TheWork) -> ObligationsOut:
    """What waits about restricted clients while nobody named is there. It does not say who they are."""
    programme = (await Programmes(work.connection).get(ProgrammeId(programme_id))).id
    work.by.require(Act.SEE_OBLIGATIONS, programme)
    found = [each for one in await obligations_in(work.connection, programme, at=work.now) for each in domain.owed(one)]
    for each in found:
        work.journal.saw(each.client, "obligation")
    return ObligationsOut(items=[ObligationOut.of(each) for each in sorted(found, key=lambda each: each.since)])


async def _once(
    work: Work, key: RequestKey | None, kept: Kept, *, do: Callable[[], Awaitable[Restriction]]
) -> RestrictionOut:
    """Do it once; a retry is given the restriction as it stands."""

    async def again(found: Kept) -> Restriction:
        return await _kept(work).get(RestrictionId(found.resource), by=work.by)

    return RestrictionOut.of(await once(work, key, kept, do=do, again=again), now=work.now)


def _kept(work: Work) -> KeptRestrictions:
    return KeptRestrictions(work.connection, work.journal, now=work.now)


router = Router(
    "/",
    route_handlers=[
        restrict_client,
        list_restrictions,
        name_for_restricted,
        end_naming_for_restricted,
        end_restriction,
        list_obligations,
    ],
    tags=["Restricted records"],
)
