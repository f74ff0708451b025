"""What a client may ask for about their own record, by when it is answered, and what may be withheld or refused."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from dateutil.relativedelta import relativedelta

from caseload.domain.profiles.said import Data, SaidBy


class RightKind(StrEnum):
    """What a client asks for."""

    ACCESS_REPORT = "access_report"
    """Who looked at their record."""
    RECORD_COPY = "record_copy"
    """A copy of what the record holds about them (45 CFR 164.524; UK GDPR art. 15)."""
    ACCOUNTING = "accounting"
    """An accounting of disclosures (45 CFR 164.528; 42 CFR 2.25)."""
    AMENDMENT = "amendment"
    """That an entry be put right (45 CFR 164.526; UK GDPR art. 16)."""
    RESTRICTION = "restriction"
    """That something not be used or told (45 CFR 164.522(a); UK GDPR art. 18)."""
    CONFIDENTIAL_CONTACT = "confidential_contact"
    """To be reached in another way or at another place (45 CFR 164.522(b))."""


class WithholdingReason(StrEnum):
    """Why something is left out of the copy of a record."""

    IN_CONFIDENCE = "in_confidence"
    """Somebody told it on a promise of confidence, and it would show who."""
    COUNSELLING_NOTE = "counselling_note"
    """A counsellor's own analysis of a conversation, kept apart from the record."""
    ANOTHER_CLIENT = "another_client"
    """It names another client."""
    ANOTHER_PERSON = "another_person"
    """It tells of somebody else who would be harmed by it, or has a right to their own data."""
    SERIOUS_HARM = "serious_harm"
    """It would endanger the client or somebody else; a health professional says so."""
    LEGAL_PROCEEDINGS = "legal_proceedings"
    """It was made for a proceeding."""
    TIP_OFF = "tip_off"
    """To know of it would prejudice what the authorities are doing."""


class DenialGround(StrEnum):
    """Why something that a client asked for is not done."""

    NOT_MADE_HERE = "not_made_here"
    """Somebody else made the entry, who is there to put it right."""
    NOT_IN_THE_RECORD = "not_in_the_record"
    NOT_FOR_INSPECTION = "not_for_inspection"
    """It is nothing that the client has a right to see."""
    ACCURATE_AND_COMPLETE = "accurate_and_complete"
    NOT_AGREED = "not_agreed"
    """The programme need not agree, and does not."""
    UNREASONABLE = "unreasonable"
    """It cannot reasonably be done."""
    UNFOUNDED_OR_EXCESSIVE = "unfounded_or_excessive"


class Counted(StrEnum):
    """In what the time for an answer is counted."""

    DAYS = "days"
    MONTHS = "months"
    """By the calendar."""


MOST: Final[Mapping[Counted, int]] = {Counted.DAYS: 366, Counted.MONTHS: 12}
"""The longest that a clock may run."""


class AnswerClock(SaidBy, frozen=True):
    """By when a request is answered, counted from the day on which it was received."""

    within: int
    counted_in: Counted
    longer: int | None = None
    """By how much more it may be put off, once; none where it may not be."""

    def last_day(self, received_on: date) -> date:
        """The last day on which an answer is in time.

        A month ends on the day of the same number, or where there is none on the last day of the month: what came on
        31 January is answered by 28 February.
        """
        return self._after(received_on, self.within)

    def longest_day(self, received_on: date) -> date | None:
        """The last day once it has been put off; None where it cannot be. Months are counted from the receipt, all at once."""
        return None if self.longer is None else self._after(received_on, self.within + self.longer)

    def _after(self, day: date, count: int) -> date:
        return day + (timedelta(days=count) if self.counted_in is Counted.DAYS else relativedelta(months=count))


class AnswerClocks(Data, frozen=True):
    """One clock for each kind of request; none where the country knows no such request."""

    access_report: AnswerClock
    record_copy: AnswerClock
    amendment: AnswerClock
    restriction: AnswerClock
    confidential_contact: AnswerClock
    accounting: AnswerClock | None = None

    def of(self, kind: RightKind) -> AnswerClock | None:
        """The clock of this kind of request."""
        clock: AnswerClock | None = getattr(self, kind.value)
        return clock


class Withholding(SaidBy, frozen=True):
    """Something for which parts of a copy may be withheld; `says` is what the letter tells the client of it."""

    reason: WithholdingReason
    told: bool
    """Whether the letter may say that something was withheld for it, and how much."""


class Denial(SaidBy, frozen=True):
    """Something for which a request may be denied; `says` is what the client is told."""

    ground: DenialGround
    kinds: tuple[RightKind, ...]


class Rights(Data, frozen=True):
    """Everything that a profile says of requests by clients."""

    clocks: AnswerClocks
    withholding: tuple[Withholding, ...]
    denials: tuple[Denial, ...]
    self_paid: SaidBy | None = None
    """By which a restriction must be agreed to for what the client has paid for in full; none where no rule says so."""
    termination: SaidBy | None = None
    """By which a programme may end by itself what it agreed to, for what comes into the record after the client was told; none
    where no rule lets it."""

    def denies(self, kind: RightKind, ground: DenialGround) -> Denial | None:
        """What the profile says of denying a request on this ground; None where it cannot be."""
        return next((each for each in self.denials if each.ground is ground and kind in each.kinds), None)

    def contradictions(self) -> Iterable[str]:
        """What makes it unusable although its form is right."""
        for kind in RightKind:
            clock = self.clocks.of(kind)
            if clock is not None:
                yield from _wrong_clock(f"rights.clocks.{kind}", clock)
        if len({each.reason for each in self.withholding}) != len(self.withholding):
            yield "rights.withholding must name each reason once"
        if len({each.ground for each in self.denials}) != len(self.denials):
            yield "rights.denials must name each ground once"

    def looser_than(self, base: "Rights") -> Iterable[str]:
        """Every rule of `base` that this loosens. What may be withheld, told or denied is the law's, and stays as it is."""
        for kind in RightKind:
            yield from _looser_clock(f"rights.clocks.{kind}", base.clocks.of(kind), self.clocks.of(kind))
        if [(each.reason, each.told) for each in self.withholding] != [
            (each.reason, each.told) for each in base.withholding
        ]:
            yield "rights.withholding: other reasons, or told otherwise"
        if [(each.ground, each.kinds) for each in self.denials] != [(each.ground, each.kinds) for each in base.denials]:
            yield "rights.denials: other grounds"
        if base.self_paid is not None and self.self_paid is None:
            yield "rights.self_paid: what was paid for in full may be told to a payer"
        if base.termination is None and self.termination is not None:
            yield "rights.termination: what was agreed may be ended without the client"


def _wrong_clock(where: str, clock: AnswerClock) -> Iterable[str]:
    most = MOST[clock.counted_in]
    for name, count in (("within", clock.within), ("longer", clock.longer)):
        if count is not None and not 1 <= count <= most:
            yield f"{where}.{name} must lie between 1 and {most}"


def _looser_clock(where: str, before: AnswerClock | None, after: AnswerClock | None) -> Iterable[str]:
    if before is None:
        return
    if after is None:
        yield f"{where}: such a request is not answered any more"
    elif before.counted_in is not after.counted_in:
        yield f"{where}.counted_in: {before.counted_in} became {after.counted_in}"
    elif after.within > before.within or (after.longer or 0) > (before.longer or 0):
        yield f"{where}: {before.within} and {before.longer or 0} became {after.within} and {after.longer or 0}"
