"""What a client asks of the programme about their own record: when it came, who took it, and by when it is answered.

Sources: 45 CFR 164.522, 164.524, 164.526 and 164.528; UK GDPR art. 12(3), 15, 16 and 18. The clocks are values of the profile
that was in force on the day of the receipt, and run by the programme's own calendar; a request keeps the last day that it
was given.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.consent import AgreedRestriction, Category, CheckMethod, IdentityCheck
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.family import LONGEST_NAME, text_fault
from caseload.domain.ids import ClientId, ProgrammeId, RelatedPersonId, RightsRequestId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.profiles.rights import DenialGround, RightKind
from caseload.domain.programme import Programme
from caseload.domain.rights.entry import Amended, Entry

LONGEST_TEXT: Final = 4000


class RightsRequestUnknown(NotFound):
    """There is no such request within your reach."""

    def __init__(self) -> None:
        super().__init__("Read the client's requests for those there are.")


class NoSuchRight(Conflict):
    """The rules of this programme's country know no such request."""

    def __init__(self) -> None:
        super().__init__("Ask the client what they want to know: the account of disclosures is there in every country.")


class RightsRequestAnswered(Conflict):
    """This request has been answered."""

    def __init__(self) -> None:
        super().__init__("Read the answer. If the client asks again, take it as another request.")


class CannotBePutOff(Conflict):
    """This request cannot be put off."""


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
class Agreed:
    """What was agreed not to be told, and its end if it has one."""

    restriction: AgreedRestriction
    end: RestrictionEnd | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsRequested(Event):
    """A client asked for something about their own record."""

    name: ClassVar[str] = "rights.requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsPutOff(Event):
    """The answer to a client's request takes longer, and they were told so."""

    name: ClassVar[str] = "rights.put_off"


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


async def take_request(
    asked: AskedFor,
    client: Client,
    programme: Programme,
    *,
    as_id: RightsRequestId,
    by: Staff,
    now: datetime,
    requests: RightsRequests,
    journal: Journal,
) -> RightsRequest:
    """Take what a client asks for; its clock has run since the day on which it was received.

    `programme` is the client's own. Raises `NotPermitted`, `Invalid`, `NoSuchRight`.
    """
    by.require(Act.TAKE_RIGHTS_REQUEST, client.programme)
    faults = Faults()
    if problem := text_fault(asked.says, longest=LONGEST_TEXT):
        faults.add("says", problem)
    faults.check(when=asked.received_at > now, where="received_at", problem="must not lie in the future")
    faults.check(
        when=asked.is_self_paid and asked.kind is not RightKind.RESTRICTION,
        where="is_self_paid",
        problem="belongs to a request for a restriction alone",
    )
    _check_identity(asked.check, faults)
    if asked.about is not None:
        await _check_about(asked.about, asked.kind, client.id, requests, faults)
    asks = asked.representative
    if asks is not None and not await requests.acts_for(asks, client.id, at=asked.received_at):
        faults.add("representative_id", "must have been a legal representative on the client's list when they asked")
    faults.raise_if_any()
    received_on = programme.today(asked.received_at)
    profile = programme.rules_on(received_on)
    clock = profile.rights.clocks.of(asked.kind)
    if clock is None:
        raise NoSuchRight
    new = RightsRequest(
        id=as_id,
        client=client.id,
        programme=client.programme,
        asked=replace(asked, says=asked.says.strip()),
        received_on=received_on,
        rule=f"{profile.label}/{clock.rule}",
        due_on=clock.last_day(received_on),
        recorded_by=by.id,
        recorded_at=now,
    )
    await requests.add(new)
    journal.tell(
        RightsRequested(
            client=client.id,
            records=(as_id,),
            facts={"kind": asked.kind.value, "rule": clock.rule, "profile": profile.label},
        )
    )
    return new


async def _check_about(
    about: Entry, kind: RightKind, client: ClientId, requests: RightsRequests, faults: Faults
) -> None:
    if kind is not RightKind.AMENDMENT:
        faults.add("about", "belongs to a request for an amendment alone")
    elif not await requests.has_entry(about, client):
        faults.add("about", "must stand in the client's record, in this version")


def _check_identity(check: IdentityCheck, faults: Faults) -> None:
    """45 CFR 164.514(h), UK GDPR art. 12(6): the record of one client goes to nobody else."""
    if problem := text_fault(check.detail, longest=LONGEST_NAME):
        faults.add("check.detail", problem)
    faults.check(
        when=check.method in {CheckMethod.DOCUMENT, CheckMethod.CALL_BACK} and check.detail is None,
        where="check.detail",
        problem="say which document it was, or which number was rung and where it was on file",
    )


async def put_off(
    wanted: RightsRequestId,
    reason: str,
    told_on: date,
    *,
    programme: Programme,
    by: Staff,
    now: datetime,
    requests: RightsRequests,
    journal: Journal,
) -> RightsRequest:
    """Take longer, once and only while the first time runs, after telling the client why and by when.

    45 CFR 164.524(b)(2)(ii) and 164.526(b)(2)(ii); UK GDPR art. 12(3). Raises `Invalid`, `RightsRequestUnknown`,
    `RightsRequestAnswered`, `CannotBePutOff`.
    """
    request = await requests.hold(wanted, by=by, act=Act.ANSWER_RIGHTS_REQUEST)
    request.require_open()
    today = programme.today(now)
    clock = programme.rules_on(request.received_on).rights.clocks.of(request.asked.kind)
    until = None if clock is None else clock.longest_day(request.received_on)
    if until is None or request.put_off is not None:
        raise CannotBePutOff("Answer it by its last day.", last_day=str(request.last_day))
    if today > request.due_on:
        raise CannotBePutOff("Its last day is over: answer it now.", last_day=str(request.last_day))
    faults = Faults()
    if problem := text_fault(reason, longest=LONGEST_TEXT):
        faults.add("reason", problem)
    faults.check(
        when=not request.received_on <= told_on <= today,
        where="told_on",
        problem="must be the day, up to today, on which the client was told",
    )
    faults.raise_if_any()
    made = PutOff(until=until, reason=reason.strip(), told_on=told_on, by=by.id, at=now)
    await requests.add_put_off(wanted, made)
    journal.tell(RightsPutOff(client=request.client, records=(wanted,), facts={"kind": request.asked.kind.value}))
    return replace(request, put_off=made)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A request that nobody has answered, as it stands on a day."""

    request: RightsRequest
    days_left: int
    """Until its last day; negative from the day after it."""


async def due_requests(
    *, by: Staff, now: datetime, programmes: Sequence[Programme], requests: RightsRequests
) -> Sequence[Due]:
    """Every open request within reach, the longest overdue first; each by the clock of its own programme."""
    today = {each.id: each.today(now) for each in programmes}
    found = await requests.open_requests(by=by, act=Act.SEE_RIGHTS_REQUESTS)
    due = [Due(request=each, days_left=(each.last_day - today[each.programme]).days) for each in found]
    return sorted(due, key=lambda one: (one.days_left, one.request.id))
