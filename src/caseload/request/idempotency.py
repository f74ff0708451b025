"""A retry can never do a thing twice: the same key with the same request gets the first answer again.

A key belongs to one person and one route. What is kept is a keyed digest of the request, the status and which record
(and version) was made, in the transaction that made it; the answer is rebuilt from the record after the reach has been
checked again, so no client data is stored twice. Only successes are kept.

What proves who asks is no part of what is asked (decision 205): it is proved again on every retry.
Source: IETF draft "The Idempotency-Key HTTP Header Field", sections 2.6 and 2.7.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from caseload.db.idempotency import Kept, RequestKeys
from caseload.domain.errors import Conflict, Fault, Invalid
from caseload.request.work import Work

LONGEST_KEY = 255
PROOFS: Final = ("password", "second_factor")
"""The members of a request that prove who asks, wherever that is asked for."""

T = TypeVar("T")


class KeyUsedForAnotherRequest(Invalid):
    """This Idempotency-Key was used for another request."""

    def __init__(self) -> None:
        super().__init__(
            Fault("Idempotency-Key", "was used by you for another request on this route; make a fresh key per act")
        )


class KeyMissing(Invalid):
    """This request needs an Idempotency-Key."""

    def __init__(self) -> None:
        super().__init__(Fault("Idempotency-Key", "make a fresh random key per act and keep it for the retries"))


class TwinInFlight(Conflict):
    """The same request is being carried out right now."""

    def __init__(self) -> None:
        super().__init__("Wait a moment and send it again with the same Idempotency-Key to learn how it ended.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """One request's key on one route, with the keyed digest of what it asks."""

    route: str
    key: str
    digest: bytes

    @classmethod
    def of(cls, *, route: str, key: str, path: str, body: bytes, secret: bytes) -> "RequestKey":
        """The key of a request; `Invalid` when it cannot be kept."""
        if not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
            raise Invalid(Fault("Idempotency-Key", f"must have 1 to {LONGEST_KEY} printable ASCII characters"))
        asked = path.encode() + b"\x00" + _without_proof(body)
        return cls(route=route, key=key, digest=hmac.digest(secret, asked, hashlib.sha256))


def _without_proof(body: bytes) -> bytes:
    """What a request asks for. Read as JSON, because the name of a member can be written in more than one way."""
    try:
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body  # not one of ours: it is refused when it is read
    if not members.keys() & set(PROOFS):
        return body
    return msgspec.json.encode({name: said for name, said in members.items() if name not in PROOFS})


async def once(
    work: Work,
    request: RequestKey | None,
    kept: Kept,
    *,
    do: Callable[[], Awaitable[T]],
    again: Callable[[Kept], Awaitable[T]],
) -> T:
    """Do it and keep the key, or give the first outcome again; without a key, just do it.

    `kept` says in advance what a success will have made. Whoever must prove who they are has done so before, also for the
    first outcome. Raises `KeyUsedForAnotherRequest`, `TwinInFlight`.
    """
    if request is None:
        return await do()
    keys = RequestKeys(work.connection)
    if await keys.claim(work.by.id, request.route, request.key, request.digest, kept, at=work.now):
        return await do()
    found = await keys.find(work.by.id, request.route, request.key)
    if found is None:
        raise TwinInFlight
    digest, first = found
    if not hmac.compare_digest(digest, request.digest):
        raise KeyUsedForAnotherRequest
    return await again(first)
