"""The course of an episode over HTTP: levels of care and phases, with their history."""

from datetime import date, datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.caseload.episodes import LevelOfCareWire
from caseload.api.caseload.store import caseloads_of
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, nothing_more
from caseload.db.caseload.course import Courses
from caseload.db.idempotency import Kept
from caseload.domain import caseload as domain
from caseload.domain.access import Act
from caseload.domain.caseload import Edition, EditionRule, InPhase, LevelHeld, Phase
from caseload.domain.ids import ClientId
from caseload.request.idempotency import once
from caseload.request.work import Work


class LevelNameOut(Wire, frozen=True, kw_only=True):
    """A level of care that an edition knows."""

    level: str
    name: str


class EditionOut(Wire, frozen=True, kw_only=True):
    """An edition with its levels of care."""

    edition: Edition
    name: str
    usual_in: list[str]
    """Countries of jurisdiction profiles."""
    complete: bool
    """A level that does not stand here is refused; else it is kept as it is written."""
    source: str
    levels: list[LevelNameOut]

    @classmethod
    def of(cls, said: EditionRule) -> "EditionOut":
        """From the domain."""
        return cls(
            edition=said.edition,
            name=said.name,
            usual_in=list(said.usual_in),
            complete=said.complete,
            source=said.source,
            levels=[LevelNameOut(level=level, name=name) for level, name in said.levels.items()],
        )


class EditionsOut(Wire, frozen=True, kw_only=True):
    """The editions there are."""

    version: int
    """Of the file that says them."""
    items: list[EditionOut]


class LevelHeldOut(Wire, frozen=True, kw_only=True):
    """From which day to which an episode was at a level of care."""

    episode_id: UUID
    level_of_care: LevelOfCareWire
    name: str | None
    """Null where the programme says it in its own words."""
    from_on: date
    until_on: date | None
    """The last day; null while it lasts."""
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, held: LevelHeld) -> "LevelHeldOut":
        """From the domain."""
        return cls(
            episode_id=held.episode,
            level_of_care=LevelOfCareWire(edition=held.level.edition, level=held.level.level),
            name=held.level.name,
            from_on=held.from_on,
            until_on=held.until_on,
            recorded_by=held.recorded_by,
            recorded_at=held.recorded_at,
        )


class LevelsHeldOut(Wire, frozen=True, kw_only=True):
    """The levels of care of a client, of all episodes, the latest first."""

    items: list[LevelHeldOut]


class PhaseIn(Wire, frozen=True, kw_only=True):
    """Another phase of treatment."""

    phase: Phase
    from_on: date
    reason: str


class PhaseOut(Wire, frozen=True, kw_only=True):
    """From which day on an episode is in a phase of treatment."""

    episode_id: UUID
    phase: Phase
    from_on: date
    reason: str
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, phase: InPhase) -> "PhaseOut":
        """From the domain."""
        return cls(
            episode_id=phase.episode,
            phase=phase.phase,
            from_on=phase.from_on,
            reason=phase.reason,
            recorded_by=phase.recorded_by,
            recorded_at=phase.recorded_at,
        )


class PhasesOut(Wire, frozen=True, kw_only=True):
    """The phases of a client, of all episodes, the latest first."""

    items: list[PhaseOut]


def _courses(work: Work) -> Courses:
    return Courses(work.connection, work.journal, now=work.now)


@reading(
    "/levels-of-care", act=Act.SEE_PROGRAMMES, name="list_editions", problems=(), unaudited="it shows nobody's data"
)
async def list_editions() -> EditionsOut:
    """The levels of care there are, by the edition that names them, with their sources."""
    said = domain.known_levels()
    return EditionsOut(version=said.version, items=[EditionOut.of(each) for each in said.editions.values()])


@reading("/clients/{client_id:uuid}/levels-of-care", act=Act.SEE_CLIENT, name="list_levels_of_care")
async def list_levels_of_care(client_id: FromPath[UUID], work: TheWork) -> LevelsHeldOut:
    """Every level of care that a client has been at or will be by what is kept, of all episodes."""
    found = await _courses(work).levels_of_client(ClientId(client_id), reach=work.by.reach(Act.SEE_CLIENT))
    return LevelsHeldOut(items=[LevelHeldOut.of(each) for each in found])


@writing("/clients/{client_id:uuid}/phases", act=Act.ADMIT, name="begin_phase", status=204)
async def begin_phase(client_id: FromPath[UUID], data: JSONBody[PhaseIn], work: TheWork, key: TheKey) -> None:
    """Say that treatment is in another phase from a local day on; the former one stays in the history."""

    async def begin() -> None:
        await domain.begin_phase(
            await caseloads_of(work).open_episode(ClientId(client_id), reach=work.by.reach(Act.ADMIT), held=True),
            data.phase,
            data.reason,
            on=data.from_on,
            by=work.by,
            now=work.now,
            phases=_courses(work),
            journal=work.journal,
        )

    await once(work, key, Kept(status=204, resource=client_id), do=begin, again=nothing_more)


@reading("/clients/{client_id:uuid}/phases", act=Act.SEE_CLIENT, name="list_phases")
async def list_phases(client_id: FromPath[UUID], work: TheWork) -> PhasesOut:
    """Every phase of treatment that a client has been in, of all episodes."""
    found = await _courses(work).phases_of_client(ClientId(client_id), reach=work.by.reach(Act.SEE_CLIENT))
    return PhasesOut(items=[PhaseOut.of(each) for each in found])
