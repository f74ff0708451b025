"""What a witness answers to one `add-checkpoint`, decided without storing anything (C2SP tlog-witness).

The statuses are those of the specification, in its order: 400 for what is no request, 404 for a log that the witness
does not know, 403 without a signature by a known key of it, 409 when the caller begins from another size than the
witness' own or says another root for the same size, 422 when the proof does not lead from the one tree to the other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from caseload.audit.tlog.checkpoint import Checkpoint, open_checkpoint
from caseload.audit.tlog.consistency import is_consistent
from caseload.audit.tlog.merkle import EMPTY_ROOT, HASH_BYTES
from caseload.audit.tlog.note import Note, NotSigned, VerifierKey
from caseload.audit.tlog.spelling import Malformed, base64, decimal, from_base64

MOST_HASHES: Final = 63
LARGEST_REQUEST: Final = 65_536
"""A proof has 3 kB at most; the rest is room for signatures, of which a post-quantum one has 3 kB."""
NOTHING: Final = Checkpoint(origin="", size=0, root=EMPTY_ROOT)


class Request(NamedTuple):
    """One `add-checkpoint`: from which size on, the proof, and the signed checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    @classmethod
    def parse(cls, body: bytes) -> "Request":
        """Read the body. Raises `Malformed`."""
        if len(body) > LARGEST_REQUEST:
            raise Malformed("A request of more than 64 kB.")
        head, gap, note = body.partition(b"\n\n")
        if not gap:
            raise Malformed("There is no empty line before the checkpoint.")
        try:
            first, *lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as problem:
            raise Malformed("The lines before the checkpoint are not ASCII.") from problem
        word, space, size = first.partition(" ")
        if word != "old" or not space:
            raise Malformed("The first line is not `old SIZE`.")
        if len(lines) > MOST_HASHES:
            raise Malformed(f"A proof of {len(lines)} hashes.")
        return cls(decimal(size), tuple(from_base64(line, length=HASH_BYTES) for line in lines), note)

    def encode(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old}", *(base64(each) for each in self.proof), "", ""]
        return "\n".join(lines).encode() + self.note


class Refused(Exception):
    """The witness does not cosign; says which status leaves, and its own size where that is the reason."""

    def __init__(self, status: int, why: str, *, size: int | None = None) -> None:
        super().__init__(why)
        self.status = status
        self.size = size


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checkpoint that the right log signed. Whether it may follow what the witness has seen is not decided yet."""

    request: Request
    checkpoint: Checkpoint

    def follows(self, seen: Checkpoint | None) -> None:
        """Return when it begins with the whole of the largest tree that was seen. Raises `Refused`.

        From the size 0 on anything follows, without a proof.
        """
        before = seen or NOTHING
        if self.request.old != before.size:
            raise Refused(409, f"The witness has seen {before.size} entries.", size=before.size)
        if self.checkpoint.size == before.size and self.checkpoint.root != before.root:
            raise Refused(409, f"The witness has seen another tree of {before.size} entries.", size=before.size)
        if not self._is_proved(before):
            raise Refused(422, f"The proof does not lead from {before.size} to {self.checkpoint.size} entries.")

    def _is_proved(self, before: Checkpoint) -> bool:
        if before.size == 0:
            return not self.request.proof
        return is_consistent(
            old=before.size,
            old_root=before.root,
            new=self.checkpoint.size,
            new_root=self.checkpoint.root,
            path=self.request.proof,
        )


def looked_at(body: bytes, logs: Iterable[VerifierKey]) -> Wanted:
    """Read a request and verify who signed it. Raises `Refused`."""
    try:
        request = Request.parse(body)
        claimed = Checkpoint.parse(Note.parse(request.note).text)
    except Malformed as problem:
        raise Refused(400, str(problem)) from problem
    keys = [key for key in logs if key.name == claimed.origin]
    if not keys:
        raise Refused(404, "The witness does not know this log.")
    return Wanted(request, _opened(request, keys))


def _opened(request: Request, keys: Sequence[VerifierKey]) -> Checkpoint:
    try:
        checkpoint, _ = open_checkpoint(request.note, keys)
    except NotSigned as problem:
        raise Refused(403, "No known key of this log signed it.") from problem
    if request.old > checkpoint.size:
        raise Refused(400, "The old size is larger than that of the checkpoint.")
    return checkpoint
