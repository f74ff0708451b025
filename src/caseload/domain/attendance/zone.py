"""Sessions of a programme that moved to another time zone: from the next day on at the same wall clock in the new one."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from caseload.domain.attendance.planning import claims_for
from caseload.domain.attendance.series import SeriesOfSessions, take_its_place
from caseload.domain.attendance.session import Session
from caseload.domain.ids import TherapySessionId, new_id
from caseload.domain.journal import Journal
from caseload.domain.people import Staff
from caseload.domain.zones import same_wall_clock, zone_then


async def follow_zone(
    session: Session, zone: ZoneInfo, *, by: Staff, now: datetime, sessions: SeriesOfSessions, journal: Journal
) -> Session:
    """Let a held session be moved to when the clocks show what they would have shown, with everybody of it.

    Each keeps its length. One that clashes there with another is moved all the same: the programme has moved, and somebody
    who looks at the day sees both.
    """
    planned_in = zone_then(zone, session.planned_at)
    starts_at = same_wall_clock(session.wanted.starts_at, planned_in, zone)
    length = session.wanted.ends_at - session.wanted.starts_at
    wanted = replace(session.wanted, starts_at=starts_at, ends_at=starts_at + length)
    clashes = await sessions.clashes(claims_for(replace(session, wanted=wanted)), besides=session.id)
    return await take_its_place(
        session,
        wanted,
        f"The programme moved to the time zone {zone.key}.",
        as_id=TherapySessionId(new_id()),
        clashes_agreed=bool(clashes),
        by=by,
        now=now,
        sessions=sessions,
        journal=journal,
    )
