"""What came of a request for an amendment: the entry that was put right, or the kinds of information in which it stays disputed.

45 CFR 164.526(c)(1): an amendment that is accepted is made by identifying the entry and linking it to the amendment.
164.526(d)(4) and (5): what is disputed is named when the request is denied, so that whatever is told of it later carries the
dispute along (`domain/disclosure/disputes.py`).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.consent import CONSENTABLE, Category
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import RightsRequestId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.profiles.rights import RightKind
from caseload.domain.rights.entry import CATEGORY_OF, Amended, AmendedHow
from caseload.domain.rights.request import AskedAlong, RightsRequest, RightsRequests, require_says


class NothingDisputed(Conflict):
    """No amendment was denied here."""

    def __init__(self) -> None:
        super().__init__("Read the client's requests for an amendment that was denied with what it disputes.")


class AlreadyAskedAlong(Conflict):
    """It has been recorded that this request and its denial go along."""

    def __init__(self) -> None:
        super().__init__("Nothing needs to be done: every disclosure of what is disputed carries them.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedToGoAlong(Event):
    """A client asked that a request and its denial go with what is told of the entry."""

    name: ClassVar[str] = "rights.asked_along"


class Amendments(RightsRequests, Protocol):
    """What came of requests for amendments, as it is kept."""

    async def add_asked_along(self, request: RightsRequest, asked: AskedAlong, /) -> None:
        """Keep it, so that whoever tells something from now on knows; `AlreadyAskedAlong` when there is one."""
        ...


async def check_amended(
    amended: Amended | None, request: RightsRequest, *, is_granted: bool, amendments: Amendments, faults: Faults
) -> None:
    """An amendment that is granted says how it was made, and nothing else does."""
    belongs = is_granted and request.asked.kind is RightKind.AMENDMENT
    if amended is None:
        faults.check(
            when=belongs, where="amended", problem="say which entry put it right, or that the words were added"
        )
        return
    if not belongs:
        faults.add("amended", "belongs to an amendment that is granted")
        return
    if amended.how is AmendedHow.STATEMENT_ADDED:
        faults.check(
            when=amended.entry is not None, where="amended.entry", problem="belongs to what was corrected alone"
        )
        return
    if amended.entry is None:
        faults.add("amended.entry", "say which entry put it right: its kind, identifier and version")
    elif not await amendments.has_entry(amended.entry, request.client):
        faults.add("amended.entry", "must stand in the client's record, in this version")
    elif request.asked.about is not None and not amended.entry.follows(request.asked.about):
        faults.add("amended.entry", "must be a later version than the one that the client wanted put right")


def check_disputed(disputed: tuple[Category, ...], request: RightsRequest, *, is_denied: bool, faults: Faults) -> None:
    """A denied amendment says in which kinds of information the entry stays disputed, and nothing else does."""
    if not is_denied or request.asked.kind is not RightKind.AMENDMENT:
        faults.check(when=bool(disputed), where="disputed", problem="belongs to an amendment that is denied")
        return
    faults.check(
        when=not disputed or not CONSENTABLE.issuperset(disputed),
        where="disputed",
        problem="say to which kinds of information that can be disclosed the entry belongs",
    )
    about = request.asked.about
    category = None if about is None else CATEGORY_OF.get(about.kind)
    faults.check(
        when=bool(disputed) and category is not None and category not in disputed,
        where="disputed",
        problem=f"must name {category}: the entry is disclosed as that",
    )


async def ask_along(
    wanted: RightsRequestId, says: str, *, by: Staff, now: datetime, amendments: Amendments, journal: Journal
) -> RightsRequest:
    """Record that a client asks that their request and its denial go along, without a statement (45 CFR 164.526(d)(1)(iii)).

    Raises `Invalid`, `RightsRequestUnknown`, `NothingDisputed`, `AlreadyAskedAlong`.
    """
    request = await amendments.hold(wanted, by=by, act=Act.ANSWER_RIGHTS_REQUEST)
    said = require_says(says)
    if not request.disputed:
        raise NothingDisputed
    if request.asked_along is not None:
        raise AlreadyAskedAlong
    asked = AskedAlong(says=said, by=by.id, at=now)
    await amendments.add_asked_along(request, asked)
    journal.tell(AskedToGoAlong(client=request.client, records=(wanted,)))
    return replace(request, asked_along=asked)
