"""Episodes of care and caseloads: admit, discharge, hand over, cover, and who is on whose caseload."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody, QueryParameter

from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork, nothing_more
from caseload.db.attendance import Sessions
from caseload.db.caseload import Caseloads
from caseload.db.checkin import Plans
from caseload.db.client import Clients
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import caseload as domain
from caseload.domain.access import Act
from caseload.domain.caseload import Cover, DischargeReason, Edition, Episode, LevelOfCare, Responsibility
from caseload.domain.caseload.discharging import discharge as end_care
from caseload.domain.ids import ClientId, EpisodeId, StaffId, new_id
from caseload.request.idempotency import once
from caseload.request.work import Work


class LevelOfCareWire(Wire, frozen=True, kw_only=True):
    """A level of care with the edition that names it."""

    edition: Edition
    level: str

    def read(self) -> LevelOfCare:
        """As the domain speaks of it."""
        return LevelOfCare(edition=self.edition, level=self.level)


class AdmissionIn(Wire, frozen=True, kw_only=True):
    """An admission to an episode of care."""

    counsellor_id: UUID
    level_of_care: LevelOfCareWire
    admitted_at: Instant | None = None
    """When it happened; now when left out."""


class DischargeIn(Wire, frozen=True, kw_only=True):
    """A discharge."""

    reason: DischargeReason
    effective_at: Instant | None = None
    """When it happened; now when left out."""
    note: str | None = None


class HandoverIn(Wire, frozen=True, kw_only=True):
    """A handover to another counsellor."""

    to: UUID
    effective_at: Instant | None = None
    """From when on; now when left out."""
    note: str | None = None


class CoverIn(Wire, frozen=True, kw_only=True):
    """Somebody who stands in for the responsible counsellor."""

    counsellor_id: UUID
    starts_at: Instant
    ends_at: Instant
    reason: str


class LevelOfCareMoveIn(Wire, frozen=True, kw_only=True):
    """A move to another level of care."""

    level_of_care: LevelOfCareWire
    from_on: date


class EpisodeOut(Wire, frozen=True, kw_only=True):
    """An episode of care."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    admitted_on: date
    starts_at: datetime
    ends_at: datetime | None
    level_of_care: LevelOfCareWire
    responsible_counsellor_id: UUID | None
    returns_from: UUID | None
    discharge_reason: DischargeReason | None

    @classmethod
    def of(cls, episode: Episode) -> "EpisodeOut":
        """From the domain."""
        return cls(
            id=episode.id,
            client_id=episode.client,
            programme_id=episode.programme,
            admitted_on=episode.admitted_on,
            starts_at=episode.starts_at,
            ends_at=episode.ends_at,
            level_of_care=LevelOfCareWire(edition=episode.level.edition, level=episode.level.level),
            responsible_counsellor_id=episode.responsible,
            returns_from=episode.returns_from,
            discharge_reason=episode.discharge_reason,
        )


class EpisodesOut(Wire, frozen=True, kw_only=True):
    """The episodes of a client, newest first."""

    items: list[EpisodeOut]


class ResponsibilityOut(Wire, frozen=True, kw_only=True):
    """Who answers for the client from when on."""

    id: UUID
    client_id: UUID
    counsellor_id: UUID
    since: datetime


class CoverOut(Wire, frozen=True, kw_only=True):
    """Who stands in, from when to when."""

    id: UUID
    client_id: UUID
    counsellor_id: UUID
    starts_at: datetime
    ends_at: datetime


class OnCaseloadOut(Wire, frozen=True, kw_only=True):
    """One client on a caseload."""

    client_id: UUID
    given_name: str
    family_name: str
    birth_date: date
    programme_id: UUID
    responsible_counsellor_id: UUID
    covering: bool
    """On this caseload because the counsellor covers for the responsible one."""
    admitted_on: date


def _caseloads(work: Work) -> Caseloads:
    return Caseloads(work.connection, work.journal, now=work.now)


@writing("/clients/{client_id:uuid}/episodes", act=Act.ADMIT, name="admit_client")
async def admit_client(
    client_id: FromPath[UUID], data: JSONBody[AdmissionIn], work: TheWork, key: TheKey
) -> EpisodeOut:
    """Admit a client, with a responsible counsellor from the first moment."""
    caseloads = _caseloads(work)
    new = EpisodeId(new_id())

    async def admit() -> Episode:
        client = await Clients(work.connection, work.journal, now=work.now).get(
            ClientId(client_id), reach=work.by.reach(Act.REGISTER_CLIENT)
        )
        programme = await Programmes(work.connection).get(client.programme)
        return await domain.admit(
            client.id,
            as_id=new,
            programme=programme,
            counsellor=StaffId(data.counsellor_id),
            at=data.admitted_at or work.now,
            level=data.level_of_care.read(),
            by=work.by,
            now=work.now,
            caseloads=caseloads,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Episode:
        return await caseloads.episode(EpisodeId(kept.resource), reach=work.by.reach(Act.REGISTER_CLIENT))

    return EpisodeOut.of(await once(work, key, Kept(status=201, resource=new), do=admit, again=again))


@reading("/clients/{client_id:uuid}/episodes", act=Act.SEE_CLIENT, name="list_episodes")
async def list_episodes(client_id: FromPath[UUID], work: TheWork) -> EpisodesOut:
    """The episodes of a client, newest first."""
    episodes = await _caseloads(work).episodes(ClientId(client_id), reach=work.by.reach(Act.SEE_CLIENT))
    return EpisodesOut(items=[EpisodeOut.of(each) for each in episodes])


@writing("/clients/{client_id:uuid}/discharge", act=Act.DISCHARGE, name="discharge_client", status=204)
async def discharge_client(client_id: FromPath[UUID], data: JSONBody[DischargeIn], work: TheWork, key: TheKey) -> None:
    """End the open episode, and with it cover, plans of check-ins and places in sessions; both clocks are kept."""
    caseloads = _caseloads(work)

    async def discharge() -> None:
        episode = await caseloads.open_episode(ClientId(client_id), reach=work.by.reach(Act.DISCHARGE))
        await end_care(
            episode,
            at=data.effective_at or work.now,
            reason=data.reason,
            note=data.note,
            by=work.by,
            now=work.now,
            caseloads=caseloads,
            plans=Plans(work.connection, work.journal, now=work.now),
            sessions=Sessions(work.connection, work.journal, now=work.now),
            journal=work.journal,
        )

    await once(work, key, Kept(status=204, resource=client_id), do=discharge, again=nothing_more)


@writing("/clients/{client_id:uuid}/handovers", act=Act.HAND_OVER, name="hand_over_client")
async def hand_over_client(
    client_id: FromPath[UUID], data: JSONBody[HandoverIn], work: TheWork, key: TheKey
) -> ResponsibilityOut:
    """Pass responsibility to another counsellor, without a moment in which nobody is responsible."""
    caseloads = _caseloads(work)
    reach = work.by.reach(Act.HAND_OVER)
    new = new_id()

    async def hand_over() -> Responsibility:
        return await domain.hand_over(
            await caseloads.open_episode(ClientId(client_id), reach=reach),
            as_id=new,
            to=StaffId(data.to),
            at=data.effective_at or work.now,
            note=data.note,
            by=work.by,
            now=work.now,
            caseloads=caseloads,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Responsibility:
        return await caseloads.responsibility(kept.resource, reach=reach)

    passed = await once(work, key, Kept(status=201, resource=new), do=hand_over, again=again)
    return ResponsibilityOut(id=passed.id, client_id=passed.client, counsellor_id=passed.counsellor, since=passed.since)


@writing("/clients/{client_id:uuid}/covers", act=Act.HAND_OVER, name="cover_client")
async def cover_client(client_id: FromPath[UUID], data: JSONBody[CoverIn], work: TheWork, key: TheKey) -> CoverOut:
    """Let somebody stand in for the responsible counsellor; it ends by itself."""
    caseloads = _caseloads(work)
    reach = work.by.reach(Act.HAND_OVER)
    new = new_id()

    async def arrange() -> Cover:
        return await domain.arrange_cover(
            await caseloads.open_episode(ClientId(client_id), reach=reach, held=True),
            as_id=new,
            counsellor=StaffId(data.counsellor_id),
            starts_at=data.starts_at,
            ends_at=data.ends_at,
            reason=data.reason,
            by=work.by,
            now=work.now,
            caseloads=caseloads,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Cover:
        return await caseloads.cover(kept.resource, reach=reach)

    cover = await once(work, key, Kept(status=201, resource=new), do=arrange, again=again)
    return CoverOut(
        id=cover.id,
        client_id=cover.client,
        counsellor_id=cover.counsellor,
        starts_at=cover.starts_at,
        ends_at=cover.ends_at,
    )


@writing("/clients/{client_id:uuid}/levels-of-care", act=Act.ADMIT, name="move_level_of_care", status=204)
async def move_level_of_care(
    client_id: FromPath[UUID], data: JSONBody[LevelOfCareMoveIn], work: TheWork, key: TheKey
) -> None:
    """Move the open episode to another level of care; the former one stays in the history."""
    caseloads = _caseloads(work)

    async def move() -> None:
        await domain.move_level_of_care(
            await caseloads.open_episode(ClientId(client_id), reach=work.by.reach(Act.ADMIT)),
            data.level_of_care.read(),
            on=data.from_on,
            by=work.by,
            now=work.now,
            caseloads=caseloads,
            journal=work.journal,
        )

    await once(work, key, Kept(status=204, resource=client_id), do=move, again=nothing_more)


@reading("/caseload", act=Act.SEE_CASELOAD, name="list_caseload", problems=())
async def list_caseload(
    work: TheWork,
    counsellor: Annotated[
        UUID | None, QueryParameter(name="counsellor", required=False, description="Whose; yours when left out.")
    ] = None,
    after: After = None,
    limit: Limit = USUAL,
) -> Page[OnCaseloadOut]:
    """Whom a counsellor is responsible for or covers now, within your reach."""
    of = StaffId(counsellor) if counsellor else work.by.id
    lines = await _caseloads(work).caseload(
        of,
        reach=work.by.reach(Act.SEE_CASELOAD),
        after=None if after is None else ClientId(after),
        limit=limit,
    )
    items = [
        OnCaseloadOut(
            client_id=line.client,
            given_name=line.given_name,
            family_name=line.family_name,
            birth_date=line.birth_date,
            programme_id=line.programme,
            responsible_counsellor_id=line.responsible,
            covering=line.covering,
            admitted_on=line.admitted_on,
        )
        for line in lines
    ]
    return Page(items=items, next=items[-1].client_id if len(items) == limit else None)


router = Router(
    "/",
    route_handlers=[
        admit_client,
        list_episodes,
        discharge_client,
        hand_over_client,
        cover_client,
        move_level_of_care,
        list_caseload,
    ],
    tags=["Caseloads"],
)
