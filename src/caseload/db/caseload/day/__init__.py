"""What a counsellor's day is put together from, in PostgreSQL: three short readings, whatever the clinic has grown to.

First whom they look after now, then everything about those in one statement, and what is overdue by the statement of the
overdue list itself: there is no second definition of it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of
from caseload.db.caseload.day.asked import MOST_LINES
from caseload.db.caseload.day.rows import (
    DUE_ROWS,
    ESCALATED_ROWS,
    EVERYTHING,
    EXPECTED_ROWS,
    MESSAGE_ROWS,
    NOTE_ROWS,
    OFFER_ROWS,
    SESSION_ROWS,
    TASK_ROWS,
    THEIR_ROWS,
    Expected,
    Offer,
    Session,
    Task,
)
from caseload.db.checkin.overdue import OverdueCheckIns
from caseload.domain.access import Act, may_in
from caseload.domain.caseload import day
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.domain.journal import Journal
from caseload.domain.people import Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The lines of a day in their order, and how many check-ins are overdue in all."""

    lines: Sequence[day.Line]
    overdue: int


class CounsellorDay:
    """One counsellor's day, as far as their reach goes."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def of(self, by: Staff) -> Day:
        """Everything that waits for this person now, what matters first."""
        reach = by.reach(Act.SEE_CHECK_INS)
        given = {"counsellor": by.id, **reach_of(reach, at=self._now)}
        theirs = {
            ClientId(row["id"]): day.About(
                client=ClientId(row["id"]),
                given_name=row["given_name"],
                family_name=row["family_name"],
                covering=bool(row["covering"]),
            )
            for row in await THEIR_ROWS.all(self._connection, given)
        }
        late, overdue = await self._late(by, theirs)
        everywhere = {
            **given,
            "clients": list(theirs),
            "programmes": sorted(reach.caseload_in | reach.everyone_in),
            "writes_in": _programmes(by, Act.WRITE_NOTE),
            "answers_in": _programmes(by, Act.ANSWER_HANDOVER),
        }
        found = await EVERYTHING.read(self._connection, everywhere)
        lines = [
            *late,
            *(
                day.escalated(e.id, e.ground, at=e.at, about=theirs[ClientId(e.client_id)])
                for e in ESCALATED_ROWS.of(found)
            ),
            *(
                day.due(d.id, d.rule, at=d.at, today_began=d.today_began, about=theirs[ClientId(d.client_id)])
                for d in DUE_ROWS.of(found)
            ),
            *self._meetings(SESSION_ROWS.of(found), EXPECTED_ROWS.of(found)),
            *(day.unsigned(n.id, n.title, sign_by=n.sign_by, now=self._now) for n in NOTE_ROWS.of(found)),
            *(day.offered(o.id, at=o.at, about=_asked_about(o)) for o in OFFER_ROWS.of(found)),
            *(
                day.told(m.id, m.text, m.printed_name, at=m.at, about=theirs[ClientId(m.client_id)])
                for m in MESSAGE_ROWS.of(found)
            ),
            *(_to_do(each, theirs[ClientId(each.client_id)]) for each in TASK_ROWS.of(found)),
        ]
        for line in lines:
            if line.about is not None:
                self._journal.saw(line.about.client, _KINDS[line.matter])
            for each in line.expected:
                self._journal.saw(each.client, "session")
        return Day(lines=day.in_order(lines), overdue=overdue)

    async def _late(self, by: Staff, theirs: Mapping[ClientId, day.About]) -> tuple[Sequence[day.Line], int]:
        """The overdue list of this person, and how many lines it has in all."""
        lists = OverdueCheckIns(self._connection, self._journal, now=self._now)
        reach = by.reach(Act.SEE_CHECK_INS)
        found = await lists.of_counsellor(by.id, reach=reach, after=None, limit=MOST_LINES)
        count = len(found) if len(found) < MOST_LINES else await lists.count_of_counsellor(by.id, reach=reach)
        return [
            day.late(
                one.check_in,
                one.why,
                since=one.since,
                about=theirs.get(one.client)
                or day.About(client=one.client, given_name=given_name, family_name=family_name, covering=False),
            )
            for one, given_name, family_name in found
        ], count

    def _meetings(self, sessions: Sequence[Session], expected: Sequence[Expected]) -> Sequence[day.Line]:
        there: dict[UUID, list[day.Expected]] = defaultdict(list)
        for each in expected:
            there[each.session_id].append(
                day.Expected(
                    client=ClientId(each.client_id),
                    given_name=each.given_name,
                    family_name=each.family_name,
                    arrived_at=each.arrived_at,
                )
            )
        meetings = (
            day.Meeting(
                record=each.id,
                kind=each.kind,
                title=each.title,
                starts_at=each.starts_at,
                ends_at=each.ends_at,
                leads=each.leads,
                expected=tuple(there[each.id]),
            )
            for each in sessions
        )
        return [line for each in meetings if (line := day.meeting(each, now=self._now)) is not None]


_KINDS: Final = {
    day.Matter.ESCALATION: "escalation",
    day.Matter.OVERDUE_CHECK_IN: "check_in",
    day.Matter.CHECK_IN: "check_in",
    day.Matter.OFFER: "caseload",
    day.Matter.MESSAGE: "window",
    day.Matter.CARE_TASK: "care_task",
}


def _to_do(task: Task, about: day.About) -> day.Line:
    band = day.band_of(task.at, today_began=task.today_began, today_ends=task.today_ends, week_ends=task.week_ends)
    return day.to_do(task.id, task.says, of_ladder=task.of_ladder, at=task.at, band=band, about=about)


def _asked_about(offer: Offer) -> day.About:
    return day.About(
        client=ClientId(offer.client_id),
        given_name=offer.given_name,
        family_name=offer.family_name,
        covering=False,
    )


def _programmes(by: Staff, act: Act) -> Sequence[ProgrammeId]:
    held = {each.programme for each in by.holdings if each.programme is not None}
    return sorted(each for each in held if may_in(by.holdings, act, each))
