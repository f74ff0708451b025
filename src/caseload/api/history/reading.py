"""Histories as they were brought in: of one client, and of a programme in counts."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from litestar.params import FromPath

from caseload.api.history.verifying import VerificationOut
from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork, client_within
from caseload.db.history import HistoryReadings, Verifications
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.history import LONG_RUN, Outcome, would_have_stopped
from caseload.domain.history.reading import ClientHistory, ProgrammeHistory, attendance
from caseload.domain.ids import ProgrammeId
from caseload.domain.profiles import Profile, profiles


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
    verifications: list[VerificationOut]

    @classmethod
    def of(cls, history: ClientHistory, verified: list[VerificationOut]) -> "ClientHistoryOut":
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


class StoppedOut(Wire, frozen=True, kw_only=True):
    """How many of the doses after missed days the missed-dose ladder of one profile would have stopped."""

    profile: str
    version: int
    doses: int


class ProgrammeHistoryOut(Wire, frozen=True, kw_only=True):
    """What the history of a programme shows, counted over the clients within your reach."""

    people: int
    people_with_daily_doses: int
    missed_runs: list[RunsOut]
    """Between two days with a dose of daily medicine, two doses on one day being one day."""
    would_have_stopped: list[StoppedOut]
    """By the newest version of each profile. The doses of one medicine on one day are one."""
    attendance: VisitsOut
    drug_screens: int

    @classmethod
    def of(cls, shown: ProgrammeHistory, among: Sequence[Profile]) -> "ProgrammeHistoryOut":
        """From the domain."""
        return cls(
            people=shown.people,
            people_with_daily_doses=shown.people_with_daily_doses,
            missed_runs=[
                RunsOut(days=days, or_more=days == LONG_RUN, runs=shown.missed_runs[days])
                for days in range(1, LONG_RUN + 1)
            ],
            would_have_stopped=[
                StoppedOut(
                    profile=each.profile,
                    version=each.version,
                    doses=would_have_stopped(shown.after_missed, each),
                )
                for each in among
            ],
            attendance=VisitsOut.of(shown.visits, without_day=shown.visits_without_day),
            drug_screens=shown.screens,
        )


@reading("/clients/{client_id:uuid}/history", act=Act.SEE_CLIENT, name="read_client_history")
async def read_client_history(client_id: FromPath[UUID], work: TheWork) -> ClientHistoryOut:
    """What was brought in of a client, as its source recorded it. The doses stand among the doses."""
    client = await client_within(work, client_id, Act.SEE_CLIENT)
    history = await HistoryReadings(work.connection, work.journal, now=work.now).of(client.id)
    verified = await Verifications(work.connection, work.journal, now=work.now).of(client.id)
    return ClientHistoryOut.of(history, [VerificationOut.of(each) for each in verified])


@reading("/programmes/{programme_id:uuid}/history", act=Act.SEE_MEDICATION, name="read_programme_history")
async def read_programme_history(programme_id: FromPath[UUID], work: TheWork) -> ProgrammeHistoryOut:
    """What the brought-in history of a programme shows: missed days and attendance in counts, and nobody's name."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    readings = HistoryReadings(work.connection, work.journal, now=work.now)
    newest = [versions[-1] for _, versions in sorted(profiles().items())]
    return ProgrammeHistoryOut.of(await readings.shown_by(programme.id, by=work.by), newest)
