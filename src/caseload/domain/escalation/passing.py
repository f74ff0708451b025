"""Where an escalation goes that nobody acknowledges: to the clinician on call, then to the supervisors.

How long it waits is the profile's. Being passed on closes nothing: it stays open until a named clinician acknowledges it.
Where nobody is on call, or nobody supervises, that is kept, too, and the next in turn hears of it at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol

from caseload.domain.escalation.raising import Escalation
from caseload.domain.ids import EscalationId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.profiles import Profile


class PassedTo(StrEnum):
    """Whose turn it is, in this order."""

    ON_CALL = "on_call"
    SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """That an escalation went on to somebody."""

    escalation: EscalationId
    to: PassedTo
    staff: tuple[StaffId, ...]
    """Who that was then; nobody where there was nobody."""
    rule: str
    passed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationPassed(Event):
    """An escalation that nobody had acknowledged went on to somebody else."""

    name: ClassVar[str] = "escalation.passed"


class Recipients(Protocol):
    """Whose turn it is, and that they had it."""

    async def on_call(self, escalation: Escalation, /) -> Sequence[StaffId]:
        """Who is on call where it was raised; nobody, or one."""
        ...

    async def supervisors(self, escalation: Escalation, /) -> Sequence[StaffId]:
        """Who supervises where it was raised."""
        ...

    async def add_passing(self, passing: Passing, /) -> bool:
        """Keep it; False when it has gone there already."""
        ...


def due(escalation: Escalation, before: Sequence[Passing], rules: Profile, *, now: datetime) -> PassedTo | None:
    """To whom an open escalation goes on now; None while it is nobody's turn, or it has gone to everybody."""
    waits = rules.escalating
    gone = {each.to for each in before}
    if escalation.acknowledged is not None:
        return None
    if PassedTo.ON_CALL not in gone:
        is_due = now >= escalation.raised_at + timedelta(minutes=waits.on_call_after_minutes)
        return PassedTo.ON_CALL if is_due else None
    if PassedTo.SUPERVISOR in gone:
        return None
    nobody_heard = all(not each.staff for each in before)
    is_due = now >= escalation.raised_at + timedelta(minutes=waits.supervisor_after_minutes)
    return PassedTo.SUPERVISOR if is_due or nobody_heard else None


async def pass_on(
    escalation: Escalation,
    before: Sequence[Passing],
    rules: Profile,
    *,
    now: datetime,
    recipients: Recipients,
    journal: Journal,
) -> Sequence[Passing]:
    """Pass an open escalation on to whose turn it is by now; return where it went."""
    made: list[Passing] = []
    while (to := due(escalation, (*before, *made), rules, now=now)) is not None:
        whose = recipients.on_call if to is PassedTo.ON_CALL else recipients.supervisors
        passing = Passing(
            escalation=escalation.id,
            to=to,
            staff=tuple(await whose(escalation)),
            rule=f"{rules.escalating.rule} of {rules.label}",
            passed_at=now,
        )
        if not await recipients.add_passing(passing):
            break
        made.append(passing)
        journal.tell(
            EscalationPassed(
                client=escalation.client,
                records=(escalation.id, *passing.staff),
                facts={"to": to.value, "staff": len(passing.staff)},
            )
        )
    return made
