"""A proof of inclusion as a text to keep (C2SP tlog-proof): index, audit path and the checkpoint that it leads to."""

from dataclasses import dataclass

from caseload.audit.tlog.merkle import HASH_BYTES, includes
from caseload.audit.tlog.spelling import Malformed, base64, decimal, from_base64

HEADER = "c2sp.org/tlog-proof@v1"
LONGEST_PATH = 63
LARGEST_PROOF = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That the entry with this index is in the tree of this checkpoint. The checkpoint is as it was signed."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None
    """Not authenticated by anything."""

    def encode(self) -> bytes:
        """The text of the proof, customarily in a file that ends in `.tlog-proof`."""
        lines = [HEADER, *(() if self.extra is None else (f"extra {base64(self.extra)}",)), f"index {self.index}"]
        lines.extend(base64(each) for each in self.path)
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> "Proof":
        """Read a proof. Raises `Malformed`. The checkpoint in it is not opened yet: that needs a policy."""
        head, gap, checkpoint = data.partition(b"\n\n")
        if not gap or len(data) > LARGEST_PROOF:
            raise Malformed("A proof is a head, an empty line and a checkpoint.")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as problem:
            raise Malformed("The head of a proof is ASCII.") from problem
        if lines.pop(0) != HEADER:
            raise Malformed(f"A proof begins with {HEADER!r}.")
        extra = from_base64(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else None
        if not lines or not lines[0].startswith("index "):
            raise Malformed("A proof has a line with the index.")
        index = decimal(lines.pop(0).removeprefix("index "))
        if len(lines) > LONGEST_PATH:
            raise Malformed(f"A path of {len(lines)} hashes.")
        path = tuple(from_base64(line, length=HASH_BYTES) for line in lines)
        return cls(index=index, path=path, checkpoint=checkpoint, extra=extra)

    def proves(self, leaf: bytes, *, size: int, root: bytes) -> bool:
        """Whether the leaf hash stands at the index; size and root come from the checkpoint, once it is opened."""
        return includes(root=root, size=size, index=self.index, leaf=leaf, path=self.path)
