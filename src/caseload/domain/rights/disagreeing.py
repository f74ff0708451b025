"""What follows a denied amendment: the client's statement of disagreement, and the programme's rebuttal.

45 CFR 164.526(d)(2) and (3). Each is said once, the rebuttal only to a disagreement; neither changes the entry or the answer.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict
from caseload.domain.ids import RightsRequestId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.profiles.rights import RightKind
from caseload.domain.rights.request import Outcome, RightsRequest, RightsRequests, Side, Statement, require_says


class NothingToDisagreeWith(Conflict):
    """There is no denied amendment here, or no disagreement to reply to."""

    def __init__(self) -> None:
        super().__init__("A client disagrees with a denied amendment; the programme replies to a disagreement.")


class StatementMade(Conflict):
    """This has been said to the request already."""

    def __init__(self) -> None:
        super().__init__("Read the request for it. If the client says more, take another request for an amendment.")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementTaken(Event):
    """A client's disagreement with a denied amendment, or the reply to it, was put to the request."""

    name: ClassVar[str] = "rights.statement_taken"


class Statements(RightsRequests, Protocol):
    """The statements that are kept."""

    async def add_statement(self, request: RightsRequest, statement: Statement, /) -> None:
        """Keep it, so that whoever tells something from now on knows; `StatementMade` when there is one of this side."""
        ...


async def add_statement(
    wanted: RightsRequestId,
    side: Side,
    says: str,
    *,
    by: Staff,
    now: datetime,
    statements: Statements,
    journal: Journal,
) -> RightsRequest:
    """Put a statement to a denied amendment.

    Raises `Invalid`, `RightsRequestUnknown`, `NothingToDisagreeWith`, `StatementMade`.
    """
    request = await statements.hold(wanted, by=by, act=Act.ANSWER_RIGHTS_REQUEST)
    said = require_says(says)
    sides = {each.side for each in request.statements}
    denied = request.answer is not None and request.answer.outcome is Outcome.DENIED
    if not denied or request.asked.kind is not RightKind.AMENDMENT:
        raise NothingToDisagreeWith
    if side is Side.REBUTTAL and Side.DISAGREEMENT not in sides:
        raise NothingToDisagreeWith
    if side in sides:
        raise StatementMade
    made = Statement(side=side, says=said, by=by.id, at=now)
    await statements.add_statement(request, made)
    journal.tell(StatementTaken(client=request.client, records=(wanted,), facts={"side": side.value}))
    return replace(request, statements=(*request.statements, made))
