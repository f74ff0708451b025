"""A client's medication at a past moment: what was known then, and what had happened by then."""

from datetime import date, datetime
from uuid import UUID

from caseload.api.dosing.before import PreDoseOut
from caseload.api.dosing.statements import StatementOut
from caseload.api.dosing.wire import DoseOut, NotGivenOut
from caseload.api.flag.wire import FlagOut
from caseload.api.medication.decisions import DecisionOut
from caseload.api.medication.holds import HoldOut
from caseload.api.medication.order_wire import OrderOut
from caseload.api.medication.tasks import TaskOut
from caseload.api.takehome.dispensing import DispenseOut
from caseload.api.takehome.wire import TakeHomeDecisionOut
from caseload.api.wire import Wire
from caseload.domain.access import Role
from caseload.domain.dosing.past import Contents, as_happened, as_known
from caseload.domain.signature import Meaning, Signature, Subject


class SignatureOut(Wire, frozen=True, kw_only=True):
    """Under what somebody signed, as a signature shows it (21 CFR 11.50)."""

    id: UUID
    subject: Subject
    subject_id: UUID
    subject_version: int
    signer_id: UUID
    printed_name: str
    role: Role
    registration: str | None
    meaning: Meaning
    signed_at: datetime

    @classmethod
    def of(cls, signature: Signature) -> "SignatureOut":
        """From the domain."""
        statement = signature.statement
        return cls(
            id=signature.id,
            subject=signature.subject,
            subject_id=signature.subject_id,
            subject_version=signature.subject_version,
            signer_id=statement.signer,
            printed_name=statement.printed_name,
            role=statement.role,
            registration=statement.registration,
            meaning=statement.meaning,
            signed_at=statement.signed_at,
        )


class ContentsOut(Wire, frozen=True, kw_only=True):
    """What stands on a chart at a moment."""

    orders: list[OrderOut]
    """With their steps, each as it stood on the dosing day of the moment."""
    holds: list[HoldOut]
    decisions: list[DecisionOut]
    doses: list[DoseOut]
    not_given: list[NotGivenOut]
    observations: list[PreDoseOut]
    signatures: list[SignatureOut]
    take_home_decisions: list[TakeHomeDecisionOut]
    take_homes: list[DispenseOut]
    """What was handed out for the days shown and those to come, each unit with the last word on it."""
    statements: list[StatementOut]
    """What others said of the days shown; in `happened` the days of it that had passed, unless it was taken back since."""
    flags: list[FlagOut]
    """In `happened` those that counted on the day of the moment."""
    tasks: list[TaskOut]
    """Whom somebody was to tell something."""

    @classmethod
    def of(cls, contents: Contents, day: date, at: datetime) -> "ContentsOut":
        """From the domain."""
        return cls(
            orders=[OrderOut.of(order, day, at) for order in contents.orders],
            holds=[HoldOut.of(hold) for hold in contents.holds],
            decisions=[DecisionOut.of(decision) for decision in contents.decisions],
            doses=[DoseOut.of(each) for each in contents.doses],
            not_given=[NotGivenOut.of(each) for each in contents.not_given],
            observations=[PreDoseOut.of(each) for each in contents.observations],
            signatures=[SignatureOut.of(each) for each in contents.signatures],
            take_home_decisions=[TakeHomeDecisionOut.of(each) for each in contents.beside.decisions],
            take_homes=[DispenseOut.of(each) for each in contents.beside.dispensed],
            statements=[StatementOut.of(each) for each in contents.beside.statements],
            flags=[FlagOut.of(each) for each in contents.beside.flags],
            tasks=[TaskOut.of(each) for each in contents.beside.tasks],
        )


class PastChartOut(Wire, frozen=True, kw_only=True):
    """A client's medication at a past moment, as two answers, with the doses of the 35 days before it."""

    client_id: UUID
    as_of: datetime
    day: date
    """The dosing day of that moment."""
    known: ContentsOut
    """What had been recorded by then, every version of a dose among it. This answer never changes later."""
    happened: ContentsOut
    """What had occurred by then, as is known now: a late entry, an amendment or a correction changes this answer."""

    @classmethod
    def of(cls, client: UUID, contents: Contents, at: datetime, day: date) -> "PastChartOut":
        """From the domain."""
        return cls(
            client_id=client,
            as_of=at,
            day=day,
            known=ContentsOut.of(as_known(contents, at), day, at),
            happened=ContentsOut.of(as_happened(contents, at, day), day, at),
        )
