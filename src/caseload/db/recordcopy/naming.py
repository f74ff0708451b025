"""Whether what was written down of a client's place in a session names somebody else who was there.

Nobody has signed such a word, so nobody was warned of a name in it (`domain/note/naming.py`). Here letters alone are compared, whatever
their case and accents, and too much is held back rather than too little: the privacy officer reads it before it leaves.
"""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Table, Text, exists, func, literal_column, or_, select, union_all

from caseload.db.tables.attendance import therapy_session_booking, therapy_session_line
from caseload.db.tables.caseload import client_identity
from caseload.db.tables.family import related_person_version
from caseload.db.tables.session_relative import session_relative

SHORTEST: Final = 3
"""Letters of a word of a name: two are in every other word."""

_BETWEEN_WORDS: Final = "[^[:alnum:]]+"
_NFKD: Final = literal_column("NFKD", Text())
_ACCENTS: Final = "[\u0300-\u036f]"


def names_somebody_there(*said: str) -> Callable[[Table], ColumnElement[bool]]:
    """Whether one of those columns of a row about a client in a session names another client of it, or another client's relative."""

    def names(table: Table) -> ColumnElement[bool]:
        return or_(*(names_somebody_of(table.c[each], table) for each in said))

    return names


def names_somebody_of(said: Column[Any], place: Table) -> ColumnElement[bool]:
    """Whether what was said names somebody, by any word of their names, who is in the session of this place and not of its client."""
    there = [
        select(name.label("name"))
        .select_from(client_identity.join(beside, beside.c.client_id == client_identity.c.client_id))
        .where(beside.c.session_id == place.c.session_id, beside.c.client_id != place.c.client_id)
        .correlate(place)
        for beside in (therapy_session_booking.alias("beside"), therapy_session_line.alias("beside"))
        for name in (client_identity.c.given_name, client_identity.c.family_name)
    ]
    came = session_relative.alias("came")
    relatives = (
        select(related_person_version.c.name)
        .join(came, came.c.person_id == related_person_version.c.person_id)
        .where(came.c.session_id == place.c.session_id, came.c.client_id != place.c.client_id)
        .correlate(place)
    )
    called = union_all(*there, relatives).subquery("called")
    words = select(func.regexp_split_to_table(_folded(called.c.name), _BETWEEN_WORDS).label("word")).subquery("words")
    return exists(
        select(words.c.word)
        .where(func.length(words.c.word) >= SHORTEST, func.strpos(_folded(said), words.c.word) > 0)
        .correlate(place, said.table)
    )


def _folded(text: ColumnElement[Any]) -> ColumnElement[str]:
    return func.regexp_replace(func.normalize(func.lower(text), _NFKD), _ACCENTS, "", "g")
