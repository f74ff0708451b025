"""What a client asks of the programme about their own record: when it came, who took it, and by when it is answered.

Sources: 45 CFR 164.522, 164.524, 164.526 and 164.528; UK GDPR art. 12(3), 15, 16 and 18. The clocks are values of the profile
that was in force on the day of the receipt, and run by the programme's own calendar; a request keeps the last day that it
was given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol

from caseload.domain.access import Act
from caseload.domain.consent import AgreedRestriction, Category, IdentityCheck
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.family import text_fault
from caseload.domain.ids import ClientId, ProgrammeId, RelatedPersonId, RightsRequestId, StaffId
from caseload.domain.outreach import Reachable
from caseload.domain.people import Staff
from caseload.domain.profiles.rights import DenialGround, RightKind
from caseload.domain.rights.entry import Amended, Entry

LONGEST_TEXT: Final = 4000


def check_says(says: str, faults: Faults) -> None:
    """Add what is wrong with words that somebody said or was told, if anything is."""
    if problem := text_fault(says, longest=LONGEST_TEXT):
        faults.add("says", problem)


def require_says(says: str) -> str:
    """The words without space around them. Raises `Invalid`."""
    faults = Faults()
    check_says(says, faults)
    faults.raise_if_any()
    return says.strip()


class RightsRequestUnknown(NotFound):
    """There is no such request within your reach."""

    def __init__(self) -> None:
        super().__init__("Read the client's requests for those there are.")


class RightsRequestAnswered(Conflict):
    """This request has been answered."""

    def __init__(self) -> None:
        super().__init__("Read the answer. If the client asks again, take it as another request.")


class Outcome(StrEnum):
    """What came of a request."""

    GRANTED = "granted"
    GRANTED_IN_PART = "granted_in_part"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    """The client no longer asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedFor:
    """What was asked, when, and how staff made sure that it was the client who asked, or somebody who may for them."""

    kind: RightKind
    says: str
    """What was asked for, in the client's words."""
    received_at: datetime
    check: IdentityCheck
    representative: RelatedPersonId | None = None
    """Who asked for the client, where it was not the client."""
    is_self_paid: bool = False
    """It asks that no payer is told of what the client has paid for in full (45 CFR 164.522(a)(1)(vi))."""
    about: Entry | None = None
    """Of an amendment: the entry that is to be put right, where the client names one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOff:
    """That the answer takes longer, once, and that the client was told why and by when."""

    until: date
    reason: str
    told_on: date
    """The local day on which the notice went to the client."""
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsAnswer:
    """What came of a request, as the client was told."""

    outcome: Outcome
    ground: DenialGround | None
    rule: str | None
    """The profile's rule by which it was denied."""
    says: str
    by: StaffId
    at: datetime


class Side(StrEnum):
    """Whose word it is."""

    DISAGREEMENT = "disagreement"
    """The client's, to a denied amendment (45 CFR 164.526(d)(2))."""
    REBUTTAL = "rebuttal"
    """The programme's, to the client's (45 CFR 164.526(d)(3))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one side says to a denied amendment."""

    side: Side
    says: str
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAlong:
    """That the client asked that a request and its denial go with what is told (45 CFR 164.526(d)(1)(iii))."""

    says: str
    by: StaffId
    at: datetime


class EndedHow(StrEnum):
    """How an agreed restriction came to its end (45 CFR 164.522(a)(2)(i) and (ii))."""

    ASKED_IN_WRITING = "asked_in_writing"
    """The client asked for it, or agreed to it, in writing."""
    AGREED_ALOUD = "agreed_aloud"
    """The client agreed to it by word of mouth, and that was written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictionEnd:
    """That a restriction is over."""

    how: EndedHow
    says: str
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Termination:
    """That the programme ended by itself what it had agreed to (45 CFR 164.522(a)(2)(iii))."""

    told_at: datetime
    """When the client was told: what came into the record by then stays restricted."""
    says: str
    """What they were told, and how."""
    rule: str
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What was agreed not to be told, and its end if it has one."""

    restriction: AgreedRestriction
    end: RestrictionEnd | None = None
    termination: Termination | None = None


class ContactEndedHow(StrEnum):
    """How it ended that a client is reached as was agreed."""

    GIVEN_UP = "given_up"
    """The client no longer wants it."""
    REPLACED = "replaced"
    """Something else was agreed on a later request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactEnd:
    """That a client is no longer reached as was agreed."""

    how: ContactEndedHow
    says: str
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactAgreement:
    """How and where it was agreed that a client is reached, and the end of that if it has one."""

    to: Reachable
    end: ContactEnd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsRequest:
    """One request, and how far it has come."""

    id: RightsRequestId
    client: ClientId
    programme: ProgrammeId
    asked: AskedFor
    received_on: date
    """The local day of the receipt: the clock runs from it."""
    rule: str
    """The profile's version and rule that set the clock."""
    due_on: date
    """The last day by that rule, before it was put off."""
    recorded_by: StaffId
    recorded_at: datetime
    put_off: PutOff | None = None
    answer: RightsAnswer | None = None
    statements: tuple[Statement, ...] = ()
    """The client's disagreement with a denied amendment, then the programme's rebuttal, as far as there are any."""
    agreed: Agreed | None = None
    """Of a restriction that was granted: what is not told."""
    contact: ContactAgreement | None = None
    """Of a confidential contact that was granted: how and where the client is reached."""
    amended: Amended | None = None
    """Of an amendment that was granted: how it was made."""
    disputed: tuple[Category, ...] = ()
    """Of an amendment that was denied: the kinds of information in which the entry stays disputed."""
    asked_along: AskedAlong | None = None

    @property
    def last_day(self) -> date:
        """The last local day on which an answer is in time."""
        return self.due_on if self.put_off is None else self.put_off.until

    def is_overdue(self, today: date) -> bool:
        """Whether it should have been answered before this local day."""
        return self.answer is None and today > self.last_day

    def require_open(self) -> None:
        """Raise `RightsRequestAnswered` when there is nothing left to do."""
        if self.answer is not None:
            raise RightsRequestAnswered


class RightsRequests(Protocol):
    """The requests that are kept."""

    async def acts_for(self, person: RelatedPersonId, client: ClientId, /, *, at: datetime) -> bool:
        """Whether somebody on the client's list of people was their legal representative at that moment."""
        ...

    async def has_entry(self, entry: Entry, client: ClientId, /) -> bool:
        """Whether this version of this entry stands in the client's record."""
        ...

    async def add(self, new: RightsRequest, /) -> None:
        """Keep it."""
        ...

    async def hold(self, wanted: RightsRequestId, /, *, by: Staff, act: Act) -> RightsRequest:
        """One of them, held so that nobody else answers it meanwhile; or `RightsRequestUnknown`."""
        ...

    async def open_requests(self, /, *, by: Staff, act: Act) -> Sequence[RightsRequest]:
        """Every request that nobody has answered, of clients within reach."""
        ...

    async def add_put_off(self, request: RightsRequestId, put_off: PutOff, /) -> None:
        """Keep it; `CannotBePutOff` when it was before."""
        ...
