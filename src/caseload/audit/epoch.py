"""A new epoch: how a log goes on after entries that a witness has seen are lost for good.

The old name is never signed again: a tree of the same size with another root would be a fork for ever. The log gets the
next name (`.../2`), and an entry that says how far the old one had come, with which root, what was restored, and who
decided it. Every proof under the old name stays what it was. The next name is signed by a key that was made for it, so
that an auditor's policy can hold both; and so the same is the way on when somebody else may have the signing key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

import asyncpg

from caseload.audit import tree as trees
from caseload.audit.keystore import SigningKeys
from caseload.audit.sequencer import LOCK
from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.note import VerifierKey
from caseload.audit.tree import Tree
from caseload.domain.ids import StaffId
from caseload.domain.journal import Event
from caseload.settings import OperatorError

NAME: Final = "epoch.opened"


class NoNewEpoch(OperatorError):
    """There is no reason for a new epoch, or it cannot be opened now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochOpened(Event):
    """The log goes on under its next name, after entries were lost."""

    name: ClassVar[str] = NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What is lost: the log had come as far as `seen`, and the database holds `restored`."""

    seen: Checkpoint
    restored: Checkpoint
    number: int
    """Of the epoch to be opened."""

    @property
    def said(self) -> str:
        """The open part of its entry: the next epoch, the last size and root that were witnessed, what was restored."""
        root = self.seen.root.hex()
        return f"caseload audit epoch {self.number} after {self.seen.size} root {root} restored {self.restored.size}"

    def facts(self, *, approved_by: StaffId) -> Mapping[str, str | int]:
        """What else its entry says."""
        return {
            "origin": self.seen.origin,
            "witnessed": self.seen.size,
            "restored": self.restored.size,
            "lost": max(0, self.seen.size - self.restored.size),
            "approved_by": str(approved_by),
        }


async def held_still(connection: asyncpg.Connection) -> Tree:
    """The tree, while no sequencer works on it. Raises `NoNewEpoch`."""
    if not await connection.fetchval("select pg_try_advisory_lock($1)", LOCK):
        raise NoNewEpoch("A sequencer is at work: stop the service and every `caseload sequencer` first.")
    tree = await trees.load(connection)
    if tree is None:
        raise NoNewEpoch("This log has never been signed: there is nothing that could have been lost.")
    return tree


async def what_is_lost(
    connection: asyncpg.Connection, tree: Tree, seen: Checkpoint, *, is_key_stolen: bool = False
) -> Loss:
    """See `loss`; looks up the root that the tree here has at the size that was witnessed."""
    there = await trees.root_at(connection, tree, seen.size) if 0 < seen.size <= tree.size else None
    return loss(tree, seen, root_there=there, is_key_stolen=is_key_stolen)


def loss(tree: Tree, seen: Checkpoint, *, root_there: bytes | None, is_key_stolen: bool = False) -> Loss:
    """What the database lacks of what was witnessed; `root_there` is its own root at that size, where it has one.

    Raises `NoNewEpoch` when it lacks nothing, unless nobody can tell any more who signs under the present name.
    """
    if seen.origin != tree.epoch.origin:
        raise NoNewEpoch(f"That is a checkpoint of {seen.origin}, and the log is called {tree.epoch.origin}.")
    if root_there == seen.root and not is_key_stolen:
        raise NoNewEpoch(f"The database holds all {seen.size} entries that were witnessed: just start the sequencer.")
    return Loss(seen=seen, restored=tree.checkpoint(), number=tree.epoch.number + 1)


async def begin(connection: asyncpg.Connection, tree: Tree, keys: SigningKeys, *, now: datetime) -> VerifierKey:
    """Give the log its next name, from its present size on. Returns the key that signs under it: the newest there is."""
    number = tree.epoch.number + 1
    origin = f"{tree.epoch.origin.rpartition('/')[0]}/{number}"
    key = keys.signers(origin)[-1].key
    await trees.begin(connection, origin=origin, key=key, number=number, size=tree.size, now=now)
    return key
