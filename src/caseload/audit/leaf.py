"""A leaf: the bytes of one entry, which are stored, hashed and exported as they are and never written again.

Version 1 is canonical JSON (see `canonical`) of the fields of `Leaf`, under 16,384 bytes. Every string in it comes
from a closed vocabulary or is an identifier or a digest: no free text, no query, no address, no client. Clients
and facts about the request stand behind the two roots (see `item`).

`op` and `out` are the codes of FHIR R4 AuditEvent (`audit-event-action`, `audit-event-outcome`), `purp` those of HL7
v3 PurposeOfUse, so that a mapping is a table.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

import msgspec

VERSION = 1
LARGEST_LEAF = 16_384
"""Leaves stay below this many bytes; a C2SP entry bundle would allow 65,535."""

_EVENT = re.compile(r"[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39}){1,3}", re.ASCII)
_ROUTE = re.compile(r"[A-Za-z][A-Za-z0-9 _.:/{}-]{0,199}", re.ASCII)
_IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|/[0-9]+(/|$)", re.IGNORECASE | re.ASCII)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_BITS_OFFSET = 80


class Op(StrEnum):
    """What kind of act it was (FHIR `audit-event-action`)."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    EXECUTE = "E"
    """Anything else: sign-ins, exports, jobs, a question asked."""


class Outcome(IntEnum):
    """How it ended (FHIR `audit-event-outcome`)."""

    DONE = 0
    REFUSED = 4
    """Not allowed, not found, not acceptable: what an answer of 4xx says."""
    FAILED = 8
    """It could not be carried out: what an answer of 5xx says."""
    ABORTED = 8
    """The caller went away or time ran out: the same code, and no status, because no answer left."""
    UNAVAILABLE = 12
    """The service itself went down."""


class Purpose(StrEnum):
    """Why it was done (HL7 v3 PurposeOfUse)."""

    TREATMENT = "TREAT"
    EMERGENCY = "ETREAT"
    BREAK_GLASS = "BTG"
    PAYMENT = "HPAYMT"
    OPERATIONS = "HOPERAT"
    COMPLIANCE = "HCOMPL"
    ADMINISTRATION = "HSYSADMIN"
    PATIENT_REQUEST = "PATRQT"


class Auth(StrEnum):
    """How the actor was known."""

    PASSWORD = "password"  # noqa: S105  the word, not one of them
    ADDRESS = "address"
    """By a secret address that they made, such as that of their calendar: whoever has it reads on their behalf."""
    COMMAND_LINE = "command_line"
    NONE = "none"
    SYSTEM = "system"


class Act(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who did it. `id` is a staff identifier, `anonymous` or `system`; `sess` a digest of the session's identifier."""

    auth: str
    id: str
    role: tuple[str, ...] = ()
    sess: str | None = None


class Root(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many items the leaf commits to, and the root over them (base64url without padding)."""

    n: int
    root: str


class KeyHandover(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one signing key of the log hands over to the next (see `tlog.rotation`): two verifier keys, and base64."""

    new: str
    old: str
    sig: str


class Leaf(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Version 1. What has no value is left out."""

    act: Act
    boot: str
    """Names one run of one process."""
    ctr: int
    """Counts the entries of that run from 1; a number that never appears and is not in a later `void` is missing."""
    ev: str
    id: str
    """UUIDv7 of the entry; its first 48 bits are `t`."""
    key: KeyHandover | None = None
    """Of `key.rotate` alone."""
    obj: Root | None = None
    op: str
    org: str
    out: int
    prog: str | None = None
    """The programme concerned, where it is one."""
    purp: str
    req: str
    route: str
    """Method and template (`GET /api/v1/clients/{client}/doses`) or command; never a path with identifiers."""
    st: int | None = None
    """HTTP status, where an answer left."""
    subj: Root | None = None
    t: str
    """When the entry was made, to the millisecond, UTC."""
    v: int
    void: tuple[tuple[int, int], ...] = ()
    """Ranges of `ctr` given to entries whose transaction did not commit, or of which we do not know."""


class BadLeaf(ValueError):
    """Something was about to enter the log that must not stand in a leaf: a mistake in the code that asked for it."""


_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Leaf)


def encode(leaf: Leaf) -> bytes:
    """The bytes of the leaf. Raises `BadLeaf` when they are too many."""
    data = _encoder.encode(leaf)
    if len(data) >= LARGEST_LEAF:
        raise BadLeaf(f"A leaf of {len(data)} bytes.")
    return data


def decode(data: bytes) -> Leaf:
    """Read a leaf for showing it. Proof needs `canonical.parse`, which is strict about the spelling."""
    return _decoder.decode(data)


def made_at(entry: UUID) -> datetime:
    """The instant that an entry's identifier carries (UUIDv7: milliseconds since 1970 in the first 48 bits)."""
    return _EPOCH + timedelta(milliseconds=entry.int >> _TIME_BITS_OFFSET)


def timestamp(entry: UUID) -> str:
    """That instant as it stands in the leaf."""
    return made_at(entry).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def first_entry_at(instant: datetime) -> UUID:
    """The lowest identifier an entry of that instant or later can have; rounds up to the next millisecond."""
    milliseconds = -((_EPOCH - instant) // timedelta(milliseconds=1))
    return UUID(int=max(milliseconds, 0) << _TIME_BITS_OFFSET)


def session_digest(session: UUID) -> str:
    """How a session appears in the log: 128 bits of SHA-256 of its identifier."""
    return base64url(sha256(session.bytes).digest()[:16])


def base64url(data: bytes) -> str:
    """RFC 4648, section 5, without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes of `base64url`. Raises `ValueError`."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@lru_cache(maxsize=4096)
def checked_event(name: str) -> str:
    """The name of an event, `dose.recorded`. Raises `BadLeaf`."""
    return _checked(_EVENT, name, "an event")


@lru_cache(maxsize=4096)
def checked_route(route: str) -> str:
    """A route template or command. Raises `BadLeaf`, also when it holds what looks like an identifier."""
    if _IDENTIFIER.search(route):
        raise BadLeaf("A route with an identifier in it: give its template.")
    return _checked(_ROUTE, route, "a route")


@lru_cache(maxsize=64)
def checked_name(name: str) -> str:
    """The name of an organisation. Raises `BadLeaf`."""
    return _checked(_NAME, name, "a name")


def _checked(form: re.Pattern[str], text: str, what: str) -> str:
    if not form.fullmatch(text):
        raise BadLeaf(f"{text[:80]!r} cannot stand in the log as {what}.")
    return text
