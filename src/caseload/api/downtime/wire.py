"""A completed downtime sheet on the wire, and how each line was answered."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from caseload.api.amounts import Milligrams, Millilitres, milligrams
from caseload.api.dosing.wire import InjectionIn
from caseload.api.downtime.taken_home import TakenHomeOnPaperIn, taken_home_of
from caseload.api.observation import Answers
from caseload.api.wire import Instant, Wire
from caseload.domain.dosing import Giving, NotGivenReason, Sedation, Seen
from caseload.domain.downtime import (
    Answer,
    Entered,
    GivenOnPaper,
    NotGivenOnPaper,
    Outcome,
    PaperLine,
    SeenOnPaper,
    Sheet,
    SpilledOnPaper,
    VomitedOnPaper,
    What,
)
from caseload.domain.ids import ClientId, ContainerId, OrderId, ProgrammeId, StaffId, StationId
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.profiles.around import IdentifiedBy

LineNumber = Annotated[int, msgspec.Meta(ge=1, le=9999)]


class SeenOnPaperIn(Wire, frozen=True, kw_only=True):
    """How the client was before the dose."""

    seen_at: Instant
    sedation: Sedation
    intoxicated: bool
    note: str = ""
    cows: Answers | None = None
    """Withdrawal, where it was measured: it is recorded as an observation too."""


class GivenOnPaperIn(Wire, frozen=True, kw_only=True):
    """A dose that was given."""

    order_id: UUID | None
    """The order that stands on the sheet. Null only for what was given without any."""
    medicine: Medicine
    form: Form
    amount_mg: Milligrams
    amount_ml: Millilitres | None = None
    part: DosePart = DosePart.WHOLE
    given_at: Instant
    supervised: bool = True
    observed_by: UUID | None = None
    """Who watched it being taken, where it was somebody else than whoever gave it."""
    less_reason: str | None = None
    station_id: UUID | None = None
    injection: InjectionIn | None = None
    identified_by: IdentifiedBy | None = None


class VomitedOnPaperIn(Wire, frozen=True, kw_only=True):
    """The dose of the line came back."""

    minutes_after: int
    witnessed: bool
    """Whether somebody of the staff saw it."""
    note: str = ""


class SpilledOnPaperIn(Wire, frozen=True, kw_only=True):
    """The rest of the line's dose was spilled, or all of it where the line has no dose: that holds the client.

    Only whoever handled it enters it; somebody else witnesses it, as at the window.
    """

    order_id: UUID
    part: DosePart = DosePart.WHOLE
    amount_mg: Milligrams
    reason: str
    happened_at: Instant
    container_id: UUID | None = None
    """What it had been poured from; asked exactly where the programme keeps its stock with us."""


class NotGivenOnPaperIn(Wire, frozen=True, kw_only=True):
    """A dose of the sheet's day that was not given."""

    order_id: UUID | None = None
    part: DosePart = DosePart.WHOLE
    reason: NotGivenReason
    note: str = ""


class PaperLineIn(Wire, frozen=True, kw_only=True):
    """One line of the paper: what stands on it, and nothing else."""

    line: LineNumber
    """Its number on the sheet: the answer names it."""
    client_id: UUID
    written_by: UUID
    """Whose name stands on the line: the colleague who gave it, or did not."""
    observed: SeenOnPaperIn | None = None
    given: GivenOnPaperIn | None = None
    vomited: VomitedOnPaperIn | None = None
    spilled: SpilledOnPaperIn | None = None
    not_given: NotGivenOnPaperIn | None = None
    taken_home: TakenHomeOnPaperIn | None = None

    def read(self) -> PaperLine:
        """To the domain."""
        return PaperLine(
            number=self.line,
            client=ClientId(self.client_id),
            written_by=StaffId(self.written_by),
            observed=_observed(self.observed),
            given=_given(self.given, ClientId(self.client_id)),
            vomited=_vomited(self.vomited),
            spilled=_spilled(self.spilled),
            not_given=_not_given(self.not_given),
            taken_home=taken_home_of(self.taken_home),
        )


class SheetIn(Wire, frozen=True, kw_only=True):
    """A completed downtime sheet, or one page of it: at most 100 lines."""

    day: date
    reason: str
    """Why it was written on paper: it becomes the reason of every late entry."""
    lines: tuple[PaperLineIn, ...]

    def read(self, programme: ProgrammeId) -> Sheet:
        """To the domain."""
        return Sheet(
            programme=programme, day=self.day, reason=self.reason, lines=tuple(each.read() for each in self.lines)
        )


class FoundOut(Wire, frozen=True, kw_only=True):
    """Who recorded it before, and when."""

    by: UUID
    at: datetime


class AnswerOut(Wire, frozen=True, kw_only=True):
    """How one thing on a line was answered."""

    line: int
    what: What
    outcome: Outcome
    client_id: UUID | None
    """Null where no client of yours is meant by the line."""
    written_by: UUID | None
    """Null where the name on the line is nobody of the staff."""
    observed_by: UUID | None
    record_id: UUID | None
    """The dose, or what else is in the record; null where nothing is, and in a preview of what would be made."""
    rules: list[str]
    """The rules that an exception broke."""
    found: FoundOut | None
    says: str | None
    """Why it was refused, and what to do."""

    @classmethod
    def of(cls, answer: Answer, *, is_kept: bool) -> "AnswerOut":
        """From the domain."""
        found = answer.found
        return cls(
            line=answer.line,
            what=answer.what,
            outcome=answer.outcome,
            client_id=answer.client,
            written_by=answer.written_by,
            observed_by=answer.observed_by,
            record_id=answer.record if is_kept or found is not None else None,
            rules=list(answer.rules),
            found=FoundOut(by=found.by, at=found.at) if found is not None else None,
            says=answer.says,
        )


class SheetOut(Wire, frozen=True, kw_only=True):
    """A sheet as it was entered, every line with its answer."""

    id: UUID | None
    """Null in a preview: nothing of it was kept."""
    programme_id: UUID
    day: date
    reason: str
    entered_by: UUID
    entered_at: datetime
    answers: list[AnswerOut]

    @classmethod
    def of(cls, entered: Entered, *, is_kept: bool = True) -> "SheetOut":
        """From the domain."""
        return cls(
            id=entered.id if is_kept else None,
            programme_id=entered.programme,
            day=entered.day,
            reason=entered.reason,
            entered_by=entered.entered_by,
            entered_at=entered.entered_at,
            answers=[AnswerOut.of(each, is_kept=is_kept) for each in entered.answers],
        )


def _observed(said: SeenOnPaperIn | None) -> SeenOnPaper | None:
    if said is None:
        return None
    seen = Seen(sedation=said.sedation, intoxicated=said.intoxicated, note=said.note, cows=said.cows)
    return SeenOnPaper(seen=seen, at=said.seen_at)


def _given(said: GivenOnPaperIn | None, client: ClientId) -> GivenOnPaper | None:
    if said is None:
        return None
    giving = Giving(
        client=client,
        order=OrderId(said.order_id) if said.order_id is not None else None,
        medicine=said.medicine,
        form=said.form,
        amount_mg=milligrams(said.amount_mg),
        part=said.part,
        given_at=said.given_at,
        supervised=said.supervised,
        less_reason=said.less_reason,
        amount_ml=milligrams(said.amount_ml) if said.amount_ml is not None else None,
        station=StationId(said.station_id) if said.station_id is not None else None,
        injecting=said.injection.read() if said.injection is not None else None,
        identified_by=said.identified_by,
    )
    return GivenOnPaper(giving=giving, observed_by=StaffId(said.observed_by) if said.observed_by is not None else None)


def _vomited(said: VomitedOnPaperIn | None) -> VomitedOnPaper | None:
    if said is None:
        return None
    return VomitedOnPaper(minutes_after=said.minutes_after, witnessed=said.witnessed, note=said.note)


def _spilled(said: SpilledOnPaperIn | None) -> SpilledOnPaper | None:
    if said is None:
        return None
    return SpilledOnPaper(
        order=OrderId(said.order_id),
        part=said.part,
        amount_mg=milligrams(said.amount_mg),
        reason=said.reason,
        happened_at=said.happened_at,
        container=ContainerId(said.container_id) if said.container_id is not None else None,
    )


def _not_given(said: NotGivenOnPaperIn | None) -> NotGivenOnPaper | None:
    if said is None:
        return None
    order = OrderId(said.order_id) if said.order_id is not None else None
    return NotGivenOnPaper(order=order, part=said.part, reason=said.reason, note=said.note)
