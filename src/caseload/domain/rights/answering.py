"""What comes of a client's request: granted, in part, denied on a ground that the profile knows, or withdrawn.

What is granted has been done: a copy has been released, a report of accesses too, an accounting was made for the request. An answer is given once and stays.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.consent import Category
from caseload.domain.errors import Conflict, Fault, Faults, Invalid
from caseload.domain.ids import ClientId, RightsRequestId
from caseload.domain.journal import Event, Journal
from caseload.domain.outreach import Reachable
from caseload.domain.people import Staff
from caseload.domain.profiles.rights import DenialGround, RightKind
from caseload.domain.programme import Programme
from caseload.domain.rights.amending import Amendments, check_amended, check_disputed
from caseload.domain.rights.contacting import AgreedContacts, agree, check_contact, replaced_by
from caseload.domain.rights.entry import Amended
from caseload.domain.rights.request import (
    Agreed,
    ContactAgreement,
    Outcome,
    RightsAnswer,
    RightsRequest,
    check_says,
)
from caseload.domain.rights.restricting import Restricting, Restrictions, check_restricting

GRANTS = frozenset({Outcome.GRANTED, Outcome.GRANTED_IN_PART})


class NotDoneYet(Conflict):
    """What this answer says has not been done."""


class MustBeAgreed(Conflict):
    """A rule says that this restriction is agreed to."""


class SomethingWithheld(Conflict):
    """Something was withheld, so that this request is granted in part."""

    def __init__(self) -> None:
        super().__init__("Answer that it was granted in part.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfilled:
    """What was made for a request and has left, or may leave."""

    withheld: int
    """How much of it does not leave, and it says so."""
    unsaid: int = 0
    """How much does not leave where a rule lets it be silent about that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsAnswered(Event):
    """A client's request was answered."""

    name: ClassVar[str] = "rights.answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """What the privacy officer answers."""

    outcome: Outcome
    says: str
    """What the client was told, how and where to."""
    ground: DenialGround | None = None
    restricts: Restricting | None = None
    """Of a restriction that is granted: what is not told from now on."""
    contact: Reachable | None = None
    """Of a confidential contact that is granted: how and where the client is reached from now on."""
    amended: Amended | None = None
    """Of an amendment that is granted: how it was made."""
    disputed: tuple[Category, ...] = ()
    """Of an amendment that is denied: to which kinds of information the entry belongs."""


class Answers(Restrictions, Amendments, AgreedContacts, Protocol):
    """The answers that are kept, and what they rest on."""

    async def hold_registration(self, client: ClientId, /, *, by: Staff, act: Act) -> None:
        """Let nobody close the client's registration meanwhile; `RegistrationClosed` where it is closed."""
        ...

    async def fulfilled(self, request: RightsRequest, /) -> Fulfilled | None:
        """What was released for a request of this kind since it was received; None where nothing was."""
        ...

    async def add_answer(self, request: RightsRequest, answer: RightsAnswer, answering: Answering, /) -> None:
        """Keep it, with what is restricted, agreed, amended or disputed by it; `RightsRequestAnswered` when there is one."""
        ...


async def answer_request(
    wanted: RightsRequestId,
    answering: Answering,
    *,
    programme: Programme,
    by: Staff,
    now: datetime,
    answers: Answers,
    journal: Journal,
) -> RightsRequest:
    """Answer a request.

    Raises `Invalid`, `RightsRequestUnknown`, `RightsRequestAnswered`, `MustBeAgreed`, `NotDoneYet`, `SomethingWithheld`,
    `ContactChanged`, and `RegistrationClosed` where something would be agreed to under a registration that is not used any more.
    """
    request = await answers.hold(wanted, by=by, act=Act.ANSWER_RIGHTS_REQUEST)
    request.require_open()
    rule = await _rule_of(request, answering, programme, answers)
    if answering.outcome in GRANTS:
        await _require_done(request, answering.outcome, answers)
    if answering.restricts is not None or answering.contact is not None:
        await answers.hold_registration(request.client, by=by, act=Act.ANSWER_RIGHTS_REQUEST)
    answer = RightsAnswer(
        outcome=answering.outcome,
        ground=answering.ground,
        rule=rule,
        says=answering.says.strip(),
        by=by.id,
        at=now,
    )
    await _keep(request, answer, answering, by=by, now=now, answers=answers, journal=journal)
    facts: dict[str, str | int] = {
        "kind": request.asked.kind.value,
        "outcome": answering.outcome.value,
        "late": int(request.is_overdue(programme.today(now))),
    }
    if answering.ground is not None:
        facts["ground"] = answering.ground.value
    if rule is not None:
        facts["rule"] = rule
    journal.tell(RightsAnswered(client=request.client, records=(wanted,), facts=facts))
    return _answered(request, answer, answering)


async def _keep(
    request: RightsRequest,
    answer: RightsAnswer,
    answering: Answering,
    *,
    by: Staff,
    now: datetime,
    answers: Answers,
    journal: Journal,
) -> None:
    if answering.contact is None:
        await answers.add_answer(request, answer, answering)
        return
    before = await replaced_by(request, by=by, now=now, contacts=answers)
    await answers.add_answer(request, answer, answering)
    await agree(request, answering.contact, before, by=by, now=now, contacts=answers, journal=journal)


def _answered(request: RightsRequest, answer: RightsAnswer, answering: Answering) -> RightsRequest:
    return replace(
        request,
        answer=answer,
        agreed=None if answering.restricts is None else Agreed(restriction=answering.restricts.agreed(request.id)),
        contact=None if answering.contact is None else ContactAgreement(to=answering.contact),
        amended=answering.amended,
        disputed=answering.disputed,
    )


async def _rule_of(request: RightsRequest, answering: Answering, programme: Programme, answers: Answers) -> str | None:
    """The rule by which it is denied, if it is. Raises `Invalid`."""
    faults = Faults()
    check_says(answering.says, faults)
    denied = answering.outcome is Outcome.DENIED
    profile = programme.rules_on(request.received_on)
    if denied and request.asked.is_self_paid and profile.rights.self_paid is not None:
        raise MustBeAgreed(f"{profile.rights.self_paid.says} {profile.rights.self_paid.source}.")
    faults.check(when=denied and answering.ground is None, where="ground", problem="say on which ground it is denied")
    faults.check(
        when=not denied and answering.ground is not None, where="ground", problem="belongs to what is denied alone"
    )
    denial = None if answering.ground is None else profile.rights.denies(request.asked.kind, answering.ground)
    if denied and answering.ground is not None and denial is None:
        known = [each.ground.value for each in profile.rights.denials if request.asked.kind in each.kinds]
        faults.add("ground", f"must be one that the profile knows for this: {', '.join(known) or 'there is none'}")
    await check_restricting(
        answering.restricts,
        request,
        is_granted=answering.outcome in GRANTS,
        restrictions=answers,
        faults=faults,
    )
    check_contact(answering.contact, request, is_granted=answering.outcome in GRANTS, faults=faults)
    await check_amended(
        answering.amended, request, is_granted=answering.outcome in GRANTS, amendments=answers, faults=faults
    )
    check_disputed(answering.disputed, request, is_denied=denied, faults=faults)
    faults.raise_if_any()
    return None if denial is None else f"{profile.label}/{denial.rule}"


async def _require_done(request: RightsRequest, outcome: Outcome, answers: Answers) -> None:
    if request.asked.kind not in _HAS_A_PRODUCT:
        return
    made = await answers.fulfilled(request)
    if made is None:
        raise NotDoneYet(_HAS_A_PRODUCT[request.asked.kind])
    if made.withheld and outcome is Outcome.GRANTED:
        raise SomethingWithheld
    if not made.withheld and not made.unsaid and outcome is Outcome.GRANTED_IN_PART:
        raise Invalid(Fault("outcome", "must be that it was granted: nothing was withheld"))


_HAS_A_PRODUCT = {
    RightKind.ACCOUNTING: "Make the accounting for this request first: the client is given what was made for it.",
    RightKind.RECORD_COPY: "Prepare a copy for this request, look through it and release it first.",
    RightKind.ACCESS_REPORT: "Prepare the report of accesses, look through it and release it first.",
}
