"""A client at a glance."""

from datetime import date, datetime
from uuid import UUID

from litestar import Router
from litestar.params import FromPath

from caseload.api.merge.wire import MergedWithOut
from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.summary import Summaries
from caseload.domain.access import Act
from caseload.domain.caseload import Edition
from caseload.domain.ids import ClientId
from caseload.domain.summary import InCare, OnMedication, Summary


class InCareOut(Wire, frozen=True, kw_only=True):
    """The open episode, and who answers for the client now."""

    episode_id: UUID
    admitted_on: date
    edition: Edition
    level: str
    responsible_counsellor_id: UUID
    responsible_counsellor: str

    @classmethod
    def of(cls, care: InCare) -> "InCareOut":
        """From the domain."""
        return cls(
            episode_id=care.episode,
            admitted_on=care.admitted_on,
            edition=care.level.edition,
            level=care.level.level,
            responsible_counsellor_id=care.responsible,
            responsible_counsellor=care.responsible_name,
        )


class OnMedicationOut(Wire, frozen=True, kw_only=True):
    """The order in force today, and what is known of the last dose."""

    order_id: UUID
    medicine: str
    form: str
    beside: str | None
    """Another medicine that is ordered beside it, in another part of the day."""
    held: bool
    """Nothing may be given until a prescriber clears the hold."""
    last_dose_on: date | None

    @classmethod
    def of(cls, medication: OnMedication) -> "OnMedicationOut":
        """From the domain."""
        return cls(
            order_id=medication.order,
            medicine=medication.medicine,
            form=medication.form,
            beside=medication.beside,
            held=medication.held,
            last_dose_on=medication.last_dose_on,
        )


class SummaryOut(Wire, frozen=True, kw_only=True):
    """A client at a glance."""

    client_id: UUID
    given_name: str
    family_name: str
    birth_date: date
    programme_id: UUID
    programme: str
    care: InCareOut | None
    """Null outside an episode of care."""
    medication: OnMedicationOut | None
    overdue_check_ins: int
    next_check_in_at: datetime | None
    merges: list[MergedWithOut]
    """Registrations that are, may be or were taken for this client's: of a closed one the survivor."""

    @classmethod
    def of(cls, summary: Summary) -> "SummaryOut":
        """From the domain."""
        return cls(
            client_id=summary.client,
            given_name=summary.identity.given_name,
            family_name=summary.identity.family_name,
            birth_date=summary.identity.birth_date,
            programme_id=summary.programme,
            programme=summary.programme_name,
            care=None if summary.care is None else InCareOut.of(summary.care),
            medication=None if summary.medication is None else OnMedicationOut.of(summary.medication),
            overdue_check_ins=summary.overdue_check_ins,
            next_check_in_at=summary.next_check_in_at,
            merges=[MergedWithOut.of(each, summary.client, sees_both=both) for each, both in summary.merges],
        )


@reading("/clients/{client_id:uuid}/summary", act=Act.SEE_CLIENT, name="read_summary")
async def read_summary(client_id: FromPath[UUID], work: TheWork) -> SummaryOut:
    """A client at a glance: where they stand, and what wants attention."""
    summaries = Summaries(work.connection, work.journal, now=work.now)
    return SummaryOut.of(await summaries.of(ClientId(client_id), reach=work.by.reach(Act.SEE_CLIENT)))


router = Router("/", route_handlers=[read_summary], tags=["Clients"])
