"""What a counsellor's day is put together from, in PostgreSQL: three short readings, whatever the clinic has grown to.

First whom they look after now, then everything about those in one statement, and what is overdue by the statement of the
overdue list itself: there is no second definition of it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, INTERVAL
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.checkin.overdue import OverdueCheckIns, is_overdue
from caseload.db.direct import Direct
from caseload.db.periods import running
from caseload.db.tables.appointment import arrival
from caseload.db.tables.attendance import (
    therapy_session,
    therapy_session_booking,
    therapy_session_cancellation,
    therapy_session_current,
    therapy_session_facilitator,
    therapy_session_moved,
)
from caseload.db.tables.base import INSTANT
from caseload.db.tables.care_task import care_task, care_task_open
from caseload.db.tables.caseload import client, client_identity, cover, responsibility
from caseload.db.tables.caseload_acts import handover_offer
from caseload.db.tables.checkin import check_in_waiting
from caseload.db.tables.escalation import escalation, escalation_open
from caseload.db.tables.note import session_note, session_note_current
from caseload.db.tables.people import staff
from caseload.db.tables.programme import programme
from caseload.db.tables.window import window_message, window_message_cleared
from caseload.db.together import Together, rows
from caseload.domain.access import Act, may_in
from caseload.domain.attendance import SessionKind
from caseload.domain.caseload import day
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.domain.journal import Journal
from caseload.domain.note import NoteStanding
from caseload.domain.people import Staff
from caseload.domain.window import Place

MOST_LINES: Final = 200
"""Overdue check-ins, drafts and offers that one day shows; how many are overdue in all is counted."""

_NOW: Final = bindparam("reach_at", type_=INSTANT)
_ME: Final = bindparam("counsellor", type_=Uuid())
_CLIENTS: Final = any_(bindparam("clients", type_=ARRAY(Uuid())))
_PROGRAMMES: Final = any_(bindparam("programmes", type_=ARRAY(Uuid())))
_A_DAY: Final = literal_column("interval '1 day'", INTERVAL())
_A_WEEK: Final = literal_column("interval '7 days'", INTERVAL())
_A_WEEK_AGO: Final = literal_column("interval '-7 days'", INTERVAL())
_TWO_DAYS: Final = literal_column("interval '2 days'", INTERVAL())


def _midnight(zone: ColumnElement[str], later: ColumnElement[Any] | None = None) -> ColumnElement[datetime]:
    """When the local day began, or so much later by the calendar; earlier where that is negative."""
    began = func.date_trunc(literal_column("'day'"), func.timezone(zone, _NOW))
    return func.timezone(zone, began if later is None else began + later, type_=INSTANT)


_newest = (
    select(client_identity.c.given_name, client_identity.c.family_name)
    .where(client_identity.c.client_id == client.c.id)
    .order_by(client_identity.c.version.desc())
    .limit(literal_column("1"))
    .lateral("identity")
)
_ours = (
    select(responsibility.c.client_id, literal_column("0", Integer()).label("covering"))
    .where(responsibility.c.counsellor_id == _ME, running(responsibility.c.period, _NOW))
    .union_all(
        select(cover.c.client_id, literal_column("1", Integer())).where(
            cover.c.counsellor_id == _ME, cover.c.period.op("@>")(_NOW)
        )
    )
    .subquery("ours")
)
_looked_after = (
    select(_ours.c.client_id, func.min(_ours.c.covering).label("covering"))
    .group_by(_ours.c.client_id)
    .cte("looked_after")
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
THEIRS: Final = (
    select(client.c.id, _newest.c.given_name, _newest.c.family_name, _looked_after.c.covering)
    .select_from(_looked_after.join(client, client.c.id == _looked_after.c.client_id).join(_newest, true()))
    .where(within_reach())
)

ESCALATED: Final = (
    select(escalation.c.id, escalation.c.client_id, escalation.c.ground, escalation.c.recorded_at.label("at"))
    .select_from(escalation_open.join(escalation, escalation.c.id == escalation_open.c.escalation_id))
    .where(escalation.c.client_id == _CLIENTS)
)
_zone: Final = check_in_waiting.c.time_zone
DUE: Final = select(
    check_in_waiting.c.check_in_id.label("id"),
    check_in_waiting.c.client_id,
    check_in_waiting.c.rule,
    check_in_waiting.c.due_at.label("at"),
    _midnight(_zone).label("today_began"),
).where(
    check_in_waiting.c.client_id == _CLIENTS,
    ~is_overdue(check_in_waiting),
    # A day ends within two days of every moment of it, which leaves out most of what is to come before its zone is
    # asked; in a form that no index is searched by, or everything of the clinic until then would be.
    check_in_waiting.c.due_at - _TWO_DAYS < _NOW,
    check_in_waiting.c.due_at < _midnight(_zone, _A_DAY),
)

_leads = exists().where(
    therapy_session_facilitator.c.session_id == therapy_session.c.id, therapy_session_facilitator.c.staff_id == _ME
)


def _stands(booking: FromClause) -> ColumnElement[bool]:
    """A place in the session that has not been called off."""
    return and_(
        booking.c.session_id == therapy_session.c.id,
        ~exists().where(
            therapy_session_cancellation.c.session_id == booking.c.session_id,
            therapy_session_cancellation.c.client_id == booking.c.client_id,
        ),
    )


_theirs_there = therapy_session_booking.alias("theirs_there")
_OF_TODAY: Final = (
    programme.join(
        therapy_session,
        and_(
            therapy_session.c.programme_id == programme.c.id,
            therapy_session.c.starts_at >= _midnight(programme.c.time_zone, _A_WEEK_AGO),
            therapy_session.c.starts_at < _midnight(programme.c.time_zone, _A_DAY),
        ),
    )
    .join(therapy_session_current, therapy_session_current.c.session_id == therapy_session.c.id)
    .outerjoin(therapy_session_moved, therapy_session_moved.c.session_id == therapy_session.c.id)
)
_of_today = and_(
    programme.c.id == _PROGRAMMES,
    therapy_session_current.c.register_version == literal_column("0"),
    therapy_session_moved.c.session_id.is_(None),
    or_(
        _leads,
        and_(
            therapy_session.c.ends_at > _NOW,
            exists().where(_stands(_theirs_there), _theirs_there.c.client_id == _CLIENTS),
        ),
    ),
)
SESSIONS: Final = (
    select(
        therapy_session.c.id,
        therapy_session.c.kind,
        therapy_session.c.title,
        therapy_session.c.starts_at,
        therapy_session.c.ends_at,
        _leads.label("leads"),
    )
    .select_from(_OF_TODAY)
    .where(_of_today)
)
_last = (
    select(arrival.c.arrived_at)
    .where(
        arrival.c.appointment_id == therapy_session_booking.c.session_id,
        arrival.c.client_id == therapy_session_booking.c.client_id,
    )
    .order_by(arrival.c.version.desc())
    .limit(literal_column("1"))
    .lateral("last")
)
EXPECTED: Final = (
    select(
        therapy_session_booking.c.session_id,
        therapy_session_booking.c.client_id,
        _newest.c.given_name,
        _newest.c.family_name,
        _last.c.arrived_at,
    )
    .select_from(
        _OF_TODAY.join(therapy_session_booking, therapy_session_booking.c.session_id == therapy_session.c.id)
        .join(client, client.c.id == therapy_session_booking.c.client_id)
        .join(_newest, true())
        .outerjoin(_last, true())
    )
    .where(_of_today, _stands(therapy_session_booking), or_(_leads, therapy_session_booking.c.client_id == _CLIENTS))
    .order_by(_newest.c.family_name, _newest.c.given_name, therapy_session_booking.c.client_id)
)
NOTES: Final = (
    select(session_note_current.c.note_id.label("id"), therapy_session.c.title, session_note_current.c.sign_by)
    .select_from(
        session_note_current.join(session_note, session_note.c.id == session_note_current.c.note_id).join(
            therapy_session, therapy_session.c.id == session_note.c.session_id
        )
    )
    .where(
        session_note_current.c.author_id == _ME,
        session_note_current.c.standing == literal_column(f"'{NoteStanding.DRAFT.value}'"),
        session_note_current.c.programme_id == any_(bindparam("writes_in", type_=ARRAY(Uuid()))),
    )
    .order_by(session_note_current.c.sign_by, session_note_current.c.note_id)
    .limit(literal_column(str(MOST_LINES)))
)
_offered_name = (
    select(client_identity.c.given_name, client_identity.c.family_name)
    .where(client_identity.c.client_id == handover_offer.c.client_id)
    .order_by(client_identity.c.version.desc())
    .limit(literal_column("1"))
    .lateral("offered_identity")
)
OFFERS: Final = (
    select(handover_offer.c.id, handover_offer.c.client_id, handover_offer.c.recorded_at.label("at"), *_offered_name.c)
    .select_from(handover_offer.join(_offered_name, true()))
    .where(
        handover_offer.c.to_id == _ME,
        handover_offer.c.answer.is_(None),
        handover_offer.c.programme_id == any_(bindparam("answers_in", type_=ARRAY(Uuid()))),
    )
    .order_by(handover_offer.c.id)
    .limit(literal_column(str(MOST_LINES)))
)


TASKS: Final = (
    select(
        care_task.c.id,
        care_task.c.client_id,
        care_task.c.says,
        care_task.c.check_in_id.is_not(None).label("of_ladder"),
        care_task.c.due_at.label("at"),
        _midnight(programme.c.time_zone).label("today_began"),
        _midnight(programme.c.time_zone, _A_DAY).label("today_ends"),
        _midnight(programme.c.time_zone, _A_WEEK).label("week_ends"),
    )
    .select_from(
        care_task_open.join(care_task, care_task.c.id == care_task_open.c.task_id)
        .join(programme, programme.c.id == care_task.c.programme_id)
        .outerjoin(
            check_in_waiting,
            and_(
                check_in_waiting.c.check_in_id == care_task.c.check_in_id,
                check_in_waiting.c.grace_ends_at == care_task.c.overdue_since,
            ),
        )
    )
    .where(
        care_task_open.c.client_id == _CLIENTS,
        or_(care_task.c.check_in_id.is_(None), check_in_waiting.c.check_in_id.is_not(None)),
    )
    .order_by(care_task_open.c.due_at, care_task_open.c.task_id)
    .limit(literal_column(str(MOST_LINES)))
)


MESSAGES: Final = (
    select(
        window_message.c.id,
        window_message.c.client_id,
        window_message.c.text,
        staff.c.printed_name,
        window_message.c.left_at.label("at"),
    )
    .select_from(window_message.join(staff, staff.c.id == window_message.c.left_by))
    .where(
        window_message.c.client_id == _CLIENTS,
        literal_column(f"'{Place.COUNSELLOR.value}'", Text()) == any_(window_message.c.places),
        ~exists().where(window_message_cleared.c.message_id == window_message.c.id),
    )
    .order_by(window_message.c.id)
    .limit(literal_column(str(MOST_LINES)))
)


class _Escalated(msgspec.Struct):
    id: UUID
    client_id: UUID
    ground: str
    at: datetime


class _Due(msgspec.Struct):
    id: UUID
    client_id: UUID
    rule: str
    at: datetime
    today_began: datetime


class _Session(msgspec.Struct):
    id: UUID
    kind: SessionKind
    title: str
    starts_at: datetime
    ends_at: datetime
    leads: bool


class _Expected(msgspec.Struct):
    session_id: UUID
    client_id: UUID
    given_name: str
    family_name: str
    arrived_at: datetime | None


class _Note(msgspec.Struct):
    id: UUID
    title: str
    sign_by: datetime


class _Offer(msgspec.Struct):
    id: UUID
    client_id: UUID
    at: datetime
    given_name: str
    family_name: str


class _Task(msgspec.Struct):
    id: UUID
    client_id: UUID
    says: str
    of_ladder: bool
    at: datetime
    today_began: datetime
    today_ends: datetime
    week_ends: datetime


class _Message(msgspec.Struct):
    id: UUID
    client_id: UUID
    text: str
    printed_name: str
    at: datetime


_ESCALATED = rows("escalated", ESCALATED, _Escalated)
_DUE = rows("due", DUE, _Due)
_SESSIONS = rows("sessions", SESSIONS, _Session)
_EXPECTED = rows("expected", EXPECTED, _Expected)
_NOTES = rows("notes", NOTES, _Note)
_OFFERS = rows("offers", OFFERS, _Offer)
_TASKS = rows("tasks", TASKS, _Task)
_MESSAGES = rows("messages", MESSAGES, _Message)
_DAY: Final = Together(_ESCALATED, _DUE, _SESSIONS, _EXPECTED, _NOTES, _OFFERS, _TASKS, _MESSAGES)
_THEIRS: Final = Direct(THEIRS, anywhere=True)


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
            for row in await _THEIRS.all(self._connection, given)
        }
        late, overdue = await self._late(by, theirs)
        everywhere = {
            **given,
            "clients": list(theirs),
            "programmes": sorted(reach.caseload_in | reach.everyone_in),
            "writes_in": _programmes(by, Act.WRITE_NOTE),
            "answers_in": _programmes(by, Act.ANSWER_HANDOVER),
        }
        found = await _DAY.read(self._connection, everywhere)
        lines = [
            *late,
            *(
                day.escalated(e.id, e.ground, at=e.at, about=theirs[ClientId(e.client_id)])
                for e in _ESCALATED.of(found)
            ),
            *(
                day.due(d.id, d.rule, at=d.at, today_began=d.today_began, about=theirs[ClientId(d.client_id)])
                for d in _DUE.of(found)
            ),
            *self._meetings(_SESSIONS.of(found), _EXPECTED.of(found)),
            *(day.unsigned(n.id, n.title, sign_by=n.sign_by, now=self._now) for n in _NOTES.of(found)),
            *(day.offered(o.id, at=o.at, about=_asked_about(o)) for o in _OFFERS.of(found)),
            *(
                day.told(m.id, m.text, m.printed_name, at=m.at, about=theirs[ClientId(m.client_id)])
                for m in _MESSAGES.of(found)
            ),
            *(_to_do(each, theirs[ClientId(each.client_id)]) for each in _TASKS.of(found)),
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

    def _meetings(self, sessions: Sequence[_Session], expected: Sequence[_Expected]) -> Sequence[day.Line]:
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


def _to_do(task: _Task, about: day.About) -> day.Line:
    band = day.band_of(task.at, today_began=task.today_began, today_ends=task.today_ends, week_ends=task.week_ends)
    return day.to_do(task.id, task.says, of_ladder=task.of_ladder, at=task.at, band=band, about=about)


def _asked_about(offer: _Offer) -> day.About:
    return day.About(
        client=ClientId(offer.client_id),
        given_name=offer.given_name,
        family_name=offer.family_name,
        covering=False,
    )


def _programmes(by: Staff, act: Act) -> Sequence[ProgrammeId]:
    held = {each.programme for each in by.holdings if each.programme is not None}
    return sorted(each for each in held if may_in(by.holdings, act, each))
