"""Cosignatures of witnesses, as C2SP tlog-cosignature has them, with Ed25519 (`cosignature/v1`).

A cosignature says: at this time, the largest consistent tree that I have seen of this log is the one in this
checkpoint. What is signed is a header line, the time and the whole body of the note; the signature is eight bytes of
time (seconds since 1970, the largest byte first) and the 64 bytes of Ed25519.
"""

from collections.abc import Callable

from caseload.audit.tlog.spelling import LARGEST_SIZE, Malformed

TIME_BYTES = 8
SIGNATURE_BYTES = TIME_BYTES + 64


def message(body: str, *, at: int) -> bytes:
    """What a witness signs. `body` is the text of the note, with its last newline and without signatures."""
    if not 0 <= at <= LARGEST_SIZE:
        raise Malformed(f"{at} is not a time of a cosignature.")
    return f"cosignature/v1\ntime {at}\n{body}".encode()


def cosign(body: str, *, at: int, sign: Callable[[bytes], bytes]) -> bytes:
    """The bytes of a cosignature: the time and the signature. `sign` is Ed25519 over what it is given."""
    return at.to_bytes(TIME_BYTES, "big") + sign(message(body, at=at))


def taken_apart(cosignature: bytes) -> tuple[int, bytes]:
    """The time and the Ed25519 signature. Raises `Malformed`."""
    if len(cosignature) != SIGNATURE_BYTES:
        raise Malformed(f"A cosignature has {SIGNATURE_BYTES} bytes, not {len(cosignature)}.")
    at = int.from_bytes(cosignature[:TIME_BYTES], "big")
    if at > LARGEST_SIZE:
        raise Malformed("A cosignature of a time beyond 2^63.")
    return at, cosignature[TIME_BYTES:]
