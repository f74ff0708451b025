"""Programmes: the sites of the clinic, and the profiles whose rules each goes by."""

from datetime import date, datetime
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.db.job.queue import Queue
from caseload.db.programme import Programmes
from caseload.domain import programme as domain
from caseload.domain.access import Act
from caseload.domain.ids import ProgrammeId, SelectionId, ZoneMoveId, new_id
from caseload.domain.programme import Choice, Programme, Selection, ZoneMove
from caseload.request.idempotency import once


class ProgrammeIn(Wire, frozen=True, kw_only=True):
    """A programme to be opened."""

    code: str
    """Short and in capitals, such as NORTH; never used for another programme."""
    name: str
    time_zone: str
    """IANA name. Days, deadlines and dosing days are those of this zone."""
    profile: str
    """The jurisdiction profile whose rules apply: US, UK, AU, ..."""


class ProgrammeOut(Wire, frozen=True, kw_only=True):
    """A programme."""

    id: UUID
    code: str
    name: str
    time_zone: str
    profile: str
    """The jurisdiction profile of today."""

    @classmethod
    def of(cls, programme: Programme, now: datetime) -> "ProgrammeOut":
        """From the domain."""
        return cls(
            id=programme.id,
            code=programme.code,
            name=programme.name,
            time_zone=programme.time_zone,
            profile=programme.profiles.name_on(programme.today(now)),
        )


class SelectionIn(Wire, frozen=True, kw_only=True):
    """A profile that a programme is to go by from a day on."""

    profile: str
    from_on: date
    """A local day of the programme, tomorrow at the earliest."""
    reason: str
    loosens: tuple[str, ...] = ()
    """Every rule of the profile before that this one loosens, word for word; the refusal lists them."""


class SelectionOut(Wire, frozen=True, kw_only=True):
    """A profile that somebody chose for a programme."""

    id: UUID
    number: int
    """In which order it was said: the last of those whose day has come counts."""
    from_on: date
    profile: str
    policy: str
    """The version in force on that day, as whoever chose it saw it; a later version takes over on its own date."""
    loosens: list[str]
    reason: str
    selected_by: UUID
    selected_at: datetime

    @classmethod
    def of(cls, selection: Selection) -> "SelectionOut":
        """From the domain."""
        return cls(
            id=selection.id,
            number=selection.number,
            from_on=selection.from_on,
            profile=selection.profile,
            policy=f"{selection.profile}-{selection.profile_version}",
            loosens=list(selection.loosens),
            reason=selection.reason,
            selected_by=selection.selected_by,
            selected_at=selection.selected_at,
        )


class SelectionsOut(Wire, frozen=True, kw_only=True):
    """Which profiles a programme has gone by, goes by and will go by."""

    opened_with: str
    in_force: str
    """Profile and version of today."""
    items: list[SelectionOut]
    """What was chosen since, in the order in which it was said."""


class ProgrammesOut(Wire, frozen=True, kw_only=True):
    """Every programme, by code."""

    items: list[ProgrammeOut]


@reading(
    "/programmes",
    act=Act.SEE_PROGRAMMES,
    name="list_programmes",
    problems=(),
    unaudited="names of sites, which hang on their doors",
)
async def list_programmes(work: TheWork) -> ProgrammesOut:
    """Every programme."""
    return ProgrammesOut(items=[ProgrammeOut.of(each, work.now) for each in await Programmes(work.connection).all()])


@writing("/programmes", act=Act.MANAGE_PROGRAMMES, name="open_programme", problems=())
async def open_programme(data: JSONBody[ProgrammeIn], work: TheWork, key: TheKey) -> ProgrammeOut:
    """Open a programme. There is one of each code."""
    programmes, new = Programmes(work.connection), ProgrammeId(new_id())

    async def open_it() -> Programme:
        return await domain.open_programme(
            data.code,
            data.name,
            as_id=new,
            time_zone=data.time_zone,
            profile=data.profile,
            by=work.by,
            now=work.now,
            programmes=programmes,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Programme:
        return await programmes.get(ProgrammeId(kept.resource))

    opened = await once(work, key, Kept(status=201, resource=new), do=open_it, again=again)
    return ProgrammeOut.of(opened, work.now)


@reading(
    "/programmes/{programme_id:uuid}/profiles",
    act=Act.SEE_PROGRAMMES,
    name="list_programme_profiles",
    unaudited="shows by which published rules a site works, and nothing of any client",
)
async def list_programme_profiles(programme_id: FromPath[UUID], work: TheWork) -> SelectionsOut:
    """By which profile a programme works today, and what was chosen for it from which day on."""
    programmes = Programmes(work.connection)
    programme = await programmes.get(ProgrammeId(programme_id))
    said = await programmes.selections(programme.id)
    return SelectionsOut(
        opened_with=programme.profiles.first,
        in_force=programme.rules_on(programme.today(work.now)).label,
        items=[SelectionOut.of(each) for each in said],
    )


@writing("/programmes/{programme_id:uuid}/profiles", act=Act.SELECT_PROFILE, name="select_profile")
async def select_profile(
    programme_id: FromPath[UUID], data: JSONBody[SelectionIn], work: TheWork, key: TheKey
) -> SelectionOut:
    """Let a programme go over to a profile from a later day on.

    Where it loosens rules of the one before, every one of them is to be named. A day that has begun keeps its rules.
    """
    programmes, new = Programmes(work.connection), SelectionId(new_id())
    programme = await programmes.get(ProgrammeId(programme_id))

    async def select() -> Selection:
        return await domain.select_profile(
            programme,
            Choice(profile=data.profile, from_on=data.from_on, reason=data.reason, loosens=data.loosens),
            as_id=new,
            by=work.by,
            now=work.now,
            selections=programmes,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Selection:
        work.by.require(Act.SELECT_PROFILE, programme.id)
        return next(each for each in await programmes.selections(programme.id) if each.id == kept.resource)

    return SelectionOut.of(await once(work, key, Kept(status=201, resource=new), do=select, again=again))


class ZoneMoveIn(Wire, frozen=True, kw_only=True):
    """A programme is to have its days in another time zone, from now on."""

    time_zone: str
    """IANA name. Now must be on the same day in both zones."""
    reason: str


class ZoneMoveOut(Wire, frozen=True, kw_only=True):
    """That a programme moved to another time zone."""

    id: UUID
    number: int
    moved_at: datetime
    """Days before keep the zone before; what is planned for a later day is due at the same wall clock in the new one."""
    from_zone: str
    to_zone: str
    reason: str
    moved_by: UUID

    @classmethod
    def of(cls, move: ZoneMove) -> "ZoneMoveOut":
        """From the domain."""
        return cls(
            id=move.id,
            number=move.number,
            moved_at=move.moved_at,
            from_zone=move.from_zone,
            to_zone=move.to_zone,
            reason=move.reason,
            moved_by=move.moved_by,
        )


class ZoneMovesOut(Wire, frozen=True, kw_only=True):
    """In which time zones a programme's days have been."""

    time_zone: str
    """The zone of today."""
    items: list[ZoneMoveOut]
    """How it has moved, the first move first."""


@reading(
    "/programmes/{programme_id:uuid}/zone-moves",
    act=Act.SEE_PROGRAMMES,
    name="list_zone_moves",
    unaudited="shows where a site is, and nothing of any client",
)
async def list_zone_moves(programme_id: FromPath[UUID], work: TheWork) -> ZoneMovesOut:
    """In which time zone a programme's days are, and in which they have been."""
    programmes = Programmes(work.connection)
    programme = await programmes.get(ProgrammeId(programme_id))
    moves = await programmes.zone_moves(programme.id)
    return ZoneMovesOut(time_zone=programme.time_zone, items=[ZoneMoveOut.of(each) for each in moves])


@writing("/programmes/{programme_id:uuid}/zone-moves", act=Act.MANAGE_PROGRAMMES, name="move_zone")
async def move_zone(
    programme_id: FromPath[UUID], data: JSONBody[ZoneMoveIn], work: TheWork, key: TheKey
) -> ZoneMoveOut:
    """Let a programme's days be those of another time zone, from now on.

    What happened keeps its day, and what is planned for today its moment. Check-ins and sessions of later days follow
    within minutes to the same wall clock in the new zone.
    """
    programmes, new = Programmes(work.connection), ZoneMoveId(new_id())
    programme = await programmes.get(ProgrammeId(programme_id))

    async def move() -> ZoneMove:
        moved = await domain.move_zone(
            programme,
            data.time_zone,
            data.reason,
            as_id=new,
            by=work.by,
            now=work.now,
            moves=programmes,
            journal=work.journal,
        )
        await Queue(work.connection, now=work.now).add(domain.FOLLOWED, key=str(new))
        return moved

    async def again(kept: Kept) -> ZoneMove:
        work.by.require(Act.MANAGE_PROGRAMMES, programme.id)
        return next(each for each in await programmes.zone_moves(programme.id) if each.id == kept.resource)

    return ZoneMoveOut.of(await once(work, key, Kept(status=201, resource=new), do=move, again=again))


router = Router(
    "/",
    route_handlers=[
        list_programmes,
        open_programme,
        list_programme_profiles,
        select_profile,
        list_zone_moves,
        move_zone,
    ],
    tags=["Programmes"],
)
