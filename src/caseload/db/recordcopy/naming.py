"""Whether what was written down of a client's place in a session names somebody else who was there.

Nobody has signed such a word, so nobody was warned of a name in it (`domain/note/naming.py`). Here letters alone are compared, and
too much is held back rather than too little: the privacy officer reads it before it leaves.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import ColumnElement, Table, exists, func, or_, select, union_all

from caseload.db.tables.attendance import therapy_session_booking, therapy_session_line
from caseload.db.tables.caseload import client_identity
from caseload.db.tables.family import related_person_version
from caseload.db.tables.session_relative import session_relative

SHORTEST: Final = 3
"""Letters: two are in every other word."""


def names_somebody_there(column: str) -> Callable[[Table], ColumnElement[bool]]:
    """Whether that column of a row about a client in a session names another client of it, or another client's relative."""

    def names(table: Table) -> ColumnElement[bool]:
        there = [
            select(word.label("name"))
            .select_from(client_identity.join(place, place.c.client_id == client_identity.c.client_id))
            .where(place.c.session_id == table.c.session_id, place.c.client_id != table.c.client_id)
            .correlate(table)
            for place in (therapy_session_booking.alias("beside"), therapy_session_line.alias("beside"))
            for word in (client_identity.c.given_name, client_identity.c.family_name)
        ]
        relatives = (
            select(related_person_version.c.name)
            .join(session_relative, session_relative.c.person_id == related_person_version.c.person_id)
            .where(
                session_relative.c.session_id == table.c.session_id, session_relative.c.client_id != table.c.client_id
            )
            .correlate(table)
        )
        called = union_all(*there, relatives).subquery("called")
        first = func.split_part(called.c.name, " ", 1)
        said = func.lower(table.c[column])
        return exists(
            select(called.c.name)
            .where(
                or_(
                    *(
                        (func.length(word) >= SHORTEST) & (func.strpos(said, func.lower(word)) > 0)
                        for word in (called.c.name, first)
                    )
                )
            )
            .correlate(table)
        )

    return names
