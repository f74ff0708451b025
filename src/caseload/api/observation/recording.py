"""Observations recorded, read and put right."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.escalation import escalations_of, told_on_the_spot
from caseload.api.observation.wire import (
    ObservationCorrectionIn,
    ObservationIn,
    ObservationKeptOut,
    ObservationOut,
    ObservationVersionsOut,
)
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.work import IfMatch, TheKey, TheWork, client_within, require_version, versioned
from caseload.db.idempotency import Kept
from caseload.db.observation import KeptObservations
from caseload.domain import observation as domain
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, ProgrammeId, new_id
from caseload.domain.observation import Observation, Observed, instrument
from caseload.request.idempotency import once
from caseload.request.work import Work


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
