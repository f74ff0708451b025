"""What is still open under a duplicate, with what would be lacking under the survivor, in one statement over indexes."""

from typing import Final

from sqlalchemy import ColumnElement, FromClause, and_, exists, func, or_, union_all

from caseload.db.merge.lacking import LACKING
from caseload.db.merge.lines import DUPLICATE, NOW, SURVIVOR, TODAY, line
from caseload.db.tables.attendance import (
    therapy_session,
    therapy_session_booking,
    therapy_session_cancellation,
    therapy_session_current,
    therapy_session_wait,
    therapy_session_wait_over,
)
from caseload.db.tables.care_task import care_task_open
from caseload.db.tables.caseload import discharge, episode
from caseload.db.tables.checkin import check_in_waiting
from caseload.db.tables.departure import client_death, client_death_correction
from caseload.db.tables.escalation import escalation, escalation_open
from caseload.db.tables.guest import guest_agreement
from caseload.db.tables.hold import hold, medication_decision
from caseload.db.tables.medication import medication_order, medication_order_replacement, medication_order_stop
from caseload.db.tables.takehome import take_home_outcome, take_home_unit
from caseload.db.tables.task import medication_task, medication_task_done
from caseload.db.tables.window import window_message, window_message_cleared
from caseload.domain.caseload import DischargeReason
from caseload.domain.medication import HoldReason
from caseload.domain.merge import (
    OpenKind,
)

BOTH: Final = [DUPLICATE, SURVIVOR]

_death, _other_death = client_death.alias("one_death"), client_death.alias("other_death")


def _stands(death: FromClause) -> ColumnElement[bool]:
    return ~exists().where(client_death_correction.c.death_id == death.c.id)


_mine, _theirs = episode.alias("of_duplicate"), episode.alias("of_survivor")
_to_come = and_(
    therapy_session.c.ends_at > NOW,
    ~exists().where(
        therapy_session_current.c.session_id == therapy_session.c.id, therapy_session_current.c.register_version > 0
    ),
)
BY_THEIR_PEOPLE: Final = (
    line(
        OpenKind.GUEST,
        guest_agreement.c.id,
        guest_agreement,
        guest_agreement.c.client_id == DUPLICATE,
        guest_agreement.c.until_on > TODAY,
    ),
    line(
        OpenKind.ESCALATION,
        escalation.c.id,
        escalation.join(escalation_open, escalation_open.c.escalation_id == escalation.c.id),
        escalation.c.client_id == DUPLICATE,
    ),
    line(OpenKind.CARE_TASK, care_task_open.c.task_id, care_task_open, care_task_open.c.client_id == DUPLICATE),
    line(
        OpenKind.MEDICATION_TASK,
        medication_task.c.id,
        medication_task,
        medication_task.c.client_id == DUPLICATE,
        ~exists().where(medication_task_done.c.task_id == medication_task.c.id),
    ),
    line(
        OpenKind.MESSAGE,
        window_message.c.id,
        window_message,
        window_message.c.client_id == DUPLICATE,
        ~exists().where(window_message_cleared.c.message_id == window_message.c.id),
    ),
)
"""What only those settle whose it is, and nobody would see who sees another registration, or works in another programme."""
STILL_OPEN: Final = union_all(
    line(OpenKind.EPISODE, episode.c.id, episode, episode.c.client_id == DUPLICATE, func.upper_inf(episode.c.period)),
    line(
        OpenKind.SURVIVOR_NOT_IN_CARE,
        _mine.c.id,
        _mine.outerjoin(discharge, discharge.c.episode_id == _mine.c.id),
        _mine.c.client_id == DUPLICATE,
        or_(func.upper_inf(_mine.c.period), discharge.c.reason == DischargeReason.REGISTERED_TWICE.value),
        ~exists().where(_theirs.c.client_id == SURVIVOR, _theirs.c.period.op("@>")(NOW)),
    ),
    line(
        OpenKind.ORDER,
        medication_order.c.id,
        medication_order.outerjoin(
            medication_order_stop, medication_order_stop.c.order_id == medication_order.c.id
        ).outerjoin(medication_order_replacement, medication_order_replacement.c.replaced_id == medication_order.c.id),
        medication_order.c.client_id == DUPLICATE,
        medication_order_stop.c.order_id.is_(None),
        or_(medication_order.c.ends_on.is_(None), medication_order.c.ends_on >= TODAY),
        or_(medication_order_replacement.c.from_on.is_(None), medication_order_replacement.c.from_on > TODAY),
    ),
    line(
        OpenKind.HOLD,
        hold.c.id,
        hold,
        hold.c.client_id == DUPLICATE,
        hold.c.reason != HoldReason.REGISTERED_TWICE.value,
        or_(hold.c.on_day.is_(None), hold.c.on_day >= TODAY),
        ~exists().where(medication_decision.c.hold_id == hold.c.id),
    ),
    line(
        OpenKind.TAKE_HOME,
        take_home_unit.c.id,
        take_home_unit,
        take_home_unit.c.client_id == DUPLICATE,
        take_home_unit.c.for_on >= TODAY,
        ~exists().where(take_home_outcome.c.unit_id == take_home_unit.c.id),
    ),
    *BY_THEIR_PEOPLE,
    line(
        OpenKind.CHECK_IN, check_in_waiting.c.check_in_id, check_in_waiting, check_in_waiting.c.client_id == DUPLICATE
    ),
    line(
        OpenKind.SESSION,
        therapy_session_booking.c.session_id,
        therapy_session_booking.join(therapy_session, therapy_session.c.id == therapy_session_booking.c.session_id),
        therapy_session_booking.c.client_id == DUPLICATE,
        _to_come,
        ~exists().where(
            therapy_session_cancellation.c.session_id == therapy_session_booking.c.session_id,
            therapy_session_cancellation.c.client_id == DUPLICATE,
        ),
    ),
    line(
        OpenKind.SESSION,
        therapy_session_wait.c.session_id,
        therapy_session_wait.join(therapy_session, therapy_session.c.id == therapy_session_wait.c.session_id),
        therapy_session_wait.c.client_id == DUPLICATE,
        _to_come,
        ~exists().where(
            therapy_session_wait_over.c.session_id == therapy_session_wait.c.session_id,
            therapy_session_wait_over.c.client_id == DUPLICATE,
        ),
    ),
    *LACKING,
    *(
        line(
            OpenKind.DEATH,
            _death.c.id,
            _death,
            _death.c.client_id == one,
            _stands(_death),
            ~exists().where(_other_death.c.client_id == other, _stands(_other_death)),
        )
        for one, other in (BOTH, BOTH[::-1])
    ),
)
