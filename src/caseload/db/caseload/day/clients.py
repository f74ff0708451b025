"""What waits of the clients whom somebody looks after, and of themselves."""

from typing import Final

from sqlalchemy import (
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
from sqlalchemy.dialects.postgresql import ARRAY

from caseload.db.access import within_reach
from caseload.db.caseload.day.asked import A_DAY, A_WEEK, CLIENTS, ME, MOST_LINES, NOW, TWO_DAYS, midnight, newest
from caseload.db.checkin.overdue import is_overdue
from caseload.db.periods import running
from caseload.db.tables.attendance import (
    therapy_session,
)
from caseload.db.tables.care_task import care_task, care_task_open
from caseload.db.tables.caseload import client, client_identity, cover, responsibility
from caseload.db.tables.caseload_acts import handover_offer
from caseload.db.tables.checkin import check_in_waiting
from caseload.db.tables.escalation import escalation, escalation_open
from caseload.db.tables.note import session_note, session_note_current
from caseload.db.tables.people import staff
from caseload.db.tables.programme import programme
from caseload.db.tables.window import window_message, window_message_cleared
from caseload.domain.note import NoteStanding
from caseload.domain.window import Place

_ours = (
    select(responsibility.c.client_id, literal_column("0", Integer()).label("covering"))
    .where(responsibility.c.counsellor_id == ME, running(responsibility.c.period, NOW))
    .union_all(
        select(cover.c.client_id, literal_column("1", Integer())).where(
            cover.c.counsellor_id == ME, cover.c.period.op("@>")(NOW)
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
    select(client.c.id, newest.c.given_name, newest.c.family_name, _looked_after.c.covering)
    .select_from(_looked_after.join(client, client.c.id == _looked_after.c.client_id).join(newest, true()))
    .where(within_reach())
)

ESCALATED: Final = (
    select(escalation.c.id, escalation.c.client_id, escalation.c.ground, escalation.c.recorded_at.label("at"))
    .select_from(escalation_open.join(escalation, escalation.c.id == escalation_open.c.escalation_id))
    .where(escalation.c.client_id == CLIENTS)
)
_zone: Final = check_in_waiting.c.time_zone
DUE: Final = select(
    check_in_waiting.c.check_in_id.label("id"),
    check_in_waiting.c.client_id,
    check_in_waiting.c.rule,
    check_in_waiting.c.due_at.label("at"),
    midnight(_zone).label("today_began"),
).where(
    check_in_waiting.c.client_id == CLIENTS,
    ~is_overdue(check_in_waiting),
    # A day ends within two days of every moment of it, which leaves out most of what is to come before its zone is
    # asked; in a form that no index is searched by, or everything of the clinic until then would be.
    check_in_waiting.c.due_at - TWO_DAYS < NOW,
    check_in_waiting.c.due_at < midnight(_zone, A_DAY),
)

NOTES: Final = (
    select(session_note_current.c.note_id.label("id"), therapy_session.c.title, session_note_current.c.sign_by)
    .select_from(
        session_note_current.join(session_note, session_note.c.id == session_note_current.c.note_id).join(
            therapy_session, therapy_session.c.id == session_note.c.session_id
        )
    )
    .where(
        session_note_current.c.author_id == ME,
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
        handover_offer.c.to_id == ME,
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
        midnight(programme.c.time_zone).label("today_began"),
        midnight(programme.c.time_zone, A_DAY).label("today_ends"),
        midnight(programme.c.time_zone, A_WEEK).label("week_ends"),
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
        care_task_open.c.client_id == CLIENTS,
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
        window_message.c.client_id == CLIENTS,
        literal_column(f"'{Place.COUNSELLOR.value}'", Text()) == any_(window_message.c.places),
        ~exists().where(window_message_cleared.c.message_id == window_message.c.id),
    )
    .order_by(window_message.c.id)
    .limit(literal_column(str(MOST_LINES)))
)
