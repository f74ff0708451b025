"""Answers that the edge gives by itself: complete RFC 9457 documents that need no framework and hold nobody's data."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

PROBLEM_JSON: Final = b"application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One way in which the edge declines to answer, the same words every time."""

    status: int
    name: str
    """The last part of the problem's `type`; also what the access log says."""
    title: str
    detail: str
    retry_after_s: int | None = None
    close: bool = False
    """Whether the connection ends with it, because the rest of the request will not be read."""

    def answer(self, request: UUID) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """The headers and the body."""
        body = msgspec.json.encode({
            "type": f"urn:caseload:problem:{self.name}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "request": str(request),
        })  # fmt: skip
        headers = [(b"content-type", PROBLEM_JSON), (b"content-length", str(len(body)).encode())]
        if self.retry_after_s is not None:
            headers.append((b"retry-after", str(self.retry_after_s).encode()))
        if self.close:
            headers.append((b"connection", b"close"))
        return headers, body


UNAVAILABLE: Final = Refusal(
    status=503,
    name="unavailable",
    title="The service cannot reach its database.",
    detail="Nothing was kept and nothing was shown. Try again in a few seconds; if it lasts, work from the downtime "
    "sheet.",
    retry_after_s=5,
)
UNLOGGED: Final = Refusal(
    status=503,
    name="log-unavailable",
    title="The audit log cannot take the entry of this.",
    detail="Nothing was kept and nothing was shown. Tell the operator the request id; until it is mended, work from the "
    "downtime sheet.",
    retry_after_s=5,
)
UNKNOWN: Final = Refusal(
    status=503,
    name="outcome-unknown",
    title="The database went away while this was being kept.",
    detail="It may or may not have been kept. Send it again with the same Idempotency-Key: it cannot be done twice. "
    "Without a key, read the record before you send it again.",
    retry_after_s=5,
)
TOO_SLOW: Final = Refusal(
    status=503,
    name="too-slow",
    title="This took too long.",
    detail="It was stopped, nothing was kept and nothing was shown. Try again in a moment.",
    retry_after_s=5,
)
OVERTAKEN: Final = Refusal(
    status=409,
    name="conflict",
    title="The record has moved on.",
    detail="Somebody else changed it at the same moment, and nothing of yours was kept. Read it again and decide "
    "whether your change still holds.",
)
BROKEN: Final = Refusal(
    status=500,
    name="unexpected",
    title="The service made a mistake.",
    detail="Nothing was kept. Tell the operator the request id.",
)
HEADERS_TOO_LARGE: Final = Refusal(
    status=431,
    name="headers-too-large",
    title="The headers of the request are too large.",
    detail="Send fewer or shorter headers and cookies.",
    close=True,
)
ADDRESS_TOO_LONG: Final = Refusal(
    status=414,
    name="address-too-long",
    title="The address of the request is too long.",
    detail="Ask for less at once.",
    close=True,
)
