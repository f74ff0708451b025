"""Which doses count as taken, and which of them tell of tolerance: conditions that every question about doses shares."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Subquery,
    Text,
    and_,
    bindparam,
    exists,
    literal_column,
    select,
    union_all,
)

from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.history import client_history
from caseload.db.tables.people import staff
from caseload.db.tables.takehome import take_home_unit
from caseload.db.takehome.covering import last_at_home
from caseload.domain.dosing import Kind
from caseload.domain.medicines import ACTION, LONG_ACTING, Action, Medicine

DAY = bindparam("day", type_=Date())


def _listed(words: Iterable[StrEnum]) -> list[ColumnElement[str]]:
    return [literal_column(f"'{word}'", Text()) for word in sorted(words)]


# Constants stand in the text itself: the planner proves the predicate of a partial index from them, never from parameters.
FIRST: Final = literal_column("1", Integer())
ORDINARY: Final = literal_column(f"'{Kind.ORDINARY}'", Text())
_ANTAGONISTS: Final = _listed(medicine for medicine in Medicine if ACTION[medicine] is Action.ANTAGONIST)
INJECTIONS: Final = _listed(LONG_ACTING)


def is_taken(doses: FromClause) -> ColumnElement[bool]:
    """The recording of a dose that counts as swallowed: nobody has signed that it was in fact not given."""
    return and_(doses.c.version == FIRST, ~exists().where(dose_correction.c.dose_id == doses.c.id))


def is_of_kind() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Ordinary doses and the others: two conditions, because each has its own index."""
    return dose.c.kind == ORDINARY, dose.c.kind != ORDINARY


def is_like(doses: FromClause, medicine: ColumnElement[str], form: ColumnElement[str]) -> ColumnElement[bool]:
    """A dose with the same action at the receptor, and of the same duration: the only ones that tell of tolerance."""
    return and_(
        doses.c.medicine.in_(_ANTAGONISTS) == medicine.in_(_ANTAGONISTS),
        doses.c.form.in_(INJECTIONS) == form.in_(INJECTIONS),
    )


_LAST: Final = ("dosing_day", "given_at", "medicine", "amount_mg")


def _tables_of(*columns: ColumnElement[Any]) -> set[FromClause]:
    """The tables whose rows these columns are taken from; none for parameters."""
    return {column.table for column in columns if isinstance(column, Column)}


def last_taken(
    client: ColumnElement[UUID], medicine: ColumnElement[str], form: ColumnElement[str], name: str
) -> FromClause:
    """The last dose like this medicine and form that was taken until a day, here or at home, as its newest version says.

    Of several of one day whose order nobody knows (a source that tells of two) the smallest: what is proposed for a
    restart must not rest on the larger.
    """
    newest = dose.alias("newest_version")
    ends = [
        select(dose.c.id, dose.c.dosing_day, dose.c.given_at, dose.c.amount_mg)
        .where(
            dose.c.client_id == client,
            dose.c.dosing_day <= DAY,
            is_like(dose, medicine, form),
            is_taken(dose),
            kind,
        )
        .order_by(dose.c.dosing_day.desc(), dose.c.given_at.desc().nulls_last(), dose.c.amount_mg)
        .limit(FIRST)
        # Said in words: SQLAlchemy ties a LATERAL to the rows beside it, but not what is nested in it, which would
        # then read all clients at once.
        .correlate(*_tables_of(client, medicine, form))
        .subquery()
        for kind in is_of_kind()
    ]
    both = union_all(*(select(end.c.id, end.c.dosing_day, end.c.given_at, end.c.amount_mg) for end in ends)).subquery()
    here = (
        select(both.c.dosing_day, newest.c.given_at, newest.c.medicine, newest.c.amount_mg)
        .select_from(both.join(newest, newest.c.id == both.c.id))
        .order_by(
            both.c.dosing_day.desc(),
            both.c.given_at.desc().nulls_last(),
            both.c.amount_mg,
            both.c.id,
            newest.c.version.desc(),
        )
        .limit(FIRST)
        .subquery("last_here")
    )
    like = is_like(take_home_unit, medicine, form)
    home = last_at_home(client, DAY, like, *_tables_of(client, medicine, form))
    last = union_all(*(select(*(end.c[column] for column in _LAST)) for end in (here, home))).subquery()
    return (
        select(*(last.c[column] for column in _LAST))
        .order_by(last.c.dosing_day.desc(), last.c.given_at.desc().nulls_last(), last.c.amount_mg)
        .limit(FIRST)
        .lateral(name)
    )


def given_on(day_of: ColumnElement[bool]) -> Subquery:
    """The doses taken on the day that stand under this condition, whatever their kind."""
    return union_all(
        *(
            select(dose.c.id, dose.c.client_id, dose.c.part, dose.c.given_at, dose.c.given_by, dose.c.source_id).where(
                dose.c.dosing_day == DAY, day_of, is_taken(dose), kind
            )
            for kind in is_of_kind()
        )
    ).subquery()


def told_by(doses: FromClause) -> FromClause:
    """Doses with the colleague who gave each, or the source that tells of it."""
    return doses.outerjoin(staff, staff.c.id == doses.c.given_by).outerjoin(
        client_history, client_history.c.id == doses.c.source_id
    )
