"""What the rule of a profile suspends, in PostgreSQL: by the first dose after too many missed ones, in its transaction."""

from typing import Any, Final

from sqlalchemy import Date, SmallInteger, Text, Uuid, and_, bindparam, exists, insert, or_, select

from caseload.db.tables.base import INSTANT
from caseload.db.tables.takehome import take_home_decision, take_home_suspension
from caseload.domain.dosing.at_home import Missed
from caseload.domain.ids import SuspensionId

_newer = take_home_decision.alias("newer_decision")
IS_NEWEST: Final = ~exists().where(
    _newer.c.client_id == take_home_decision.c.client_id,
    _newer.c.medicine == take_home_decision.c.medicine,
    or_(
        _newer.c.decided_at > take_home_decision.c.decided_at,
        and_(_newer.c.decided_at == take_home_decision.c.decided_at, _newer.c.id > take_home_decision.c.id),
    ),
)
SUSPEND_BY_RULE: Final = (
    insert(take_home_suspension)
    .from_select(
        [column for column in take_home_suspension.c if column.name != "signature_id"],
        select(
            bindparam("id", type_=Uuid()),
            take_home_decision.c.id,
            take_home_decision.c.client_id,
            bindparam("programme", type_=Uuid()),
            bindparam("reason", type_=Text()),
            bindparam("review_on", type_=Date()),
            bindparam("by", type_=Uuid()),
            bindparam("at", type_=INSTANT),
            bindparam("profile", type_=Text()),
            bindparam("profile_version", type_=SmallInteger()),
            bindparam("rule", type_=Text()),
            bindparam("dose", type_=Uuid()),
            bindparam("missed", type_=SmallInteger()),
        ).where(
            take_home_decision.c.client_id == bindparam("client", type_=Uuid()),
            take_home_decision.c.medicine == bindparam("medicine", type_=Text()),
            take_home_decision.c.decided_on <= bindparam("since", type_=Date()),
            IS_NEWEST,
            ~exists().where(take_home_suspension.c.decision_id == take_home_decision.c.id),
        ),
    )
    .returning(take_home_suspension.c.id)
)


def by_rule(missed: Missed, as_id: SuspensionId) -> dict[str, Any]:
    """The parameters of `SUSPEND_BY_RULE`."""
    dose_of = missed.dose
    return {
        "id": as_id,
        "client": dose_of.client,
        "programme": dose_of.programme,
        "reason": f"{missed.missed} doses in a row were missed before that of {dose_of.dosing_day}.",
        "review_on": missed.review_on,
        "by": dose_of.recorded_by,
        "at": dose_of.recorded_at,
        "profile": dose_of.profile,
        "profile_version": dose_of.profile_version,
        "rule": missed.rule,
        "dose": dose_of.id,
        "missed": missed.missed,
        "medicine": dose_of.medicine.value,
        "since": missed.since,
    }
