"""Parts of the log for tests: keys in memory, journals, and entries about to be made."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from caseload.audit.journal import RequestJournal
from caseload.audit.keystore import KeyName, KeyStoreUnusable, StoredKey
from caseload.audit.tlog.note import LocalSigner
from caseload.audit.trail import AuditTrail, Circumstances, Outcome, Pending
from caseload.domain.access import Holding, Role
from caseload.domain.ids import ClientId, ProgrammeId, SessionId, StaffId, new_id
from caseload.domain.journal import Event

UNWATCHED = "alter event trigger audit_no_ddl disable; alter event trigger audit_no_drop disable;"
"""What an attacker with a superuser's rights does first, before switching off what guards the log's tables."""


@dataclass
class KeysInMemory:
    """A key store of a few random keys, which a test may add to or take from."""

    kept: dict[tuple[KeyName, int], bytes] = field(
        default_factory=lambda: {(name, 1): os.urandom(32) for name in KeyName}
    )

    def current(self, name: KeyName) -> StoredKey:
        return self.numbered(name, max((number for known, number in self.kept if known == name), default=1))

    def numbered(self, name: KeyName, number: int) -> StoredKey:
        if (name, number) not in self.kept:
            raise KeyStoreUnusable(f"There is no key {name} {number}.")
        return StoredKey(number, self.kept[name, number])

    def signers(self, origin: str) -> list[LocalSigner]:
        return [
            LocalSigner(secret, name=origin)
            for (name, _), secret in sorted(self.kept.items())
            if name is KeyName.SIGNING
        ]


@dataclass(frozen=True)
class Someone:
    """Whoever acts."""

    id: StaffId = field(default_factory=lambda: StaffId(new_id()))
    session: SessionId | None = field(default_factory=lambda: SessionId(new_id()))
    holdings: tuple[Holding, ...] = (Holding(role=Role.COUNSELLOR, programme=ProgrammeId(UUID(int=1))),)


@dataclass(frozen=True, slots=True, kw_only=True)
class SomethingHappened(Event):
    name = "thing.happened"


def a_client() -> ClientId:
    return ClientId(new_id())


def a_trail(store: KeysInMemory | None = None) -> AuditTrail:
    return AuditTrail(store or KeysInMemory(), organisation="clinic-01")


def seen(clients: Iterable[UUID], kind: str = "check_in") -> RequestJournal:
    """The journal of a list that showed these clients."""
    journal = RequestJournal()
    for client in clients:
        journal.saw(ClientId(client), kind)
    return journal


def a_pending(
    journal: RequestJournal | None = None,
    *,
    actor: Someone | None = None,
    event: str = "check_in.listed",
    outcome: Outcome = Outcome.DONE,
    status: int = 200,
    circumstances: Circumstances | None = None,
    programme: ProgrammeId | None = None,
) -> Pending:
    """What a list of check-ins leaves behind."""
    return Pending(
        actor=actor or Someone(),
        journal=journal or RequestJournal(),
        outcome=outcome,
        status=status,
        circumstances=circumstances
        or Circumstances(source="192.0.2.7", route="GET /api/v1/check-ins/overdue", event=event, programme=programme),
    )
