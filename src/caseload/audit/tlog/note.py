"""Signed notes, as C2SP signed-note has them: a text, an empty line, and lines of signatures under it.

A signature line is `— NAME BASE64(key id || signature)`. A signature by a key one does not know says nothing and is
passed over; a bad signature that claims a known key condemns the whole note. Two kinds of signature are known here:
Ed25519 over the text, and the cosignature of a witness (see `cosignature`).

A verifier key (vkey) is written `NAME+HEX(key id)+BASE64(kind || public key)`; the key id is the first four bytes of
the SHA-256 of name, newline, kind and public key.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from caseload.audit.tlog import cosignature
from caseload.audit.tlog.spelling import Malformed, base64, from_base64

KEY_ID_BYTES = 4
PUBLIC_BYTES = 32
LARGEST_NOTE = 1_000_000
MOST_SIGNATURES = 100
"""signed-note asks for 16 at least."""
_DASH = "\u2014 "


class Kind(IntEnum):
    """What a key signs, the signature type identifier of signed-note."""

    ED25519 = 0x01
    """The text of the note, by a log."""
    COSIGNATURE = 0x04
    """That the text was seen at a time, by a witness."""


class NotSigned(ValueError):
    """No signature by a known key, or a bad one that claims a known key."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name and its kind. The name of a log's key is the origin of the log."""

    name: str
    kind: Kind
    public: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise Malformed(f"{self.name[:80]!r} cannot be the name of a key: no spaces, no plus, not empty.")
        if len(self.public) != PUBLIC_BYTES:
            raise Malformed(f"An Ed25519 key has {PUBLIC_BYTES} bytes, not {len(self.public)}.")
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        object.__setattr__(self, "key_id", sha256(named).digest()[:KEY_ID_BYTES])

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read a vkey. Raises `Malformed`, also for kinds of key that are not known here."""
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise Malformed(f"{text[:80]!r} is not a verifier key (NAME+ID+KEY).")
        name, key_id, encoded = parts
        data = from_base64(encoded)
        if not data or data[0] not in {kind.value for kind in Kind}:
            raise Malformed(f"The verifier key of {name[:80]!r} is of a kind that is not known here.")
        key = cls(name, Kind(data[0]), data[1:])
        if key.key_id.hex() != key_id:
            raise Malformed(f"The identifier in the verifier key of {name[:80]!r} is not that of the key.")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64(bytes([self.kind]) + self.public)}"

    def verified(self, text: str, value: bytes) -> int | None:
        """Check a signature of this key under the text; of a cosignature, the time it states.

        Raises `NotSigned` for a bad signature.
        """
        try:
            match self.kind:
                case Kind.ED25519:
                    at, message, signature = None, text.encode(), value
                case Kind.COSIGNATURE:
                    at, signature = cosignature.taken_apart(value)
                    message = cosignature.message(text, at=at)
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, Malformed) as problem:
            raise NotSigned(f"The signature of {self.name} ({self.key_id.hex()}) is not good.") from problem
        return at


class Signature(NamedTuple):
    """One line under a note."""

    name: str
    key_id: bytes
    value: bytes
    """What follows the key id: 64 bytes of Ed25519, or time and signature of a witness."""

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {base64(self.key_id + self.value)}"

    @classmethod
    def parse(cls, line: str) -> "Signature":
        """Read one line, without its newline. Raises `Malformed`."""
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not space or not is_key_name(name):
            raise Malformed(f"{line[:80]!r} is not a line with a signature.")
        data = from_base64(encoded)
        if len(data) <= KEY_ID_BYTES:
            raise Malformed(f"The signature of {name[:80]!r} is empty.")
        return cls(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


class Note(NamedTuple):
    """A note as it is written, with nothing verified."""

    text: str
    """Ends in a newline."""
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, data: bytes) -> "Note":
        """Take a note apart. Raises `Malformed`. Believe nothing in it before `open_note`."""
        if len(data) > LARGEST_NOTE:
            raise Malformed(f"A note of {len(data)} bytes.")
        try:
            whole = data.decode("utf-8")
        except UnicodeDecodeError as problem:
            raise Malformed("A note that is not UTF-8.") from problem
        if any(character < " " and character != "\n" for character in whole):
            raise Malformed("A note with a control character.")
        text, gap, lines = whole.rpartition("\n\n")
        if not gap or not lines.endswith("\n"):
            raise Malformed("A note is a text, an empty line, and lines of signatures, each ending in a newline.")
        signatures = lines[:-1].split("\n")
        if len(signatures) > MOST_SIGNATURES:
            raise Malformed(f"A note with {len(signatures)} signatures.")
        return cls(text + "\n", tuple(Signature.parse(line) for line in signatures))

    def encode(self) -> bytes:
        """The bytes of the note."""
        return "".join((self.text, "\n", *(f"{signature}\n" for signature in self.signatures))).encode()


class Verified(NamedTuple):
    """A signature that is good."""

    key: VerifierKey
    signature: Signature
    at: int | None
    """When a witness says that it signed, in seconds since 1970."""


class Opened(NamedTuple):
    """A note at least one of whose signatures is by a known key."""

    text: str
    verified: tuple[Verified, ...]
    """One for each known key that signed, in the order of the lines."""


def open_note(data: bytes, known: Iterable[VerifierKey]) -> Opened:
    """Read a note and verify what the known keys signed.

    Raises `Malformed` when it is no note; `NotSigned` when no known key signed it, or a signature that claims a known
    key is bad, whatever the others say.
    """
    note = Note.parse(data)
    keys = {(key.name, key.key_id): key for key in known}
    good: dict[VerifierKey, Verified] = {}
    for signature in note.signatures:
        key = keys.get((signature.name, signature.key_id))
        if key is not None:
            found = Verified(key, signature, key.verified(note.text, signature.value))
            good.setdefault(key, found)
    if not good:
        raise NotSigned("No signature by a known key.")
    return Opened(note.text, tuple(good.values()))


class Signer(Protocol):
    """A key that can sign: one from a file, or one that never leaves a key service."""

    @property
    def key(self) -> VerifierKey:
        """The public half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Ed25519 over these bytes."""
        ...


class LocalSigner:
    """A signing key in memory, from the 32 bytes of an Ed25519 seed (RFC 8032)."""

    __slots__ = ("_private", "key")

    def __init__(self, seed: bytes, *, name: str, kind: Kind = Kind.ED25519) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = VerifierKey(name, kind, self._private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


def sign_text(text: str, signer: Signer) -> Signature:
    """A log's signature under a text. Ed25519 is deterministic: signing again gives the same bytes."""
    return Signature(signer.key.name, signer.key.key_id, signer.sign(text.encode()))


def cosign_text(text: str, signer: Signer, *, at: int) -> Signature:
    """A witness' signature under the text of a checkpoint, at a time in seconds since 1970."""
    value = cosignature.cosign(text, at=at, sign=signer.sign)
    return Signature(signer.key.name, signer.key.key_id, value)


def write_note(text: str, signatures: Sequence[Signature]) -> bytes:
    """A note of text and signatures. Raises `Malformed` for what could not be read again."""
    data = Note(text, tuple(signatures)).encode()
    if Note.parse(data) != (text, tuple(signatures)):
        raise Malformed("This text cannot be signed as a note.")
    return data


def is_key_name(name: str) -> bool:
    """Whether a key may have this name: not empty, no Unicode space, no plus, no control character."""
    return bool(name) and not any(each.isspace() or each == "+" or each < " " or each == "\x7f" for each in name)
