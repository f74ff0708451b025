"""Logs without a database: entries made as the service makes them, a tree over them, signed heads, and exports."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.audit.bundle import MANIFEST, Laid, Manifest, Opened, Proved, Scope
from caseload.audit.keyring import KeyRing
from caseload.audit.keys import ClientKey
from caseload.audit.laying_open import Kept, lay_open
from caseload.audit.packing import Exported, Packed, Packer
from caseload.audit.pending import Pending
from caseload.audit.record import NotARecord, read
from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.merkle import leaf_hash
from caseload.audit.tlog.note import Kind, LocalSigner, Signature, cosign_text, sign_text, write_note
from caseload.audit.tlog.prove import compact_range, consistency, inclusion
from caseload.audit.tlog.tile import Edge, TileName, tiles_of
from caseload.audit.trail import AuditTrail
from caseload.domain.accesslog import LaidOpen
from caseload.domain.ids import ClientId
from tests.factories.audit import KeysInMemory, a_client, a_pending, a_trail, seen

Change = Callable[[bytes], bytes | None]
"""From what a file holds to what it shall hold; None takes it out."""

ORIGIN = "audit.clinic-01.example/caseload/1"


def a_signer(name: str = ORIGIN, *, kind: Kind = Kind.ED25519) -> LocalSigner:
    return LocalSigner(os.urandom(32), name=name, kind=kind)


def a_witness(name: str = "witness.example") -> LocalSigner:
    return a_signer(name, kind=Kind.COSIGNATURE)


def a_policy(log: LocalSigner, *witnesses: LocalSigner, needed: str = "any") -> bytes:
    """The file that an auditor keeps."""
    lines = [f"log {log.key}"]
    names = [f"w{number}" for number, _ in enumerate(witnesses)]
    lines += [f"witness {name} {each.key}" for name, each in zip(names, witnesses, strict=True)]
    if names:
        lines += [f"group g {needed} {' '.join(names)}", "quorum g"]
    else:
        lines.append("quorum none")
    return "".join(f"{line}\n" for line in lines).encode()


@dataclass
class MadeLog:
    """A log as it lies in the database: what is stored may be changed by whoever plays the attacker."""

    signer: LocalSigner = field(default_factory=a_signer)
    witnesses: list[LocalSigner] = field(default_factory=list[LocalSigner])
    trail: AuditTrail = field(default_factory=lambda: a_trail(KeysInMemory()))
    clients: list[ClientId] = field(default_factory=lambda: [a_client() for _ in range(5)])
    leaves: list[bytes] = field(default_factory=list[bytes])
    kept: list[Kept] = field(default_factory=list[Kept])
    tiles: dict[tuple[int | None, int], bytes] = field(default_factory=dict[tuple[int | None, int], bytes])
    edge: Edge = field(default_factory=Edge)
    keys: dict[UUID, ClientKey] = field(default_factory=dict[UUID, ClientKey])
    seen_at: int = 2_000_000_000

    def __post_init__(self) -> None:
        self.keys = self.keys or {client: ClientKey(client, os.urandom(32)) for client in self.clients}
        self.trail.keys.remember(self.keys)

    async def write(self, number: int, pendings: Iterable[Pending] | None = None) -> "MadeLog":
        """Append entries: reads of one to five clients unless others are given."""
        made = list(pendings or (a_pending(seen(self.clients[: 1 + at % len(self.clients)])) for at in range(number)))
        entries = await self.trail.prepare(cast("AsyncConnection", None), made)
        self.trail.settle(entries, kept=True)
        self.put([each.leaf for each in entries], [Kept(each.references, each.sealed) for each in entries])
        return self

    def put(self, leaves: Sequence[bytes], kept: Sequence[Kept] | None = None) -> None:
        """Append leaves as they are."""
        self.leaves += leaves
        self.kept += kept or [Kept((), b"")] * len(leaves)
        for tile, data in self.edge.append([leaf_hash(leaf) for leaf in leaves]):
            self.tiles[tile.level, tile.number] = data

    def copy(self) -> "MadeLog":
        """The same log, to be changed apart."""
        lists = {
            "leaves": list(self.leaves),
            "kept": list(self.kept),
            "tiles": dict(self.tiles),
            "keys": dict(self.keys),
        }
        return replace(self, **lists, witnesses=list(self.witnesses), edge=deepcopy(self.edge))

    def rebuild(self) -> None:
        """The tree again, from what is stored now."""
        leaves, kept = self.leaves, self.kept
        self.leaves, self.kept, self.tiles, self.edge = [], [], {}, Edge()
        self.put(leaves, kept)

    @property
    def size(self) -> int:
        return self.edge.size

    def note(self, *, size: int | None = None, extra: Sequence[Signature] = ()) -> bytes:
        """The signed head, cosigned by every witness."""
        size = self.size if size is None else size
        root = compact_range(0, size, size, self.fetch).root() if size else Edge().root()
        text = Checkpoint(origin=self.signer.key.name, size=size, root=root).text()
        signatures = [
            sign_text(text, self.signer),
            *(cosign_text(text, each, at=self.seen_at) for each in self.witnesses),
        ]
        return write_note(text, [*signatures, *extra])

    def policy(self) -> bytes:
        return a_policy(self.signer, *self.witnesses)

    def fetch(self, tile: TileName) -> bytes:
        return self.tiles[tile.level, tile.number]

    def exported(self, index: int, laid_open: LaidOpen, only: ClientId | None, *, path: bool = False) -> Exported:
        """One entry as an export takes it."""
        keys = self.keys if laid_open is LaidOpen.CLIENTS or only else {}
        ring = KeyRing()
        for client, key in keys.items():
            if only in {None, client}:
                ring.add(key)
        box = None if laid_open is LaidOpen.NOTHING else self.trail.box
        leaf = self.leaves[index]
        try:
            shown = lay_open(index, read(leaf), self.kept[index], ring, box)
        except NotARecord:
            shown = []
        return Exported(index, leaf, shown, inclusion(index, self.size, self.fetch) if path else ())

    def export(
        self,
        out: Path,
        *,
        laid_open: LaidOpen = LaidOpen.CLIENTS,
        note: bytes | None = None,
        older: Mapping[int, bytes] | None = None,
        span: tuple[int, int] | None = None,
        choice: Sequence[int] | None = None,
        only: ClientId | None = None,
        towards: Sequence[int] = (),
        columns: Sequence[int] = (),
    ) -> Packed:
        """Write an export of everything, of a span, or of a choice of entries."""
        scope = Scope.SPAN if span else Scope.WHOLE if choice is None else Scope.CHOICE
        size = self.size
        first, end = span or (0, size)
        with Packer(out, scope=scope, size=size, first=first) as packer:
            packer.head(note or self.note(), older or {})
            packer.columns += columns
            if scope is Scope.WHOLE:
                for tile in tiles_of(size):
                    packer.tile(tile, self.fetch(tile)[: tile.width * 32])
            elif scope is Scope.SPAN:
                packer.span(
                    compact_range(0, first, size, self.fetch).hashes, compact_range(end, size, size, self.fetch).hashes
                )
            packer.consistency(Proved(old, consistency(old, size, self.fetch)) for old in towards)
            places = range(first, end) if choice is None else choice
            packer.add(self.exported(index, laid_open, only, path=choice is not None) for index in places)
            packed = packer.close(made="2026-11-22T12:00:00Z", opened=Opened(laid_open.value), asked={})
            packer.publish()
            return packed


def rewritten(folder: Path, name: str, change: Change) -> None:
    """Change a file of an export, and make the manifest fit: whoever changes one can change the other."""
    path = folder / name
    data = change(path.read_bytes() if path.exists() else b"")
    if data is None:
        path.unlink()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    manifest = Manifest.decode((folder / MANIFEST).read_bytes())
    files = [each for each in manifest.files if each.name != name]
    if data is not None:
        files.append(Laid(name, len(data), sha256(data).hexdigest()))
    (folder / MANIFEST).write_bytes(manifest._replace(files=sorted(files)).encode())
