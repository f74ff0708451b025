"""Three missed doses are escalated by the record itself: nobody has to notice that somebody did not come.

What counts as missed is what the dose record says (`domain/dosing/missed.py`): excused days count, days of which nobody
knows do not. Each run of missed days is escalated once, and not while a clinician still has to take on another of the
same client; whoever has had a dose today is here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from caseload.domain.dosing import Due, DueTo
from caseload.domain.escalation.raising import Escalated, Escalation, Ground
from caseload.domain.ids import ClientId, EscalationId, ProgrammeId, new_id
from caseload.domain.journal import Journal
from caseload.domain.people import Staff
from caseload.domain.profiles import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Days in a row on which a client took nothing."""

    client: ClientId
    missed: tuple[date, ...]
    last_taken: date | None

    @property
    def says(self) -> str:
        """What is known of it."""
        last = "no dose was ever taken" if self.last_taken is None else f"the last dose was taken on {self.last_taken}"
        return f"{len(self.missed)} doses in a row were missed, from {self.missed[0]} on; {last}."


class MissedRuns(Protocol):
    """Which runs have been escalated."""

    async def add_missed(self, escalation: Escalation, since: date, /) -> bool:
        """Keep it, open; False when this run has been escalated, or another of the client still waits for a clinician."""
        ...


def is_long(due: Due, rules: Profile) -> bool:
    """Whether so many doses were missed in a row that a clinician must hear of it. Whoever has had one today is here."""
    was_here = any(part.given is not None for part in due.parts)
    return not was_here and len(due.without.missed) >= rules.escalating.missed_doses_from


def runs(due: Sequence[DueTo], programme: ProgrammeId) -> Sequence[Run]:
    """The runs of missed doses of clients who are at home in a programme: of each client the longest."""
    found: dict[ClientId, Run] = {}
    for each in due:
        if each.home != programme:
            continue
        last = each.due.without.last
        run = Run(client=each.client, missed=each.due.without.missed, last_taken=None if last is None else last.day)
        before = found.get(each.client)
        found[each.client] = run if before is None or len(run.missed) > len(before.missed) else before
    return list(found.values())


async def escalate_missed(
    found: Sequence[Run], programme: ProgrammeId, *, by: Staff, now: datetime, missed: MissedRuns, journal: Journal
) -> int:
    """Raise what has not been raised; return how many that were."""
    count = 0
    for run in found:
        raised = Escalation(
            id=EscalationId(new_id()),
            client=run.client,
            programme=programme,
            ground=Ground.MISSED_DOSES,
            check_in=None,
            said=run.says,
            raised_by=by.id,
            raised_at=now,
        )
        if await missed.add_missed(raised, run.missed[0]):
            journal.tell(Escalated(client=run.client, records=(raised.id,), facts={"ground": raised.ground.value}))
            count += 1
    return count
