"""A restriction that is agreed to: what is not told, to whom, for what; and its end, which the client asks for or agrees to.

45 CFR 164.522(a)(1)(iii) and (2). The one decision on disclosures obeys it (`domain/consent/disclosure.py`); an emergency release and
what a law asks for do not wait for it. That a programme ends it by itself frees only what comes into the record after the client was told
((2)(iii)), of kinds whose entries belong to a day: what is told then says from when on it is (`since`).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.consent import CONSENTABLE, AgreedRestriction, Category, Purpose, Recipient
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ClientId, RelatedPersonId, RightsRequestId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.profiles.rights import RightKind
from caseload.domain.programme import Programme
from caseload.domain.rights.request import (
    Agreed,
    EndedHow,
    RestrictionEnd,
    RightsRequest,
    RightsRequests,
    Termination,
    check_says,
    require_says,
)


class NothingRestricted(Conflict):
    """No restriction was agreed to here."""

    def __init__(self) -> None:
        super().__init__("Read the client's requests for those that were granted.")


class RestrictionOver(Conflict):
    """This restriction is over."""

    def __init__(self) -> None:
        super().__init__("Read the request for how it ended. If the client asks again, take another request.")


class RestrictionTerminated(Conflict):
    """The programme has ended this restriction already."""

    def __init__(self) -> None:
        super().__init__("Read the request for when the client was told.")


class RestrictionStands(Conflict):
    """This restriction stands until the client gives it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedRestrictionTerminated(Event):
    """A programme ended what it had agreed with a client, for what comes into the record afterwards."""

    name: ClassVar[str] = "rights.restriction_terminated"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedRestrictionEnded(Event):
    """A restriction that was agreed with a client is over."""

    name: ClassVar[str] = "rights.restriction_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restricting:
    """What the programme agrees not to tell."""

    categories: tuple[Category, ...]
    recipient: Recipient | None = None
    """Whom it is not told to; nobody when left out."""
    purposes: tuple[Purpose, ...] = ()
    """For what it is not told; for nothing when left out."""

    def agreed(self, request: RightsRequestId) -> AgreedRestriction:
        """As the decision obeys it."""
        return AgreedRestriction(
            request=request,
            recipient=self.recipient,
            categories=frozenset(self.categories),
            purposes=frozenset(self.purposes),
        )


class Restrictions(RightsRequests, Protocol):
    """The restrictions that are kept."""

    async def is_listed(self, person: RelatedPersonId, client: ClientId, /) -> bool:
        """Whether somebody stands on the client's list of people."""
        ...

    async def end_restriction(self, request: RightsRequest, end: RestrictionEnd, /) -> None:
        """Keep that it is over, so that what is decided from now on knows; `RestrictionOver` when it was."""
        ...

    async def terminate_restriction(self, request: RightsRequest, termination: Termination, /) -> None:
        """Keep that the programme ended it, so that what is decided from now on knows; `RestrictionTerminated` when it had."""
        ...


async def check_restricting(
    restricting: Restricting | None,
    request: RightsRequest,
    *,
    is_granted: bool,
    restrictions: Restrictions,
    faults: Faults,
) -> None:
    """A restriction that is granted says what it restricts, and nothing else does."""
    belongs = is_granted and request.asked.kind is RightKind.RESTRICTION
    if restricting is None:
        faults.check(when=belongs, where="restricts", problem="say what is not told from now on, by category")
        return
    if not belongs:
        faults.add("restricts", "belongs to a restriction that is granted")
        return
    faults.check(
        when=not restricting.categories or not CONSENTABLE.issuperset(restricting.categories),
        where="restricts.categories",
        problem="must name kinds of information that a consent can cover",
    )
    recipient = restricting.recipient
    if recipient is None:
        return
    if problem := recipient.problem():
        faults.add("restricts.recipient", problem)
    elif recipient.person is not None and not await restrictions.is_listed(recipient.person, request.client):
        faults.add("restricts.recipient.person_id", "must be on the client's list of people")


async def end_restriction(
    wanted: RightsRequestId,
    how: EndedHow,
    says: str,
    *,
    by: Staff,
    now: datetime,
    restrictions: Restrictions,
    journal: Journal,
) -> RightsRequest:
    """Record that a client gives up what was agreed. Raises `Invalid`, `NothingRestricted`, `RestrictionOver`."""
    request = await restrictions.hold(wanted, by=by, act=Act.ANSWER_RIGHTS_REQUEST)
    said = require_says(says)
    agreed = _standing(request)
    end = RestrictionEnd(how=how, says=said, by=by.id, at=now)
    await restrictions.end_restriction(request, end)
    journal.tell(AgreedRestrictionEnded(client=request.client, records=(wanted,), facts={"how": how.value}))
    return replace(request, agreed=replace(agreed, end=end))


async def terminate_restriction(
    wanted: RightsRequestId,
    told_at: datetime,
    says: str,
    *,
    programme: Programme,
    by: Staff,
    now: datetime,
    restrictions: Restrictions,
    journal: Journal,
) -> RightsRequest:
    """Record that the programme told a client that it ends what it agreed to.

    What came into the record until then stays restricted. Only where the profile of the day on which the client was told knows
    such an end, and never for what was paid for in full (45 CFR 164.522(a)(2)(iii)(A)). Raises `Invalid`, `RightsRequestUnknown`,
    `NothingRestricted`, `RestrictionOver`, `RestrictionTerminated`, `RestrictionStands`.
    """
    request = await restrictions.hold(wanted, by=by, act=Act.ANSWER_RIGHTS_REQUEST)
    agreed = _standing(request)
    if agreed.termination is not None:
        raise RestrictionTerminated
    profile = programme.rules_on(programme.today(told_at))
    rule = profile.rights.termination
    if rule is None or request.asked.is_self_paid:
        raise RestrictionStands("Ask the client whether they give it up, and record that they do.", rule=profile.label)
    faults = Faults()
    check_says(says, faults)
    answered_at = now if request.answer is None else request.answer.at
    faults.check(
        when=not answered_at <= told_at <= now,
        where="told_at",
        problem="must be when the client was told, after it was agreed to and not in the future",
    )
    faults.raise_if_any()
    rules = f"{profile.label}/{rule.rule}"
    termination = Termination(told_at=told_at, says=says.strip(), rule=rules, by=by.id, at=now)
    await restrictions.terminate_restriction(request, termination)
    journal.tell(AgreedRestrictionTerminated(client=request.client, records=(wanted,), facts={"rule": rules}))
    bounded = replace(agreed, termination=termination, restriction=replace(agreed.restriction, until=told_at))
    return replace(request, agreed=bounded)


def _standing(request: RightsRequest) -> Agreed:
    """What was agreed and is not over."""
    if request.agreed is None:
        raise NothingRestricted
    if request.agreed.end is not None:
        raise RestrictionOver
    return request.agreed
