"""Numbers and bytes as the formats of C2SP spell them, and the one error for everything that is spelt otherwise."""

import re
from base64 import b64decode, b64encode

LARGEST_SIZE = 2**63 - 1
"""Trees stay below what a signed 64-bit integer holds, in our database as in other people's programs."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class Malformed(ValueError):
    """These bytes are not what the format allows."""


def decimal(text: str) -> int:
    """ASCII digits without a leading zero, up to `LARGEST_SIZE`. Raises `Malformed`."""
    if not _DECIMAL.fullmatch(text) or (value := int(text)) > LARGEST_SIZE:
        raise Malformed(f"{text[:40]!r} is not a decimal number without leading zeroes, below 2^63.")
    return value


def base64(data: bytes) -> str:
    """RFC 4648, section 4, with padding."""
    return b64encode(data).decode("ascii")


def from_base64(text: str, *, length: int | None = None) -> bytes:
    """The bytes of `base64`, of that length if one is given. Raises `Malformed` for any other spelling of them."""
    try:
        data = b64decode(text, validate=True)
    except ValueError as problem:
        raise Malformed(f"{text[:40]!r} is not base64.") from problem
    if base64(data) != text:
        raise Malformed(f"{text[:40]!r} is not the one spelling in base64.")
    if length is not None and len(data) != length:
        raise Malformed(f"{len(data)} bytes in base64 where there must be {length}.")
    return data
