"""Checkpoints, as C2SP tlog-checkpoint has them: the body of a note that says how large the tree of a log is.

Three lines: the origin, which names the log; the size; the root in base64. Lines after those are read, since a
witness signs them with the rest, and never written: nobody can audit them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from caseload.audit.tlog.merkle import EMPTY_ROOT, HASH_BYTES
from caseload.audit.tlog.note import Kind, NotSigned, Opened, VerifierKey, open_note
from caseload.audit.tlog.spelling import Malformed, base64, decimal, from_base64


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One state of one log."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The body of the note, which is what is signed."""
        lines = (self.origin, str(self.size), base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read the body of a note. Raises `Malformed`. It is to be believed only if the note was opened."""
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() != "" or not all(lines):
            raise Malformed("A checkpoint has at least three lines, none of them empty: origin, size, root.")
        size, root = decimal(lines[1]), from_base64(lines[2], length=HASH_BYTES)
        if size == 0 and root != EMPTY_ROOT:
            raise Malformed("The root of an empty tree is the SHA-256 of nothing.")
        return cls(origin=lines[0], size=size, root=root, extensions=tuple(lines[3:]))


def open_checkpoint(data: bytes, known: Iterable[VerifierKey]) -> tuple[Checkpoint, Opened]:
    """Read a signed checkpoint: the log that it names has signed it with one of the known keys.

    Raises `Malformed` when it is none; `NotSigned` when no known key of that name signed it as a log, or when a
    signature of a known key is bad.
    """
    opened = open_note(data, known)
    checkpoint = Checkpoint.parse(opened.text)
    if not any(each.key.kind is Kind.ED25519 and each.key.name == checkpoint.origin for each in opened.verified):
        raise NotSigned(f"Not signed by a known key of the log {checkpoint.origin[:80]!r}.")
    return checkpoint, opened
