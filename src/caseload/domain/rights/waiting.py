"""What clients asked for and nobody has answered: by when, and how the answer is put off once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import ClassVar

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults
from caseload.domain.family import text_fault
from caseload.domain.ids import RightsRequestId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme
from caseload.domain.rights.request import LONGEST_TEXT, PutOff, RightsRequest, RightsRequests


class CannotBePutOff(Conflict):
    """This request cannot be put off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsPutOff(Event):
    """The answer to a client's request takes longer, and they were told so."""

    name: ClassVar[str] = "rights.put_off"


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
