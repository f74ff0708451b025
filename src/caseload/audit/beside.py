"""Whether what lies beside the entries is whole: what says, sealed, whom each of them is about.

No proof rests on it, because it goes when a client is erased. So whoever has the rights of a superuser can take it away
or put something else there, and an entry is missing from the report of whomever it was about; the log itself stays
valid. But an entry says how many clients it names, what lies beside it is what it committed to, and every reference is
that of somebody who has a key, or of somebody who was erased.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.audit.accesslog import disclosed, read_as_reader
from caseload.audit.commitment import LogBox, disclose_request
from caseload.audit.item import unpack
from caseload.audit.keyring import KeyRing
from caseload.audit.keys import ClientKey
from caseload.audit.keystore import KeyStoreUnusable
from caseload.audit.leaf import Leaf, decode, from_base64url
from caseload.audit.tables import disclosure, erased, log
from caseload.audit.trail import AuditTrail
from caseload.domain.ids import ClientId, EntryId, new_id
from caseload.domain.journal import Event

PAGE: Final = 1_000
MOST_NAMED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChecked(Event):
    """Somebody looked whether what lies beside the entries is whole."""

    name: ClassVar[str] = "audit_log.checked"


@dataclass(slots=True)
class Looked:
    """What was looked at, and what is wrong with it."""

    entries: int = 0
    mentions: int = 0
    """How often an entry names a client."""
    named: list[str] = field(default_factory=list[str])
    """The first entries that want something, in a sentence each."""
    more: int = 0
    """How many others do."""
    strangers: set[bytes] = field(default_factory=set[bytes])
    """References that are nobody's."""
    erased: int = 0
    """How many clients were erased: so many references are nobody's, at most."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wanting that an erasure does not explain."""
        return not self.named and len(self.strangers) <= self.erased

    def wants(self, sentence: str) -> None:
        """Something is wrong with one entry."""
        if len(self.named) < MOST_NAMED:
            self.named.append(sentence)
        else:
            self.more += 1


async def look(connection: AsyncConnection, trail: AuditTrail) -> Looked:
    """Look at everything that lies beside an entry that is there by now."""
    found, end, after = Looked(), new_id(), UUID(int=0)
    keys = KeyRing()
    async for key in trail.keys.everybody(connection):
        keys.add(key)
    while rows := await read_as_reader(connection, _PAGE, {"after": after, "end": end}):
        for row in rows:
            _look_at(row, keys, trail.box, found)
        after = rows[-1].entry_id
    # A client may have got a key while we looked, and one who is about to be erased has one still.
    found.strangers -= (await trail.keys.references(connection)).keys()
    found.erased = (await connection.execute(_ERASED)).scalar_one()
    return found


def _look_at(row: Row[*tuple[Any, ...]], keys: KeyRing, box: LogBox, found: Looked) -> None:
    leaf, references = decode(row.leaf), list[bytes](row.refs or ())
    clients = leaf.subj.n if leaf.subj else 0
    found.entries += 1
    found.mentions += clients
    entry = f"Entry {row.entry_id}" if row.idx is None else f"Entry {row.idx}"
    if row.sealed is None or len(references) != clients:
        found.wants(f"{entry} names {clients} clients, and there are {len(references)} beside it.")
        return
    if not _says_of_request(leaf, row.sealed, box):
        found.wants(f"{entry}: what lies beside it does not say of the request what it committed to.")
    theirs = {each: keys.find(each) for each in references}
    found.strangers.update(each for each, key in theirs.items() if key is None)
    wrong = sum(not _is_theirs(leaf, references, row.sealed, key) for key in theirs.values() if key is not None)
    if wrong:
        found.wants(f"{entry}: of {wrong} of its clients there lies something else than it committed to.")


def _is_theirs(leaf: Leaf, references: Sequence[bytes], sealed: bytes, key: ClientKey) -> bool:
    """Whether what lies there for a client is this client's, and what the leaf committed to."""
    shown = disclosed(ClientId(key.client), key, EntryId(UUID(leaf.id)), list(references), sealed)
    return (
        shown is not None
        and leaf.subj is not None
        and shown[1].proves(root=from_base64url(leaf.subj.root), count=leaf.subj.n)
    )


def _says_of_request(leaf: Leaf, sealed: bytes, box: LogBox) -> bool:
    if leaf.obj is None:
        return True
    try:
        shown = disclose_request(UUID(leaf.id), unpack(sealed), box)
    except (InvalidTag, KeyStoreUnusable, ValueError):
        return False
    root = from_base64url(leaf.obj.root)
    return len(shown) == leaf.obj.n and all(proof.proves(root=root, count=leaf.obj.n) for _, proof in shown)


_PAGE = (
    select(log.c.idx, log.c.entry_id, log.c.leaf, disclosure.c.refs, disclosure.c.sealed)
    .select_from(log.outerjoin(disclosure, disclosure.c.entry_id == log.c.entry_id))
    .where(log.c.entry_id > bindparam("after"), log.c.entry_id < bindparam("end"))
    .order_by(log.c.entry_id)
    .limit(PAGE)
)
_ERASED = select(func.count()).select_from(erased)
