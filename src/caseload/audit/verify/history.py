"""The signed heads: the bundle's own, those beside it, and those that whoever verifies has kept."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.note import LARGEST_NOTE, NotSigned
from caseload.audit.tlog.policy import LARGEST_POLICY, Judged, Policy
from caseload.audit.tlog.rotation import Handover
from caseload.audit.tlog.spelling import Malformed
from caseload.audit.verify.verdict import Finding, Findings, Kind, Stopped, Unusable

_SHOWN: Final = 16
SUCCESSION: Final = re.compile(
    r"caseload audit epoch ([0-9]{1,9}) after ([0-9]{1,15}) root ([0-9a-f]{64}) restored ([0-9]{1,15})"
)
"""The open part of the entry `epoch.opened`."""


class Head(NamedTuple):
    """One signed head, with where it comes from."""

    where: str
    note: bytes
    checkpoint: Checkpoint


class Past(Protocol):
    """What a bundle proves of the log's earlier states."""

    def agrees(self, size: int, root: bytes) -> bool | None:
        """Whether the log of this bundle began with that tree; None where the bundle cannot tell."""
        ...


def read_policy(path: Path) -> Policy:
    """The policy of whoever verifies. Raises `Unusable`."""
    try:
        policy = Policy.parse(read_small(path, LARGEST_POLICY))
    except Malformed as problem:
        raise Unusable(f"{path} is no policy: {problem}") from problem
    if not policy.logs:
        raise Unusable(f"{path} names no key of a log: nothing can be verified with it.")
    return policy


def read_known(path: Path, policy: Policy) -> Head:
    """A checkpoint that was kept. Raises `Unusable` for one that the policy's log did not sign."""
    note = read_small(path, LARGEST_NOTE)
    try:
        return Head(str(path), note, policy.judge(note).checkpoint)
    except (Malformed, NotSigned) as problem:
        raise Unusable(f"{path} is no checkpoint that a log of the policy signed: {problem}") from problem


def judge(note: bytes, where: str, policy: Policy) -> Judged:
    """Open the bundle's own head. Raises `Stopped`: without it nothing here is signed by anybody."""
    try:
        return policy.judge(note)
    except Malformed as problem:
        raise Unusable(f"{where} is no checkpoint: {problem}") from problem
    except NotSigned as problem:
        said = f"{where} is not signed as your policy asks: {problem} Nothing in this bundle is proved."
        raise Stopped(Finding(Kind.FORGED, said)) from problem


def weigh(judged: Judged, policy: Policy, findings: Findings) -> None:
    """Whether enough witnesses have seen this head."""
    if not judged.quorum_met:
        names = ", ".join(sorted(name for name, _ in judged.witnesses)) or "none of them"
        said = f"The checkpoint does not have the cosignatures that your policy asks for ({policy.quorum}): {names} signed."
        findings.add(Finding(Kind.POLICY, said))


def compare(known: Head, own: Head, past: Past, findings: Findings) -> bool:
    """Hold a head against what is proved of the bundle's history; whether both notes are evidence."""
    seen, shown = known.checkpoint, own.checkpoint
    named = "" if seen.origin == shown.origin else f" under its other name {seen.origin}"
    if seen.size > shown.size:
        said = (
            f"{known.where} shows the log{named} with {seen.size:,} entries; the bundle ends after {shown.size:,}. Either it was"
            f" exported before that, or {seen.size - shown.size:,} entries were taken off the end of the log."
        )
        findings.add(Finding(Kind.ROLLBACK, said))
        return True
    agrees = seen.root == shown.root if seen.size == shown.size else past.agrees(seen.size, seen.root)
    if agrees is None:
        said = (
            f"{known.where} (size {seen.size:,}) cannot be compared with this bundle: it has no proof towards it. Ask for"
            f" an export that names this checkpoint, or for the whole log."
        )
        findings.add(Finding(Kind.POLICY, said))
        return False
    if not agrees:
        said = (
            f"There are two histories: the log that {known.where} shows{named} with {seen.size:,} entries (root"
            f" {seen.root.hex()[:16]}) is not how the log in this bundle begins. Both are signed by the log's key."
        )
        findings.add(Finding(Kind.FORK, said))
        return True
    return False


class Rotations:
    """How the log's key was handed on, entry by entry; each key has to be signed for by one that is known before."""

    def __init__(self, policy: Policy) -> None:
        self._known = {str(log.key) for log in policy.logs}
        self._named = frozenset(self._known)
        self._successors: dict[str, tuple[str, int]] = {}
        """By a key that was given up: the next one, and the place of the entry that says so."""

    def take(self, index: int, old: str, new: str, signature: str) -> Finding:
        """What is to be said of one hand-over: that it is forged, or that there is a new key."""
        try:
            good = Handover.parse(old, new, signature).is_good()
        except Malformed:
            good = False
        if not good or old not in self._known:
            why = "the key before did not sign that" if not good else "the key that signed that was never the log's"
            return Finding(Kind.FORGED, f"Entry {index} says that the log has a new key, and {why}.", index)
        self._known.add(new)
        self._successors[old] = new, index
        known = " Your policy has it." if new in self._named else f" Add it to your policy: log {new}"
        return Finding(
            Kind.REMARK, f"With entry {index} the log's key was handed over, signed by the key before.{known}", index
        )

    def of_head(self, judged: Judged, *, whole: bool) -> Iterator[Finding]:
        """Whether the head is signed by the key that the log has by now: the newest always signs, the one before beside it."""
        signed = {str(each.key) for each in judged.logs}
        for old in signed & self._successors.keys():
            new, index = self._successors[old]
            if new in self._named and new not in signed:
                said = f"The checkpoint is signed by a key that the log gave up with entry {index}, and not by the one after it."
                yield Finding(Kind.FORGED, said)
        others = [key for key in sorted(self._named - signed) if key.startswith(f"{judged.checkpoint.origin}+")]
        met = {key for old, (new, _) in self._successors.items() for key in (old, new)}
        if whole and any(key not in met for key in others):
            said = (
                "Your policy has another key of this log, which no entry here hands over to. Either this was exported before"
                " that key came, or whoever has the older key made this log: hold it against a checkpoint of yours (`--known`)."
            )
            yield Finding(Kind.REMARK, said)


def succession(index: int, said: str) -> Finding:
    """What an entry says of how the log came to its present name: from which size on, and what was lost."""
    found = SUCCESSION.fullmatch(said)
    if found is None:
        return Finding(Kind.MALFORMED, f"Entry {index} says that the log has a new name, and not after what.", index)
    number, seen, root, restored = found.groups()
    lost = max(0, int(seen) - int(restored))
    return Finding(
        Kind.REMARK,
        f"With entry {index} the log goes on under the name that ends in /{number}: under the one before, witnesses had"
        f" seen {int(seen):,} entries (root {root[:_SHOWN]}), {int(restored):,} were there, and {lost:,} are lost. Ask who"
        f" decided it.",
        index,
    )


def keep_evidence(folder: Path, heads: Sequence[Head]) -> Sequence[Path]:
    """Write notes to where they stay. Raises `Unusable` when that cannot be done."""
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for head in heads:
            path = folder / f"{head.checkpoint.size}-{sha256(head.note).hexdigest()[:_SHOWN]}.note"
            path.write_bytes(head.note)
            written.append(path)
    except OSError as problem:
        raise Unusable(f"The evidence of a fork cannot be written to {folder}: {problem.strerror}.") from problem
    return list(dict.fromkeys(written))


def instant(seconds: int) -> datetime:
    """A witness's time."""
    return datetime.fromtimestamp(min(seconds, 253_402_300_799), tz=UTC)


def read_small(path: Path, at_most: int) -> bytes:
    """A file of whoever verifies. Raises `Unusable`, also when it is larger than anything of its kind."""
    try:
        with path.open("rb") as file:
            data = file.read(at_most + 1)
    except OSError as problem:
        raise Unusable(f"{path} cannot be read: {problem.strerror}.") from problem
    if len(data) > at_most:
        raise Unusable(f"{path} has more than {at_most:,} bytes: it is something else.")
    return data
