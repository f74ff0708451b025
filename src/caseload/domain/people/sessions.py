"""Sessions: what a token stands for, and when it stops standing for anybody.

Stations at the window lock quickly and change hands quickly, so a session ends a few minutes after its last use and
in any case after a working day (NIST SP 800-63B-4, section 2.2.3, asks for no more than an hour and 24 hours).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from caseload.domain.errors import NotSignedIn
from caseload.domain.ids import SessionId
from caseload.domain.people.staff import Staff


class SessionEnd(StrEnum):
    """Why a session was ended before it ran out."""

    SIGNED_OUT = "signed_out"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason, not a password
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a reason, not a password
    DEACTIVATED = "deactivated"


class SessionOver(NotSignedIn):
    """Your session has ended. Sign in again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """How long a session lasts."""

    idle: timedelta = timedelta(minutes=15)
    """After this long without use a session is over. Use is noted to the minute, so it may be over a minute early."""
    absolute: timedelta = timedelta(hours=12)
    """After this long it is over whatever happens."""
    noted_every: timedelta = timedelta(minutes=1)
    """How often the time of last use is written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody signed in, at some moment, and has or has not been away since."""

    id: SessionId
    staff: Staff
    last_used_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    deactivated: bool

    def check(self, *, now: datetime, rules: SessionRules) -> Staff:
        """Return who is signed in; raise `SessionOver` when nobody is any more."""
        if self.ended_at is not None or self.deactivated or now >= self.expires_at:
            raise SessionOver
        if now >= self.last_used_at + rules.idle:
            raise SessionOver
        return self.staff

    def is_due_to_be_noted(self, *, now: datetime, rules: SessionRules) -> bool:
        """Whether this use is far enough from the last one to write it down."""
        return now >= self.last_used_at + rules.noted_every


def new_token() -> str:
    """A fresh session token: 256 random bits, in the URL-safe alphabet of base 64 (43 characters)."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> bytes:
    """What is kept of a token: its SHA-256. Whoever reads the table cannot sign in with what stands there."""
    return hashlib.sha256(token.encode()).digest()
