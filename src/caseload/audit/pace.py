"""How often and how much the sequencer does, and after what it begins anew."""

from dataclasses import dataclass
from typing import Final

import asyncpg

from caseload.audit.tree import NotTheSameQueue

TROUBLE: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    NotTheSameQueue,
)
"""What ends a connection or a transaction: the next one begins from what is durable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often and how much."""

    round_seconds: float = 0.3
    """From the beginning of one round to that of the next. An entry is in a signed tree after one of them."""
    batch: int = 4096
    """Entries that go behind the tree in one transaction."""
    sign_seconds: float = 1.0
    """A round that takes longer than this signs in between."""
    standby_seconds: float = 1.0
    """How often one that waits looks whether it is its turn."""
    retry_seconds: float = 0.5
    """The pause after trouble, before everything is read again."""
    cosign_again_seconds: float = 3600.0
    """A witness is asked again about the same tree, so that its word is never much older than this."""
    ask_again_seconds: float = 15.0
    """The pause before a witness that could not be asked is asked again."""
    last_ask_seconds: float = 5.0
    """How long the end of an orderly stop waits for a witness."""
