"""Drug screens: samples and refusals, and results as they come."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import IfMatch, TheKey, TheWork, client_within, require_version, versioned
from caseload.db.idempotency import Kept
from caseload.db.screening import KeptScreens
from caseload.domain import screening as domain
from caseload.domain.access import Act
from caseload.domain.ids import new_id
from caseload.domain.screening import (
    Expected,
    Finding,
    Matrix,
    Method,
    Result,
    Sample,
    Screen,
    Substance,
    Why,
)
from caseload.request.idempotency import once
from caseload.request.work import Work


class ResultWire(Wire, frozen=True, kw_only=True):
    """What one method found of one substance."""

    substance: Substance
    method: Method
    finding: Finding


class SampleWire(Wire, frozen=True, kw_only=True):
    """A sample, or its refusal."""

    why: Why
    matrix: Matrix
    observed: bool
    """Whether somebody watched."""
    refused: bool = False
    drawn_on: date | None = None
    """The day of the draw, of a random screen alone."""
    collected_at: Instant | None = None
    """When it was given or refused; now when left out."""
    results: Annotated[list[ResultWire], msgspec.Meta(max_length=60)] = msgspec.field(default_factory=list)
    """None until a laboratory has answered, and none of a refusal, which is not a positive result."""
    expected: Expected | None = None
    """Whether the prescribed medicine was in it."""
    interpretation: str | None = None
    """What you make of the results."""

    def sample(self, *, now: datetime) -> Sample:
        """To the domain."""
        return Sample(
            why=self.why,
            collected_at=self.collected_at or now,
            drawn_on=self.drawn_on,
            matrix=self.matrix,
            observed=self.observed,
            refused=self.refused,
            results=sorted(Result(each.substance, each.method, each.finding) for each in self.results),
            expected=self.expected,
            interpretation=self.interpretation,
        )

    @classmethod
    def of(cls, sample: Sample) -> "SampleWire":
        """From the domain."""
        return cls(
            why=sample.why,
            matrix=sample.matrix,
            observed=sample.observed,
            refused=sample.refused,
            drawn_on=sample.drawn_on,
            collected_at=sample.collected_at,
            results=[ResultWire(substance=a, method=b, finding=c) for a, b, c in sample.results],
            expected=sample.expected,
            interpretation=sample.interpretation,
        )


class ScreenAmendmentIn(Wire, frozen=True, kw_only=True):
    """What the screen says from now on, whole; without a sample, there was no screen of this client."""

    reason: str
    """Which result came, or what was wrong."""
    sample: SampleWire | None = None


class ScreenOut(Wire, frozen=True, kw_only=True):
    """One version of a drug screen."""

    id: UUID
    client_id: UUID
    version: int
    sample: SampleWire | None
    """Null where the screen was taken back."""
    reason: str | None
    """Why this version came; null in the first."""
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, screen: Screen) -> "ScreenOut":
        """From the domain."""
        return cls(
            id=screen.id,
            client_id=screen.client,
            version=screen.version,
            sample=None if screen.sample is None else SampleWire.of(screen.sample),
            reason=screen.reason,
            recorded_by=screen.recorded_by,
            recorded_at=screen.recorded_at,
        )


class ScreenVersionsOut(Wire, frozen=True, kw_only=True):
    """Everything that was ever said of one drug screen, the newest first."""

    items: list[ScreenOut]


@reading("/clients/{client_id:uuid}/drug-screens", act=Act.SEE_OBSERVATIONS, name="list_drug_screens")
async def list_drug_screens(
    client_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[ScreenOut]:
    """A client's drug screens as each stands now, the last recorded first."""
    client = await client_within(work, client_id, Act.SEE_OBSERVATIONS)
    found = await _kept(work).of(client.id, after=after, limit=limit)
    items = [ScreenOut.of(each) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@reading("/clients/{client_id:uuid}/drug-screens/{screen_id:uuid}", act=Act.SEE_OBSERVATIONS, name="read_drug_screen")
async def read_drug_screen(
    client_id: FromPath[UUID], screen_id: FromPath[UUID], work: TheWork
) -> Response[ScreenVersionsOut]:
    """One drug screen with everything that was ever said of it; its ETag is what an amendment asks for."""
    client = await client_within(work, client_id, Act.SEE_OBSERVATIONS)
    versions = await _kept(work).versions(screen_id, of=client.id)
    return versioned(ScreenVersionsOut(items=[ScreenOut.of(each) for each in versions]), versions[0].version)


@writing("/clients/{client_id:uuid}/drug-screens", act=Act.RECORD_OBSERVATION, name="record_drug_screen")
async def record_drug_screen(
    client_id: FromPath[UUID], data: JSONBody[SampleWire], work: TheWork, key: TheKey
) -> Response[ScreenOut]:
    """Record a sample or its refusal; the results may come later."""
    client = await client_within(work, client_id, Act.RECORD_OBSERVATION)
    new = new_id()

    async def record() -> Screen:
        return await domain.record_screen(
            client.id,
            data.sample(now=work.now),
            as_id=new,
            programme=client.programme,
            by=work.by,
            now=work.now,
            screens=_kept(work),
            journal=work.journal,
        )

    async def again(kept: Kept) -> Screen:
        return (await _kept(work).versions(kept.resource, of=client.id))[-1]

    made = await once(work, key, Kept(status=201, resource=new, version=1), do=record, again=again)
    return versioned(ScreenOut.of(made), made.version, 201)


@writing(
    "/clients/{client_id:uuid}/drug-screens/{screen_id:uuid}",
    act=Act.RECORD_OBSERVATION,
    name="amend_drug_screen",
    method="PUT",
    status=200,
    problems=(404, 412, 428),
)
async def amend_drug_screen(
    client_id: FromPath[UUID],
    screen_id: FromPath[UUID],
    data: JSONBody[ScreenAmendmentIn],
    work: TheWork,
    if_match: IfMatch = None,
) -> Response[ScreenOut]:
    """Add results, put right what was recorded, or (without a sample) take it back; what was said stays readable."""
    client = await client_within(work, client_id, Act.RECORD_OBSERVATION)
    last = (await _kept(work).versions(screen_id, of=client.id))[0]
    require_version(if_match, last.version)
    before = work.now if last.sample is None else last.sample.collected_at
    amended = await domain.amend_screen(
        last,
        None if data.sample is None else data.sample.sample(now=before),
        reason=data.reason,
        by=work.by,
        now=work.now,
        screens=_kept(work),
        journal=work.journal,
    )
    return versioned(ScreenOut.of(amended), amended.version)


def _kept(work: Work) -> KeptScreens:
    return KeptScreens(work.connection, work.journal)
