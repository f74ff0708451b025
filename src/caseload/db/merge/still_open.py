"""What is still open under a duplicate, or would be lacking under the survivor, in one statement over indexes."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    Select,
    Uuid,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)

from caseload.db.periods import running
from caseload.db.tables.attendance import (
    therapy_session,
    therapy_session_booking,
    therapy_session_cancellation,
    therapy_session_current,
    therapy_session_wait,
    therapy_session_wait_over,
)
from caseload.db.tables.base import INSTANT
from caseload.db.tables.care_task import care_task_open
from caseload.db.tables.caseload import discharge, episode
from caseload.db.tables.checkin import check_in_waiting
from caseload.db.tables.departure import client_death, client_death_correction
from caseload.db.tables.escalation import escalation, escalation_open
from caseload.db.tables.flag import flag, flag_end
from caseload.db.tables.guest import guest_agreement
from caseload.db.tables.hold import hold, medication_decision
from caseload.db.tables.medication import medication_order, medication_order_replacement, medication_order_stop
from caseload.db.tables.restriction import restriction
from caseload.db.tables.rights_agreed import (
    rights_contact,
    rights_contact_end,
    rights_restriction,
    rights_restriction_end,
)
from caseload.db.tables.takehome import take_home_outcome, take_home_unit
from caseload.db.tables.task import medication_task, medication_task_done
from caseload.db.tables.window import window_message, window_message_cleared
from caseload.domain.caseload import DischargeReason
from caseload.domain.medication import HoldReason
from caseload.domain.merge import (
    OpenKind,
)

BOTH: Final = [bindparam("duplicate", type_=Uuid()), bindparam("survivor", type_=Uuid())]
_DUPLICATE, _TODAY, _NOW = BOTH[0], bindparam("today", type_=Date()), bindparam("now", type_=INSTANT)


def _open(
    kind: OpenKind, record: ColumnElement[UUID], rows: FromClause, *conditions: ColumnElement[bool]
) -> Select[*tuple[Any, ...]]:
    return select(literal(kind.value).label("kind"), record.label("record")).select_from(rows).where(*conditions)


_flag, _same = flag.alias("of_duplicate_flag"), flag.alias("of_survivor_flag")
_end, _same_end = flag_end.alias("flag_is_over"), flag_end.alias("same_is_over")
_death, _other_death = client_death.alias("one_death"), client_death.alias("other_death")
_restricted = restriction.alias("other_restriction")
_contact, _agreed = rights_contact.alias("other_contact"), rights_restriction.alias("other_agreed_restriction")


def _in_force(agreed: FromClause, end: FromClause) -> ColumnElement[bool]:
    return ~exists().where(end.c.request_id == agreed.c.request_id)


def _forbids_as_much(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """It forbids to the same recipient whatever the other forbids; who is on two lists of people cannot be compared."""
    return and_(
        one.c.categories.bool_op("@>")(other.c.categories),
        one.c.purposes == other.c.purposes,
        one.c.name.is_not_distinct_from(other.c.name),
        one.c.group.is_not_distinct_from(other.c.group),
        one.c.person_id.is_(None) == other.c.person_id.is_(None),
    )


def _stands(death: FromClause) -> ColumnElement[bool]:
    return ~exists().where(client_death_correction.c.death_id == death.c.id)


_mine, _theirs = episode.alias("of_duplicate"), episode.alias("of_survivor")
_to_come = and_(
    therapy_session.c.ends_at > _NOW,
    ~exists().where(
        therapy_session_current.c.session_id == therapy_session.c.id, therapy_session_current.c.register_version > 0
    ),
)
BY_THEIR_PEOPLE: Final = (
    _open(
        OpenKind.GUEST,
        guest_agreement.c.id,
        guest_agreement,
        guest_agreement.c.client_id == _DUPLICATE,
        guest_agreement.c.until_on > _TODAY,
    ),
    _open(
        OpenKind.ESCALATION,
        escalation.c.id,
        escalation.join(escalation_open, escalation_open.c.escalation_id == escalation.c.id),
        escalation.c.client_id == _DUPLICATE,
    ),
    _open(OpenKind.CARE_TASK, care_task_open.c.task_id, care_task_open, care_task_open.c.client_id == _DUPLICATE),
    _open(
        OpenKind.MEDICATION_TASK,
        medication_task.c.id,
        medication_task,
        medication_task.c.client_id == _DUPLICATE,
        ~exists().where(medication_task_done.c.task_id == medication_task.c.id),
    ),
    _open(
        OpenKind.MESSAGE,
        window_message.c.id,
        window_message,
        window_message.c.client_id == _DUPLICATE,
        ~exists().where(window_message_cleared.c.message_id == window_message.c.id),
    ),
)
"""What only those settle whose it is, and nobody would see who sees another registration, or works in another programme."""
STILL_OPEN: Final = union_all(
    _open(OpenKind.EPISODE, episode.c.id, episode, episode.c.client_id == _DUPLICATE, func.upper_inf(episode.c.period)),
    _open(
        OpenKind.SURVIVOR_NOT_IN_CARE,
        _mine.c.id,
        _mine.outerjoin(discharge, discharge.c.episode_id == _mine.c.id),
        _mine.c.client_id == _DUPLICATE,
        or_(func.upper_inf(_mine.c.period), discharge.c.reason == DischargeReason.REGISTERED_TWICE.value),
        ~exists().where(_theirs.c.client_id == BOTH[1], _theirs.c.period.op("@>")(_NOW)),
    ),
    _open(
        OpenKind.ORDER,
        medication_order.c.id,
        medication_order.outerjoin(
            medication_order_stop, medication_order_stop.c.order_id == medication_order.c.id
        ).outerjoin(medication_order_replacement, medication_order_replacement.c.replaced_id == medication_order.c.id),
        medication_order.c.client_id == _DUPLICATE,
        medication_order_stop.c.order_id.is_(None),
        or_(medication_order.c.ends_on.is_(None), medication_order.c.ends_on >= _TODAY),
        or_(medication_order_replacement.c.from_on.is_(None), medication_order_replacement.c.from_on > _TODAY),
    ),
    _open(
        OpenKind.HOLD,
        hold.c.id,
        hold,
        hold.c.client_id == _DUPLICATE,
        hold.c.reason != HoldReason.REGISTERED_TWICE.value,
        or_(hold.c.on_day.is_(None), hold.c.on_day >= _TODAY),
        ~exists().where(medication_decision.c.hold_id == hold.c.id),
    ),
    _open(
        OpenKind.TAKE_HOME,
        take_home_unit.c.id,
        take_home_unit,
        take_home_unit.c.client_id == _DUPLICATE,
        take_home_unit.c.for_on >= _TODAY,
        ~exists().where(take_home_outcome.c.unit_id == take_home_unit.c.id),
    ),
    *BY_THEIR_PEOPLE,
    _open(
        OpenKind.CHECK_IN, check_in_waiting.c.check_in_id, check_in_waiting, check_in_waiting.c.client_id == _DUPLICATE
    ),
    _open(
        OpenKind.SESSION,
        therapy_session_booking.c.session_id,
        therapy_session_booking.join(therapy_session, therapy_session.c.id == therapy_session_booking.c.session_id),
        therapy_session_booking.c.client_id == _DUPLICATE,
        _to_come,
        ~exists().where(
            therapy_session_cancellation.c.session_id == therapy_session_booking.c.session_id,
            therapy_session_cancellation.c.client_id == _DUPLICATE,
        ),
    ),
    _open(
        OpenKind.SESSION,
        therapy_session_wait.c.session_id,
        therapy_session_wait.join(therapy_session, therapy_session.c.id == therapy_session_wait.c.session_id),
        therapy_session_wait.c.client_id == _DUPLICATE,
        _to_come,
        ~exists().where(
            therapy_session_wait_over.c.session_id == therapy_session_wait.c.session_id,
            therapy_session_wait_over.c.client_id == _DUPLICATE,
        ),
    ),
    _open(
        OpenKind.FLAG,
        _flag.c.id,
        _flag,
        _flag.c.client_id == _DUPLICATE,
        ~exists().where(_end.c.flag_id == _flag.c.id),
        ~exists().where(
            _same.c.client_id == BOTH[1],
            _same.c.kind == _flag.c.kind,
            func.lower(_same.c.what) == func.lower(_flag.c.what),
            ~exists().where(_same_end.c.flag_id == _same.c.id),
        ),
    ),
    _open(
        OpenKind.RESTRICTION,
        restriction.c.id,
        restriction,
        restriction.c.client_id == _DUPLICATE,
        running(restriction.c.period, _NOW),
        ~exists().where(_restricted.c.client_id == BOTH[1], running(_restricted.c.period, _NOW)),
    ),
    _open(
        OpenKind.AGREED_CONTACT,
        rights_contact.c.request_id,
        rights_contact,
        rights_contact.c.client_id == _DUPLICATE,
        _in_force(rights_contact, rights_contact_end),
        ~exists().where(_contact.c.client_id == BOTH[1], _in_force(_contact, rights_contact_end)),
    ),
    _open(
        OpenKind.AGREED_RESTRICTION,
        rights_restriction.c.request_id,
        rights_restriction,
        rights_restriction.c.client_id == _DUPLICATE,
        _in_force(rights_restriction, rights_restriction_end),
        ~exists().where(
            _agreed.c.client_id == BOTH[1],
            _in_force(_agreed, rights_restriction_end),
            _forbids_as_much(_agreed, rights_restriction),
        ),
    ),
    *(
        _open(
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
