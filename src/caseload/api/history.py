"""Histories that were brought in: of one client, of a programme in counts, and the worklist of what follows them."""

from collections import Counter
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router
from litestar.params import FromPath, JSONBody

from caseload.api.amounts import written
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.client import Clients
from caseload.db.history import HistoryReadings, Verifications
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.history import LONG_RUN, Outcome
from caseload.domain.history import verifying as domain
from caseload.domain.history.reading import ClientHistory, ProgrammeHistory, attendance
from caseload.domain.history.verifying import Finding, ToVerify, Verification
from caseload.domain.ids import ClientId, ProgrammeId, new_id
from caseload.domain.medicines import Medicine
from caseload.request.idempotency import once
from caseload.request.work import Work


class ProvenanceOut(Wire, frozen=True, kw_only=True):
    """One time that something of a client was brought in."""

    source: str
    external_id: str
    brought_in_at: datetime
    brought_in_by: UUID
    last_day_covered: date
    """Days after it are not known: neither missed nor with a dose."""
    recorded: dict[str, str]
    """Housing, employment and education in the words of the source."""


class RecordedVisitOut(Wire, frozen=True, kw_only=True):
    """A visit as its source recorded it. It counts for attendance and is never billable."""

    scheduled_on: date | None
    label: str
    status: Outcome
    reason: str
    source: str
    line: int


class RecordedScreenOut(Wire, frozen=True, kw_only=True):
    """One substance of a drug screen as its source recorded it."""

    collected_on: date
    substance: str
    result: str
    source: str
    line: int


class GapOut(Wire, frozen=True, kw_only=True):
    """The days between two days with a dose of daily medicine."""

    after: date
    before: date
    missed: int
    not_known: int
    """Days after a brought-in history ended."""


class VisitsOut(Wire, frozen=True, kw_only=True):
    """Brought-in visits by what became of them."""

    attended: int
    did_not_attend: int
    not_known: int
    """Nobody wrote the outcome down: neither attended nor missed."""
    rate_percent: int | None
    """Attended of a hundred whose outcome is known, rounded down."""
    without_day: int
    """Of all of them, those that were never given a day."""

    @classmethod
    def of(cls, visits: Counter[Outcome], *, without_day: int) -> "VisitsOut":
        """From the domain."""
        totals = attendance(visits)
        return cls(
            attended=totals.attended,
            did_not_attend=totals.did_not_attend,
            not_known=totals.not_known,
            rate_percent=totals.rate_percent,
            without_day=without_day,
        )


class ClientHistoryOut(Wire, frozen=True, kw_only=True):
    """What was brought in of a client, and the gaps between all doses of daily medicine."""

    client_id: UUID
    provenance: list[ProvenanceOut]
    visits: list[RecordedVisitOut]
    attendance: VisitsOut
    drug_screens: list[RecordedScreenOut]
    gaps: list[GapOut]
    verifications: "list[VerificationOut]"

    @classmethod
    def of(cls, history: ClientHistory, verified: "list[VerificationOut]") -> "ClientHistoryOut":
        """From the domain."""
        return cls(
            client_id=history.client,
            provenance=[
                ProvenanceOut(
                    source=each.source,
                    external_id=each.external_id,
                    brought_in_at=each.brought_in_at,
                    brought_in_by=each.brought_in_by,
                    last_day_covered=each.last_day_covered,
                    recorded=dict(each.recorded),
                )
                for each in history.provenance
            ],
            visits=[
                RecordedVisitOut(
                    scheduled_on=each.scheduled_on,
                    label=each.label,
                    status=each.status,
                    reason=each.reason,
                    source=each.source,
                    line=each.line,
                )
                for each in history.visits
            ],
            attendance=VisitsOut.of(
                Counter(each.status for each in history.visits),
                without_day=sum(each.scheduled_on is None for each in history.visits),
            ),
            drug_screens=[
                RecordedScreenOut(
                    collected_on=each.collected_on,
                    substance=each.substance,
                    result=each.result,
                    source=each.source,
                    line=each.line,
                )
                for each in history.screens
            ],
            gaps=[
                GapOut(after=each.after, before=each.before, missed=each.missed, not_known=each.not_known)
                for each in history.gaps
            ],
            verifications=verified,
        )


class RunsOut(Wire, frozen=True, kw_only=True):
    """How many runs of consecutive missed days there are of one length."""

    days: int
    or_more: bool
    runs: int


class ProgrammeHistoryOut(Wire, frozen=True, kw_only=True):
    """What the history of a programme shows, counted over the clients within your reach."""

    people: int
    people_with_daily_doses: int
    missed_runs: list[RunsOut]
    """Between two days with a dose of daily medicine, two doses on one day being one day."""
    attendance: VisitsOut
    drug_screens: int

    @classmethod
    def of(cls, shown: ProgrammeHistory) -> "ProgrammeHistoryOut":
        """From the domain."""
        return cls(
            people=shown.people,
            people_with_daily_doses=shown.people_with_daily_doses,
            missed_runs=[
                RunsOut(days=days, or_more=days == LONG_RUN, runs=shown.missed_runs[days])
                for days in range(1, LONG_RUN + 1)
            ],
            attendance=VisitsOut.of(shown.visits, without_day=shown.visits_without_day),
            drug_screens=shown.screens,
        )


class ToVerifyOut(Wire, frozen=True, kw_only=True):
    """A client of whom nothing is known since their history ended."""

    client_id: UUID
    programme_id: UUID
    given_name: str
    family_name: str
    source: str
    last_dose_on: date | None
    last_medicine: Medicine | None
    last_amounts_mg: list[str]
    """Of every dose of that day; two where nobody has decided whether the second corrects the first."""
    last_day_covered: date
    because: str
    clears: str

    @classmethod
    def of(cls, waiting: ToVerify) -> "ToVerifyOut":
        """From the domain."""
        return cls(
            client_id=waiting.client,
            programme_id=waiting.programme,
            given_name=waiting.given_name,
            family_name=waiting.family_name,
            source=waiting.source,
            last_dose_on=waiting.last_dose_on,
            last_medicine=waiting.last_medicine,
            last_amounts_mg=[written(amount) for amount in waiting.last_amounts_mg],
            last_day_covered=waiting.last_day_covered,
            because=waiting.because,
            clears=waiting.clears,
        )


class VerificationIn(Wire, frozen=True, kw_only=True):
    """What you found out about the days after a history ends."""

    finding: Finding
    note: Annotated[str, msgspec.Meta(description="Whom you asked and what they said.")]
    until: date | None = None
    """The last day that it speaks of; today when left out."""


class VerificationOut(Wire, frozen=True, kw_only=True):
    """What somebody found out about the days after a history ends."""

    id: UUID
    client_id: UUID
    until: date
    finding: Finding
    note: str
    verified_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, verification: Verification) -> "VerificationOut":
        """From the domain."""
        return cls(
            id=verification.id,
            client_id=verification.client,
            until=verification.until,
            finding=verification.finding,
            note=verification.note,
            verified_by=verification.verified_by,
            recorded_at=verification.recorded_at,
        )


async def _client(work: Work, client_id: UUID, act: Act) -> Client:
    clients = Clients(work.connection, work.journal, now=work.now)
    return await clients.get(ClientId(client_id), reach=work.by.reach(act))


@reading("/clients/{client_id:uuid}/history", act=Act.SEE_CLIENT, name="read_client_history")
async def read_client_history(client_id: FromPath[UUID], work: TheWork) -> ClientHistoryOut:
    """What was brought in of a client, as its source recorded it. The doses stand among the doses."""
    client = await _client(work, client_id, Act.SEE_CLIENT)
    history = await HistoryReadings(work.connection, work.journal, now=work.now).of(client.id)
    verified = await Verifications(work.connection, work.journal, now=work.now).of(client.id)
    return ClientHistoryOut.of(history, [VerificationOut.of(each) for each in verified])


@reading("/programmes/{programme_id:uuid}/history", act=Act.SEE_MEDICATION, name="read_programme_history")
async def read_programme_history(programme_id: FromPath[UUID], work: TheWork) -> ProgrammeHistoryOut:
    """What the brought-in history of a programme shows: missed days and attendance in counts, and nobody's name."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    readings = HistoryReadings(work.connection, work.journal, now=work.now)
    return ProgrammeHistoryOut.of(await readings.shown_by(programme.id, by=work.by))


@reading("/histories-to-verify", act=Act.VERIFY_HISTORY, name="list_histories_to_verify", problems=())
async def list_histories_to_verify(work: TheWork, after: After = None, limit: Limit = USUAL) -> Page[ToVerifyOut]:
    """Clients of whom nothing is known since their history ended, in the order of registration."""
    verifications = Verifications(work.connection, work.journal, now=work.now)
    found = await verifications.to_verify(by=work.by, after=None if after is None else ClientId(after), limit=limit)
    items = [ToVerifyOut.of(each) for each in found]
    return Page(items=items, next=items[-1].client_id if len(items) == limit else None)


@writing("/clients/{client_id:uuid}/history-verifications", act=Act.VERIFY_HISTORY, name="verify_history")
async def verify_history(
    client_id: FromPath[UUID], data: JSONBody[VerificationIn], work: TheWork, key: TheKey
) -> VerificationOut:
    """Record what you found out about the days after a client's history ends; it takes them off the worklist."""
    client = await _client(work, client_id, Act.VERIFY_HISTORY)
    today = (await Programmes(work.connection).get(client.programme)).today(work.now)
    verifications = Verifications(work.connection, work.journal, now=work.now)
    new = new_id()

    async def verify() -> Verification:
        return await domain.verify(
            client.id,
            data.finding,
            data.note,
            as_id=new,
            until=data.until or today,
            today=today,
            by=work.by,
            now=work.now,
            verifications=verifications,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Verification:
        return await verifications.get(kept.resource, of=client.id)

    return VerificationOut.of(await once(work, key, Kept(status=201, resource=new), do=verify, again=again))


router = Router(
    "/",
    route_handlers=[
        read_client_history,
        read_programme_history,
        list_histories_to_verify,
        verify_history,
    ],
    tags=["History"],
)
