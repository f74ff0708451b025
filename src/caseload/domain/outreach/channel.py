"""The ways to reach a client, and what each needs."""

from enum import StrEnum
from typing import Final


class Channel(StrEnum):
    """A way to reach a client."""

    TELEPHONE = "telephone"
    VOICEMAIL = "voicemail"
    """To leave a message where the telephone is not answered."""
    TEXT = "text"
    POST = "post"
    VISIT = "visit"
    """To go to the address."""


NEEDS_TELEPHONE: Final = frozenset({Channel.TELEPHONE, Channel.VOICEMAIL, Channel.TEXT})
NEEDS_ADDRESS: Final = frozenset({Channel.POST, Channel.VISIT})
