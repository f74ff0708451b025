"""Discharge: the end of an episode, and of everything that would still wait for the client.

One function does all of it in one piece of work, so that nobody is left on a list, on a roster or at the front desk
after they have gone. What they were is kept: withdrawn, called off, taken back, never erased.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from caseload.domain.access import Act
from caseload.domain.attendance import Waits, cancel_all
from caseload.domain.caseload.episode import LONGEST_NOTE, DischargeReason, Episode, Episodes
from caseload.domain.checkin import Plans, stop_all
from caseload.domain.errors import Faults
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Discharged(Event):
    """A client was discharged."""

    name: ClassVar[str] = "episode.discharged"


async def discharge(
    episode: Episode,
    *,
    at: datetime,
    reason: DischargeReason,
    note: str | None,
    by: Staff,
    now: datetime,
    caseloads: Episodes,
    plans: Plans,
    sessions: Waits,
    journal: Journal,
) -> None:
    """Discharge a client whose medicine has ended; see `departure.ask_to_discharge` for whoever has an order in force.

    Raises `NotPermitted`, `Invalid`, `CaseloadMoved`.
    """
    by.require(Act.DISCHARGE, episode.programme)
    check_discharge(episode, at=at, note=note, now=now)
    await end_care(
        episode,
        at=at,
        reason=reason,
        note=note,
        by=by,
        now=now,
        caseloads=caseloads,
        plans=plans,
        sessions=sessions,
        journal=journal,
    )


def check_discharge(episode: Episode, *, at: datetime, note: str | None, now: datetime) -> None:
    """Raise `Invalid` with everything that cannot be a discharge of this episode."""
    faults = Faults()
    faults.check(when=at > now, where="effective_at", problem="a discharge cannot lie in the future")
    faults.check(when=at <= episode.starts_at, where="effective_at", problem="must be after the admission")
    faults.check(when=note is not None and len(note) > LONGEST_NOTE, where="note", problem="is too long")
    faults.raise_if_any()


async def end_care(
    episode: Episode,
    *,
    at: datetime,
    reason: DischargeReason,
    note: str | None,
    by: Staff,
    now: datetime,
    caseloads: Episodes,
    plans: Plans,
    sessions: Waits,
    journal: Journal,
) -> None:
    """End the episode at `at`, which may lie in the past: when it happened and when we were told are both kept.

    With it end the responsibility and the covers, every plan of check-ins, and the places in sessions that begin from
    `at` on and whose register has not been taken; what was planned for later stays readable as what it was. It follows
    from a discharge, from a prescriber's decision or from a death, which ask who may. Raises `CaseloadMoved`.
    """
    await caseloads.end_episode(episode, at=at, reason=reason, note=note, by=by.id, now=now)
    journal.tell(Discharged(client=episode.client, records=(episode.id,), facts={"reason": reason.value}))
    why = f"Discharged: {reason.value}"
    await stop_all(episode.client, reason=why, by=by, now=now, plans=plans, journal=journal)
    await cancel_all(episode.client, since=at, reason=why, by=by, now=now, sessions=sessions, journal=journal)
