"""One line of what must be settled before a registration is closed, and for whom it is asked."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Date, FromClause, Select, Uuid, bindparam, literal, select

from caseload.db.tables.base import INSTANT
from caseload.domain.merge import OpenKind

DUPLICATE: Final = bindparam("duplicate", type_=Uuid())
SURVIVOR: Final = bindparam("survivor", type_=Uuid())
TODAY: Final = bindparam("today", type_=Date())
NOW: Final = bindparam("now", type_=INSTANT)


def line(
    kind: OpenKind, record: ColumnElement[UUID], rows: FromClause, *conditions: ColumnElement[bool]
) -> Select[*tuple[Any, ...]]:
    """The records of one kind that must be settled."""
    return select(literal(kind.value).label("kind"), record.label("record")).select_from(rows).where(*conditions)
