"""A client asks the programme for something about their own record; the clock runs from the day of the receipt."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.consent import CheckMethod, IdentityCheck
from caseload.domain.errors import Conflict, Faults
from caseload.domain.family import LONGEST_NAME, text_fault
from caseload.domain.ids import ClientId, RightsRequestId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.profiles.rights import RightKind
from caseload.domain.programme import Programme
from caseload.domain.rights.entry import Entry
from caseload.domain.rights.request import AskedFor, RightsRequest, RightsRequests, check_says


class NoSuchRight(Conflict):
    """The rules of this programme's country know no such request."""

    def __init__(self) -> None:
        super().__init__("Ask the client what they want to know: the account of disclosures is there in every country.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsRequested(Event):
    """A client asked for something about their own record."""

    name: ClassVar[str] = "rights.requested"


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
    check_says(asked.says, faults)
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
