"""Who is asking: the token of a request becomes a person with the roles in force for them now."""

from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.people.sessions import find_session
from caseload.domain.errors import NotSignedIn
from caseload.domain.ids import SessionId
from caseload.domain.people import SessionRules, Staff, token_digest

TOKEN_LENGTH = 43
"""256 bits in base 64 without padding."""
RULES = SessionRules()


class Uses(Protocol):
    """Remembers which sessions were used, to write it down later."""

    def note(self, session: SessionId, *, at: datetime) -> None:
        """Say that the session is in use; returns at once."""
        ...


async def identify(
    connection: AsyncConnection,
    token: str,
    now: datetime,
    *,
    rules: SessionRules = RULES,
    uses: Uses | None = None,
) -> Staff:
    """Return who holds this token; raise `NotSignedIn` when nobody does or the session is over.

    One statement, whatever the number of roles. That the session is in use is not written here: a request that only
    reads must not write, and two requests of one person must not wait for each other.
    """
    if len(token) != TOKEN_LENGTH or not token.isascii():
        raise NotSignedIn
    session = await find_session(connection, token_digest(token), now=now)
    if session is None:
        raise NotSignedIn
    staff = session.check(now=now, rules=rules)
    if uses is not None and session.is_due_to_be_noted(now=now, rules=rules):
        uses.note(session.id, at=now)
    return staff
