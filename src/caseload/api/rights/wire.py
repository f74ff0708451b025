"""Requests of clients on the wire."""

from datetime import date, datetime
from uuid import UUID

from caseload.api.consent.wire import CheckWire
from caseload.api.reaching import ReachByOut
from caseload.api.rights.agreed import (
    ReachableWire,
    RestrictsWire,
    RightsContactOut,
    RightsRestrictionOut,
)
from caseload.api.rights.amended import (
    AmendedWire,
    EntryWire,
    RightsStatementOut,
)
from caseload.api.wire import Instant, Wire
from caseload.domain.consent import Category
from caseload.domain.ids import RelatedPersonId
from caseload.domain.profiles.rights import DenialGround, RightKind
from caseload.domain.rights import (
    Answering,
    AskedFor,
    Due,
    Outcome,
    PutOff,
    RightsAnswer,
    RightsRequest,
)


class RightsRequestIn(Wire, frozen=True, kw_only=True):
    """What a client asks for about their own record."""

    kind: RightKind
    says: str
    """What is asked for, in the client's words."""
    received_at: Instant
    """When it reached the programme: the clock runs from that day, whenever it is written down."""
    check: CheckWire
    """How it was made sure that it was the client who asked, or somebody who may for them."""
    representative_id: UUID | None = None
    """The legal representative who asks for the client; the client when left out."""
    is_self_paid: bool = False
    """Only for a restriction: not to tell a payer of what the client has paid for in full."""
    about: EntryWire | None = None
    """Only for an amendment: the entry that is to be put right, where the client names one."""

    def read(self) -> AskedFor:
        """For the domain."""
        return AskedFor(
            kind=self.kind,
            says=self.says,
            received_at=self.received_at,
            check=self.check.read(),
            representative=None if self.representative_id is None else RelatedPersonId(self.representative_id),
            is_self_paid=self.is_self_paid,
            about=None if self.about is None else self.about.read(),
        )


class RightsPutOffIn(Wire, frozen=True, kw_only=True):
    """That the answer takes longer."""

    reason: str
    told_on: date
    """The local day on which the client was told why, and by when the answer comes."""


class RightsAnswerIn(Wire, frozen=True, kw_only=True):
    """What came of a request."""

    outcome: Outcome
    says: str
    """What the client was told, how and where to."""
    ground: DenialGround | None = None
    """Why it is denied; one that the profile knows for such a request."""
    restricts: RestrictsWire | None = None
    """Of a restriction that is granted: what is not told from now on."""
    contact: ReachableWire | None = None
    """Of a confidential contact that is granted: how and where the client is reached from now on, and no otherwise."""
    amended: AmendedWire | None = None
    """Of an amendment that is granted: how it was made."""
    disputed: tuple[Category, ...] = ()
    """Of an amendment that is denied: the kinds of information to which the entry belongs. What is told of them later carries
    the request, the denial and what both said to it, once the client disagrees or asks for that."""

    def read(self) -> Answering:
        """For the domain."""
        return Answering(
            outcome=self.outcome,
            says=self.says,
            ground=self.ground,
            restricts=None if self.restricts is None else self.restricts.read(),
            contact=None if self.contact is None else self.contact.read(),
            amended=None if self.amended is None else self.amended.read(),
            disputed=tuple(dict.fromkeys(self.disputed)),
        )


class RightsPutOffOut(Wire, frozen=True, kw_only=True):
    """That the answer takes longer, and that the client was told so."""

    until_on: date
    reason: str
    told_on: date
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, one: PutOff) -> "RightsPutOffOut":
        """From the domain."""
        return cls(until_on=one.until, reason=one.reason, told_on=one.told_on, recorded_by=one.by, recorded_at=one.at)


class RightsAnswerOut(Wire, frozen=True, kw_only=True):
    """What came of a request."""

    outcome: Outcome
    ground: DenialGround | None
    rule: str | None
    """The profile's rule by which it was denied."""
    says: str
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, one: RightsAnswer) -> "RightsAnswerOut":
        """From the domain."""
        return cls(
            outcome=one.outcome, ground=one.ground, rule=one.rule, says=one.says, recorded_by=one.by, recorded_at=one.at
        )


class RightsRequestOut(Wire, frozen=True, kw_only=True):
    """A request of a client, and how far it has come."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    kind: RightKind
    says: str
    received_at: datetime
    received_on: date
    """The local day from which the clock runs."""
    representative_id: UUID | None
    check: CheckWire
    """How it was made sure that it was the client who asked, or somebody who may for them."""
    is_self_paid: bool
    rule: str
    """The profile's version and rule that set the clock."""
    last_day_on: date
    """The last local day on which an answer is in time; the later one, once it is put off."""
    put_off: RightsPutOffOut | None
    answer: RightsAnswerOut | None
    statements: list[RightsStatementOut]
    """To a denied amendment: the client's disagreement, then the programme's rebuttal."""
    restriction: RightsRestrictionOut | None
    """Of a restriction that was granted: what is not told."""
    contact: RightsContactOut | None
    """Of a confidential contact that was granted: how and where the client is reached."""
    reach_by: ReachByOut | None
    """How and where the client is reached now: with the answer, with what they are told, with what was made for them. Null for
    whoever neither sees how clients are reached nor answers requests."""
    about: EntryWire | None
    """Of an amendment: the entry that is to be put right, where the client named one."""
    amended: AmendedWire | None
    """Of an amendment that was granted: how it was made."""
    disputed: list[Category]
    """Of an amendment that was denied: the kinds of information to which the entry belongs."""
    asked_along_at: datetime | None
    """Since when the request and its denial go along because the client asked for that."""
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, one: RightsRequest, reach_by: ReachByOut | None) -> "RightsRequestOut":
        """From the domain."""
        asked = one.asked
        return cls(
            id=one.id,
            client_id=one.client,
            programme_id=one.programme,
            kind=asked.kind,
            says=asked.says,
            received_at=asked.received_at,
            received_on=one.received_on,
            representative_id=asked.representative,
            check=CheckWire(method=asked.check.method, detail=asked.check.detail),
            is_self_paid=asked.is_self_paid,
            rule=one.rule,
            last_day_on=one.last_day,
            put_off=None if one.put_off is None else RightsPutOffOut.of(one.put_off),
            answer=None if one.answer is None else RightsAnswerOut.of(one.answer),
            statements=[RightsStatementOut.of(each) for each in one.statements],
            restriction=None if one.agreed is None else RightsRestrictionOut.of(one.agreed),
            contact=None if one.contact is None else RightsContactOut.of(one.contact, is_shown=reach_by is not None),
            reach_by=reach_by,
            about=None if asked.about is None else EntryWire.of(asked.about),
            amended=None if one.amended is None else AmendedWire.of(one.amended),
            disputed=list(one.disputed),
            asked_along_at=None if one.asked_along is None else one.asked_along.at,
            recorded_by=one.recorded_by,
            recorded_at=one.recorded_at,
        )


class RightsRequestsOut(Wire, frozen=True, kw_only=True):
    """Everything that a client has asked for, the last first."""

    items: list[RightsRequestOut]


class DueRightsRequestOut(Wire, frozen=True, kw_only=True):
    """A request that nobody has answered. What was asked for in words is read one by one."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    kind: RightKind
    received_on: date
    last_day_on: date
    is_put_off: bool
    days_left: int
    """Until its last day, by the calendar of its programme; below 0 it is overdue."""

    @classmethod
    def of(cls, one: Due) -> "DueRightsRequestOut":
        """From the domain."""
        request = one.request
        return cls(
            id=request.id,
            client_id=request.client,
            programme_id=request.programme,
            kind=request.asked.kind,
            received_on=request.received_on,
            last_day_on=request.last_day,
            is_put_off=request.put_off is not None,
            days_left=one.days_left,
        )


class DueRightsRequestsOut(Wire, frozen=True, kw_only=True):
    """Every open request within reach, the longest overdue first."""

    items: list[DueRightsRequestOut]
    overdue: int
    """How many should have been answered by now."""
    there_are_more: bool
    """The list stops at those whose last day comes first: answer some of them to see the others."""
