"""Episodes of care: admit, and move to another level of care."""

from datetime import date, datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.caseload.store import caseloads_of
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork, client_within, nothing_more
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import caseload as domain
from caseload.domain.access import Act
from caseload.domain.caseload import DischargeReason, Edition, Episode, LevelOfCare
from caseload.domain.ids import ClientId, EpisodeId, StaffId, new_id
from caseload.request.idempotency import once


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
    discharge_note: str | None
    discharge_recorded_at: datetime | None
    """When we were told; it took effect at `ends_at`."""

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
            discharge_note=episode.discharge_note,
            discharge_recorded_at=episode.discharge_recorded_at,
        )


class EpisodesOut(Wire, frozen=True, kw_only=True):
    """The episodes of a client, newest first."""

    items: list[EpisodeOut]


@writing("/clients/{client_id:uuid}/episodes", act=Act.ADMIT, name="admit_client")
async def admit_client(
    client_id: FromPath[UUID], data: JSONBody[AdmissionIn], work: TheWork, key: TheKey
) -> EpisodeOut:
    """Admit a client, with a responsible counsellor from the first moment."""
    caseloads = caseloads_of(work)
    new = EpisodeId(new_id())

    async def admit() -> Episode:
        client = await client_within(work, client_id, Act.REGISTER_CLIENT)
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
    episodes = await caseloads_of(work).episodes(ClientId(client_id), reach=work.by.reach(Act.SEE_CLIENT))
    return EpisodesOut(items=[EpisodeOut.of(each) for each in episodes])


@writing("/clients/{client_id:uuid}/levels-of-care", act=Act.ADMIT, name="move_level_of_care", status=204)
async def move_level_of_care(
    client_id: FromPath[UUID], data: JSONBody[LevelOfCareMoveIn], work: TheWork, key: TheKey
) -> None:
    """Move the open episode to another level of care; the former one stays in the history."""
    caseloads = caseloads_of(work)

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
