"""What is counted for the dashboard of a programme, a statement for each thing that waits or is going on."""

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal_column,
    select,
    true,
)

from caseload.db.checkin.overdue import is_overdue
from caseload.db.tables.appointment import arrival
from caseload.db.tables.attendance import (
    therapy_session,
    therapy_session_booking,
    therapy_session_cancellation,
    therapy_session_current,
    therapy_session_line,
    therapy_session_moved,
    therapy_session_register,
)
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, episode, episode_phase, level_of_care
from caseload.db.tables.caseload_acts import handover_offer
from caseload.db.tables.checkin import check_in_waiting
from caseload.db.tables.departure import discharge_answer, discharge_asked
from caseload.db.tables.escalation import escalation_open
from caseload.db.tables.note import session_note_current
from caseload.db.tables.second_look import dose_waiting
from caseload.domain.attendance.register import WAS_THERE
from caseload.domain.attendance.session import NEVER_BILLABLE
from caseload.domain.note import NoteStanding

_NOW: Final = bindparam("reach_at", type_=INSTANT)
_HERE: Final = bindparam("programme", type_=Uuid())
_TODAY: Final = bindparam("today", type_=Date())
_DAY_BEGINS, _DAY_ENDS = bindparam("day_begins", type_=INSTANT), bindparam("day_ends", type_=INSTANT)
_WEEK_BEGINS, _WEEK_ENDS = bindparam("week_begins", type_=INSTANT), bindparam("week_ends", type_=INSTANT)
_FIRST, _LAST = bindparam("week_first", type_=Date()), bindparam("week_last", type_=Date())


def _level_on(day: Any, of: ColumnElement[Any], name: str, *also: ColumnElement[bool]) -> Any:
    """The level of care of an episode that is in force on a day."""
    return (
        select(level_of_care.c.edition, level_of_care.c.level, level_of_care.c.from_on)
        .where(level_of_care.c.episode_id == of, level_of_care.c.from_on <= day, *also)
        .order_by(level_of_care.c.from_on.desc())
        .limit(literal_column("1"))
        .lateral(name)
    )


_today_level = _level_on(_TODAY, episode.c.id, "today_level")
_cared_for = (
    select(client.c.id.label("client_id"), episode.c.id.label("episode_id"), *_today_level.c)
    .select_from(client.join(episode, episode.c.client_id == client.c.id).outerjoin(_today_level, true()))
    .where(client.c.programme_id == _HERE, func.upper_inf(episode.c.period))
    .cte("cared_for")
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
"""The clients in care, their open episodes and their level of care today, once for everything that is counted of them."""

LEVELS: Final = (
    select(_cared_for.c.edition, _cared_for.c.level, func.count().label("clients"))
    .where(_cared_for.c.level.is_not(None))
    .group_by(_cared_for.c.edition, _cared_for.c.level)
    .order_by(_cared_for.c.edition, _cared_for.c.level)
)
_phase = (
    select(episode_phase.c.phase)
    .where(episode_phase.c.episode_id == _cared_for.c.episode_id, episode_phase.c.from_on <= _TODAY)
    .order_by(episode_phase.c.from_on.desc())
    .limit(literal_column("1"))
    .lateral("in_phase")
)
PHASES: Final = (
    select(_phase.c.phase, func.count().label("clients"))
    .select_from(_cared_for.outerjoin(_phase, true()))
    .group_by(_phase.c.phase)
    .order_by(_phase.c.phase)
)
KNOWN: Final = select(
    select(func.count()).where(client.c.programme_id == _HERE).scalar_subquery().label("clients"),
    select(func.count()).select_from(_cared_for).scalar_subquery().label("in_care"),
)
_minutes = (
    select(therapy_session_line.c.client_id, func.sum(therapy_session_line.c.minutes).label("minutes"))
    .select_from(
        therapy_session_register.join(
            therapy_session_current,
            and_(
                therapy_session_current.c.session_id == therapy_session_register.c.session_id,
                therapy_session_current.c.register_version == therapy_session_register.c.version,
            ),
        )
        .join(therapy_session, therapy_session.c.id == therapy_session_register.c.session_id)
        .join(
            therapy_session_line,
            and_(
                therapy_session_line.c.session_id == therapy_session_register.c.session_id,
                therapy_session_line.c.version == therapy_session_register.c.version,
            ),
        )
        .join(_cared_for, _cared_for.c.client_id == therapy_session_line.c.client_id)
    )
    .where(
        therapy_session_register.c.started_at >= _WEEK_BEGINS,
        therapy_session_register.c.started_at < _WEEK_ENDS,
        therapy_session_line.c.status.in_([literal_column(f"'{each.value}'") for each in sorted(WAS_THERE)]),
        therapy_session.c.kind.not_in([literal_column(f"'{each.value}'") for each in sorted(NEVER_BILLABLE)]),
    )
    .group_by(therapy_session_line.c.client_id)
    .cte("attended")
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
_moved_since = _cared_for.c.from_on > _LAST
_earlier = _level_on(_LAST, _cared_for.c.episode_id, "earlier_level", _moved_since)
"""Looked for only where today's level is a newer one."""


def _in_week(name: str) -> ColumnElement[Any]:
    return case((_moved_since, _earlier.c[name]), else_=_cared_for.c[name])


_edition, _level = _in_week("edition").label("edition"), _in_week("level").label("level")
_whole = func.coalesce(_in_week("from_on") <= _FIRST, false()).label("whole")
_sum = func.coalesce(_minutes.c.minutes, literal_column("0")).label("minutes")
ATTENDED: Final = (
    select(_edition, _level, _whole, _sum, func.count().label("clients"))
    # Whoever was admitted since was at no level then, and is counted as not having had the whole week.
    .select_from(
        _cared_for.outerjoin(_earlier, true()).outerjoin(_minutes, _minutes.c.client_id == _cared_for.c.client_id)
    )
    .group_by(_edition, _level, _whole, _sum)
)
_of_today = and_(
    therapy_session.c.programme_id == _HERE,
    therapy_session.c.starts_at >= _DAY_BEGINS,
    therapy_session.c.starts_at < _DAY_ENDS,
    ~exists().where(therapy_session_moved.c.session_id == therapy_session.c.id),
)
_places = (
    select(
        therapy_session_booking.c.client_id,
        select(arrival.c.arrived_at)
        .where(
            arrival.c.appointment_id == therapy_session_booking.c.session_id,
            arrival.c.client_id == therapy_session_booking.c.client_id,
        )
        .order_by(arrival.c.version.desc())
        .limit(literal_column("1"))
        .scalar_subquery()
        .label("arrived_at"),
    )
    .select_from(
        therapy_session.join(therapy_session_booking, therapy_session_booking.c.session_id == therapy_session.c.id)
    )
    .where(
        _of_today,
        ~exists().where(
            therapy_session_cancellation.c.session_id == therapy_session_booking.c.session_id,
            therapy_session_cancellation.c.client_id == therapy_session_booking.c.client_id,
        ),
    )
    .subquery("places")
)
_arrivals = (
    select(func.count().label("expected"), func.count(_places.c.arrived_at).label("arrived"))
    .select_from(_places)
    .subquery("arrivals")
)
DAY: Final = select(
    select(func.count())
    .where(
        check_in_waiting.c.programme_id == _HERE,
        check_in_waiting.c.due_at >= _DAY_BEGINS,
        check_in_waiting.c.due_at < _DAY_ENDS,
        ~is_overdue(check_in_waiting),
    )
    .scalar_subquery()
    .label("check_ins"),
    select(func.count()).select_from(therapy_session).where(_of_today).scalar_subquery().label("sessions"),
    *_arrivals.c,
)


def _notes(standing: NoteStanding) -> Select[Any]:
    return select(func.count()).where(
        session_note_current.c.programme_id == _HERE,
        session_note_current.c.standing == literal_column(f"'{standing.value}'"),
    )


_DRAFTS = _notes(NoteStanding.DRAFT)
_DOSES = select(func.count()).where(dose_waiting.c.programme_id == _HERE)
UNSIGNED: Final = select(
    _DRAFTS.scalar_subquery().label("notes"),
    _DRAFTS.where(session_note_current.c.sign_by < _NOW).scalar_subquery().label("notes_late"),
    _notes(NoteStanding.WAITS).scalar_subquery().label("notes_to_co_sign"),
    _DOSES.scalar_subquery().label("doses"),
    _DOSES.where(dose_waiting.c.sign_by < _NOW).scalar_subquery().label("doses_late"),
)
WAITS: Final = select(
    select(func.count()).where(escalation_open.c.programme_id == _HERE).scalar_subquery().label("open_escalations"),
    select(func.count())
    .where(handover_offer.c.programme_id == _HERE, handover_offer.c.answer.is_(None))
    .scalar_subquery()
    .label("handovers_waiting"),
    select(func.count())
    .select_from(
        discharge_asked.join(episode, episode.c.id == discharge_asked.c.episode_id).outerjoin(
            discharge_answer, discharge_answer.c.asked_id == discharge_asked.c.id
        )
    )
    .where(
        discharge_asked.c.programme_id == _HERE,
        discharge_answer.c.asked_id.is_(None),
        func.upper_inf(episode.c.period),
    )
    .scalar_subquery()
    .label("discharges_waiting"),
)
