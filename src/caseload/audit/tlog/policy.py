"""Whom to believe about a log (C2SP tlog-policy): its keys, its witnesses, and how many of them it takes.

    log VKEY [URL]
    witness NAME VKEY [URL]
    group NAME all|any|NUMBER MEMBER...
    quorum NAME|none

Whoever verifies brings the policy along. One that came with what is to be verified proves nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, NoReturn

from caseload.audit.tlog.checkpoint import Checkpoint, open_checkpoint
from caseload.audit.tlog.note import Kind, Verified, VerifierKey
from caseload.audit.tlog.spelling import Malformed, decimal

NOBODY = "none"
LARGEST_POLICY = 1_000_000
MOST_LINES = 10_000


class KnownLog(NamedTuple):
    """A key of a log. A log whose key was changed has several."""

    key: VerifierKey
    url: str | None = None


class KnownWitness(NamedTuple):
    """A witness, under the name that this policy gives it."""

    name: str
    key: VerifierKey
    url: str | None = None


class Group(NamedTuple):
    """Members of which so many must have cosigned: witnesses or groups."""

    name: str
    needed: int
    members: tuple[str, ...]


class Judged(NamedTuple):
    """A checkpoint that a known log signed, and who else did."""

    checkpoint: Checkpoint
    logs: tuple[Verified, ...]
    """The signatures of the log's keys that are known."""
    witnesses: tuple[tuple[str, Verified], ...]
    """The cosignatures by witnesses that are known, with their names."""
    quorum_met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy as it was read."""

    logs: tuple[KnownLog, ...] = ()
    witnesses: tuple[KnownWitness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str = NOBODY
    _groups: Mapping[str, Group] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_groups", MappingProxyType({group.name: group for group in self.groups}))

    @classmethod
    def parse(cls, data: bytes) -> "Policy":
        """Read a policy. Raises `Malformed`, naming the line."""
        if len(data) > LARGEST_POLICY or any((byte < 0x20 and byte not in b"\t\n") or byte == 0x7F for byte in data):
            raise Malformed("A policy is text without control characters, below a megabyte.")
        # Bytes beyond ASCII are opaque in names and addresses: they come through unchanged and mean nothing.
        lines = data.decode("ascii", errors="surrogateescape").split("\n")
        if len(lines) > MOST_LINES:
            raise Malformed(f"A policy of {len(lines)} lines.")
        reading = _Reading()
        for number, line in enumerate(lines, start=1):
            words = line.replace("\t", " ").split(" ")
            words = [word for word in words if word]
            if words and not words[0].startswith("#"):
                reading.line(number, words)
        return reading.policy()

    def encode(self) -> bytes:
        """The policy as a file, without comments."""
        lines = [" ".join(("log", str(log.key), *_optional(log.url))) for log in self.logs]
        lines += [" ".join(("witness", each.name, str(each.key), *_optional(each.url))) for each in self.witnesses]
        lines += [" ".join(("group", each.name, str(each.needed), *each.members)) for each in self.groups]
        lines.append(f"quorum {self.quorum}")
        return "".join(f"{line}\n" for line in lines).encode("utf-8", errors="surrogateescape")

    def keys(self) -> tuple[VerifierKey, ...]:
        """All keys in it."""
        return (*(log.key for log in self.logs), *(witness.key for witness in self.witnesses))

    def is_met_by(self, witnesses: Collection[str]) -> bool:
        """Whether cosignatures by these witnesses (their names here) are enough."""
        return self.quorum == NOBODY or self._witnessed(self.quorum, witnesses)

    def judge(self, checkpoint: bytes) -> Judged:
        """Open a checkpoint: a log of this policy signed it, and the quorum is met or not.

        Raises `Malformed`; `NotSigned` when no log of this policy signed it or any known signature is bad.
        """
        found, opened = open_checkpoint(checkpoint, self.keys())
        known = {log.key for log in self.logs}
        logs = tuple(each for each in opened.verified if each.key in known and each.key.name == found.origin)
        names = {witness.key: witness.name for witness in self.witnesses}
        witnesses = tuple((names[each.key], each) for each in opened.verified if each.key in names)
        return Judged(found, logs, witnesses, self.is_met_by({name for name, _ in witnesses}))

    def _witnessed(self, name: str, witnesses: Collection[str]) -> bool:
        group = self._groups.get(name)
        if group is None:
            return name in witnesses
        return sum(self._witnessed(member, witnesses) for member in group.members) >= group.needed


class _Reading:
    """A policy while it is read, line by line."""

    def __init__(self) -> None:
        self._logs: list[KnownLog] = []
        self._witnesses: list[KnownWitness] = []
        self._groups: list[Group] = []
        self._quorum: str | None = None
        self._names: set[str] = {NOBODY}
        self._members: set[str] = set()
        self._public: dict[str, set[bytes]] = {"log": set(), "witness": set()}

    def line(self, number: int, words: list[str]) -> None:
        try:
            match words:
                case ["log", key, *url] if len(url) <= 1:
                    self._logs.append(KnownLog(self._key("log", key), *url))
                case ["witness", name, key, *url] if len(url) <= 1:
                    self._new(name)
                    self._witnesses.append(KnownWitness(name, self._key("witness", key), *url))
                case ["group", name, needed, *members] if members:
                    self._group(name, needed, members)
                case ["quorum", name]:
                    self._set_quorum(name)
                case _:
                    self._refuse(words)
        except Malformed as problem:
            raise Malformed(f"Line {number} of the policy: {problem}") from problem

    @staticmethod
    def _refuse(words: list[str]) -> NoReturn:
        raise Malformed(f"{words[0][:40]!r} with {len(words) - 1} words after it says nothing here.")

    def policy(self) -> Policy:
        if self._quorum is None:
            raise Malformed("A policy says what the quorum is, `quorum none` at least.")
        return Policy(
            logs=tuple(self._logs),
            witnesses=tuple(self._witnesses),
            groups=tuple(self._groups),
            quorum=self._quorum,
        )

    def _key(self, what: str, text: str) -> VerifierKey:
        key = VerifierKey.parse(text.encode("ascii", errors="surrogateescape").decode("utf-8", errors="replace"))
        if key.kind is not (Kind.ED25519 if what == "log" else Kind.COSIGNATURE):
            raise Malformed(f"The key of {key.name[:80]!r} is not one of a {what}.")
        if key.public in self._public[what]:
            raise Malformed(f"The key of {key.name[:80]!r} stands twice.")
        self._public[what].add(key.public)
        return key

    def _new(self, name: str) -> None:
        if name in self._names:
            raise Malformed(f"The name {name[:80]!r} is taken.")
        self._names.add(name)

    def _group(self, name: str, needed: str, members: list[str]) -> None:
        count = {"all": len(members), "any": 1}.get(needed)
        if count is None:
            count = decimal(needed)
        if not 1 <= count <= len(members):
            raise Malformed(f"{count} of {len(members)} is no group.")
        for member in members:
            if member not in self._names or member == NOBODY:
                raise Malformed(f"{member[:80]!r} is not a witness or group of a line before.")
            if member in self._members:
                raise Malformed(f"{member[:80]!r} is a member already.")
            self._members.add(member)
        self._new(name)
        self._groups.append(Group(name, count, tuple(members)))

    def _set_quorum(self, name: str) -> None:
        if self._quorum is not None:
            raise Malformed("There is one quorum.")
        if name not in self._names:
            raise Malformed(f"{name[:80]!r} is not a witness or group of a line before.")
        self._quorum = name


def _optional(url: str | None) -> tuple[str, ...]:
    return () if url is None else (url,)
