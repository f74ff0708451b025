"""Observations over HTTP: withdrawal scales and QTc, scored as they are recorded, corrected by a new version."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import msgspec
from litestar import Response, Router
from litestar.params import FromPath, JSONBody

from caseload.api.escalation import EmergencyOut, escalations_of, told_on_the_spot
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import IfMatch, TheKey, TheWork, client_within, require_version, versioned
from caseload.db.idempotency import Kept
from caseload.db.observation import KeptObservations
from caseload.domain import observation as domain
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, ProgrammeId, new_id
from caseload.domain.observation import Instrument, InstrumentName, Item, Observation, Observed, instrument, instruments
from caseload.request.idempotency import once
from caseload.request.work import Work

Answers = Annotated[
    dict[str, int | None],
    msgspec.Meta(
        description="An answer for each item of the instrument by its code; null for what could not be observed.",
        max_length=64,
        examples=[{"qtc": 438}],
    ),
]


class ItemOut(Wire, frozen=True, kw_only=True):
    """One item of an instrument: an answer is one of the values, or lies in the range where there are none."""

    code: str
    asks: str
    values: list[int]
    lowest: int
    highest: int

    @classmethod
    def of(cls, item: Item) -> "ItemOut":
        """From the domain."""
        lowest, highest = item.reaches
        return cls(code=item.code, asks=item.asks, values=list(item.values), lowest=lowest, highest=highest)


class BandOut(Wire, frozen=True, kw_only=True):
    """What a total means from here on, until the next band begins."""

    from_total: int
    name: str
    says: str


class SubscaleOut(Wire, frozen=True, kw_only=True):
    """Some items that are added up on their own."""

    code: str
    title: str
    items: list[str]
    flag_from: int | None
    """From this sum on it is flagged."""
    flag_up_to: int | None
    """Up to this sum it is flagged."""


class SubscoreOut(Wire, frozen=True, kw_only=True):
    """What the answers to the items of a subscale come to."""

    code: str
    total: int | None
    """Null while an item of it has no answer."""
    flagged: bool


class InstrumentOut(Wire, frozen=True, kw_only=True):
    """One version of a scale or measure."""

    name: InstrumentName
    version: int
    title: str
    source: str
    unit: str
    items: list[ItemOut]
    bands: list[BandOut]
    """None where there is no total."""
    subscales: list[SubscaleOut]

    @classmethod
    def of(cls, one: Instrument) -> "InstrumentOut":
        """From the domain."""
        return cls(
            name=one.name,
            version=one.version,
            title=one.title,
            source=one.source,
            unit=one.unit,
            items=[ItemOut.of(item) for item in one.items],
            bands=[BandOut(from_total=band.from_total, name=band.name, says=band.says) for band in one.bands],
            subscales=[
                SubscaleOut(
                    code=each.code,
                    title=each.title,
                    items=list(each.items),
                    flag_from=each.flag_from,
                    flag_up_to=each.flag_up_to,
                )
                for each in one.subscales
            ],
        )


class InstrumentsOut(Wire, frozen=True, kw_only=True):
    """What can be recorded now, and what each answer and total means."""

    items: list[InstrumentOut]


class ObservationIn(Wire, frozen=True, kw_only=True):
    """What you observed of a client."""

    instrument: InstrumentName
    answers: Answers
    observed_at: Instant | None = None
    """Now when left out."""
    note: str | None = None


class ObservationCorrectionIn(Wire, frozen=True, kw_only=True):
    """What was observed instead; without answers, nothing was observed of this client."""

    reason: str
    answers: Answers | None = None
    observed_at: Instant | None = None
    """As it stood when left out."""
    note: str | None = None


class ObservationOut(Wire, frozen=True, kw_only=True):
    """One version of what was observed of a client."""

    id: UUID
    client_id: UUID
    check_in_id: UUID | None
    """The check-in in which it was asked."""
    version: int
    instrument: InstrumentName
    instrument_version: int
    observed_at: datetime
    answers: dict[str, int | None] | None
    """By the codes of the items; null where the observation was taken back."""
    total: int | None
    """Null while an item could not be observed: what nobody knows is not zero. Null also where there is no total."""
    subscores: list[SubscoreOut]
    unit: str
    band: str | None
    says: str | None
    """What the total means, and what to do."""
    note: str | None
    reason: str | None
    """Why the version before was wrong; null in the first."""
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, observation: Observation) -> Self:
        """From the domain, in the words of the version of the instrument that it was recorded with."""
        by, score = instrument(observation.instrument, observation.instrument_version), observation.score
        total = None if score is None else score.total
        return cls(
            id=observation.id,
            client_id=observation.client,
            check_in_id=observation.check_in,
            version=observation.version,
            instrument=observation.instrument,
            instrument_version=observation.instrument_version,
            observed_at=observation.observed_at,
            answers=None
            if score is None
            else {item.code: answer for item, answer in zip(by.items, score.answers, strict=True)},
            total=total,
            subscores=[
                SubscoreOut(code=each.subscale.code, total=each.total, flagged=each.flagged)
                for each in (() if score is None else by.subscores(score.answers))
            ],
            unit=by.unit,
            band=None if score is None else score.band,
            says=None if total is None else by.band(total).says,
            note=observation.note,
            reason=observation.reason,
            recorded_by=observation.recorded_by,
            recorded_at=observation.recorded_at,
        )


class ObservationKeptOut(ObservationOut, frozen=True, kw_only=True):
    """What you have just said that you observed."""

    emergency: EmergencyOut | None = None
    """What of it does not wait: act on it now. Null where nothing of it has raised an escalation."""


class ObservationVersionsOut(Wire, frozen=True, kw_only=True):
    """Everything that was ever said of one observation, the newest first."""

    items: list[ObservationOut]


@reading(
    "/instruments", act=Act.SEE_OBSERVATIONS, name="list_instruments", problems=(), unaudited="it shows nobody's data"
)
async def list_instruments() -> InstrumentsOut:
    """The scales and measures that can be recorded, with their items, answers and bands."""
    return InstrumentsOut(items=[InstrumentOut.of(versions[-1]) for versions in instruments().values()])


@reading("/clients/{client_id:uuid}/observations", act=Act.SEE_OBSERVATIONS, name="list_observations")
async def list_observations(
    client_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[ObservationOut]:
    """What was observed of a client, as each observation stands now, the last recorded first."""
    client = await client_within(work, client_id, Act.SEE_OBSERVATIONS)
    found = await _kept(work).of(client.id, after=after, limit=limit)
    items = [ObservationOut.of(each) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@reading(
    "/clients/{client_id:uuid}/observations/{observation_id:uuid}", act=Act.SEE_OBSERVATIONS, name="read_observation"
)
async def read_observation(
    client_id: FromPath[UUID], observation_id: FromPath[UUID], work: TheWork
) -> Response[ObservationVersionsOut]:
    """One observation with everything that was ever said of it; its ETag is what a correction asks for."""
    client = await client_within(work, client_id, Act.SEE_OBSERVATIONS)
    versions = await _kept(work).versions(observation_id, of=client.id)
    return versioned(ObservationVersionsOut(items=[ObservationOut.of(each) for each in versions]), versions[0].version)


@writing("/clients/{client_id:uuid}/observations", act=Act.RECORD_OBSERVATION, name="record_observation")
async def record_observation(
    client_id: FromPath[UUID], data: JSONBody[ObservationIn], work: TheWork, key: TheKey
) -> Response[ObservationKeptOut]:
    """Record what you observed, with all items of the newest version of the instrument.

    An answer that does not wait is escalated with it, and the answer to you says what to do on the spot.
    """
    client = await client_within(work, client_id, Act.RECORD_OBSERVATION)
    new = new_id()

    async def record() -> Observation:
        made = await domain.record(
            client.id,
            Observed(observed_at=data.observed_at or work.now, answers=data.answers, note=data.note),
            as_id=new,
            instrument=instrument(data.instrument),
            by=work.by,
            now=work.now,
            observations=_kept(work),
            journal=work.journal,
        )
        await _escalate(work, made, client.programme)
        return made

    async def again(kept: Kept) -> Observation:
        return (await _kept(work).versions(kept.resource, of=client.id))[-1]

    made = await once(work, key, Kept(status=201, resource=new, version=1), do=record, again=again)
    return await _answer(work, made, client.programme, status=201)


@writing(
    "/clients/{client_id:uuid}/observations/{observation_id:uuid}",
    act=Act.RECORD_OBSERVATION,
    name="correct_observation",
    method="PUT",
    status=200,
    problems=(404, 412, 428),
)
async def correct_observation(
    client_id: FromPath[UUID],
    observation_id: FromPath[UUID],
    data: JSONBody[ObservationCorrectionIn],
    work: TheWork,
    if_match: IfMatch = None,
) -> Response[ObservationKeptOut]:
    """Say what was observed instead, or (without answers) that it was not; what was said before stays readable."""
    client = await client_within(work, client_id, Act.RECORD_OBSERVATION)
    last = await _last(work, observation_id, of=client.id)
    require_version(if_match, last.version)
    if data.answers is None:
        corrected = await domain.take_back(
            last, reason=data.reason, by=work.by, now=work.now, observations=_kept(work), journal=work.journal
        )
    else:
        corrected = await domain.correct(
            last,
            Observed(observed_at=data.observed_at or last.observed_at, answers=data.answers, note=data.note),
            reason=data.reason,
            instrument=instrument(last.instrument, last.instrument_version),
            by=work.by,
            now=work.now,
            observations=_kept(work),
            journal=work.journal,
        )
    await _escalate(work, corrected, client.programme)
    return await _answer(work, corrected, client.programme, status=200)


async def _escalate(work: Work, observation: Observation, programme: ProgrammeId) -> None:
    await domain.escalate_observed(
        observation,
        programme=programme,
        by=work.by,
        now=work.now,
        escalations=escalations_of(work),
        journal=work.journal,
    )


async def _answer(
    work: Work, observation: Observation, programme: ProgrammeId, *, status: int
) -> Response[ObservationKeptOut]:
    """The observation; and where its answers have raised something, what to do on the spot."""
    escalations, of = escalations_of(work), observation.check_in
    raised = await (escalations.of_observation(observation.id) if of is None else escalations.of_check_in(of))
    shown = msgspec.structs.replace(
        ObservationKeptOut.of(observation), emergency=await told_on_the_spot(work, raised, programme)
    )
    return versioned(shown, observation.version, status)


async def _last(work: Work, observation_id: UUID, *, of: ClientId) -> Observation:
    versions: Sequence[Observation] = await _kept(work).versions(observation_id, of=of)
    return versions[0]


def _kept(work: Work) -> KeptObservations:
    return KeptObservations(work.connection, work.journal)


router = Router(
    "/",
    route_handlers=[
        list_instruments,
        list_observations,
        read_observation,
        record_observation,
        correct_observation,
    ],
    tags=["Observations"],
)
