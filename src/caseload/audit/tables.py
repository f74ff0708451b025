"""The tables of the log and of the clients' keys, as the migrations make them.

They have a MetaData of their own: nothing in `caseload.db` knows them, and they refer to nothing there. Schema
`audit` is owned by `audit_owner`; the service may only call `audit.append`. Schema `keys` has another backup
policy: destroying a row there, and its backups, is what erases a client from the log.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)


def _cached() -> tuple[SchemaItem, ...]:
    """What the leaf says, beside it for filtering. A cache: `audit.append` fills it from the leaf, which is the truth."""
    return (
        Column("at", DateTime(timezone=True), nullable=False),
        Column("actor", Text(), nullable=False),
        Column("event", Text(collation="C"), nullable=False),
        Column("outcome", SmallInteger(), nullable=False),
        Column("programme", Uuid()),
        Column("leaf", LargeBinary(), nullable=False),
        CheckConstraint("octet_length(leaf) BETWEEN 2 AND 16383", name="leaf_length"),
    )


def _indexes(table: str) -> tuple[Index, ...]:
    """What the log is searched by, each with the identifier, whose order is that of time."""
    return (
        Index(None, "actor", "entry_id"),
        Index(None, "event", "entry_id"),
        Index(f"{table}_not_done_idx", "entry_id", postgresql_where=text("outcome <> 0")),
    )


queue = Table(
    "queue",
    metadata,
    Column("entry_id", Uuid(), primary_key=True),
    *_cached(),
    *_indexes("queue"),
    schema="audit",
)
"""Entries that are durable and have no place in the tree yet. Rows leave it only for `entry`."""

entry = Table(
    "entry",
    metadata,
    Column("idx", BigInteger(), primary_key=True, autoincrement=False),
    Column("entry_id", Uuid(), nullable=False),
    *_cached(),
    Column("leaf_hash", LargeBinary(), Computed("sha256('\\x00'::bytea || leaf)", persisted=True), nullable=False),
    CheckConstraint("idx >= 0", name="idx"),
    *_indexes("entry"),
    schema="audit",
    postgresql_partition_by="RANGE (idx)",
)
"""Entries with their place, dense from 0. Only the sequencer adds here. Ten million to a partition (`entry_0`,
`entry_1`), which `audit.extend` makes ahead of time, each with its own unique index over `entry_id` and triggers."""

disclosure = Table(
    "disclosure",
    metadata,
    Column("entry_id", Uuid(), primary_key=True),
    Column("refs", ARRAY(LargeBinary()), nullable=False),
    Column("sealed", LargeBinary(), nullable=False),
    Index(None, "refs", postgresql_using="gin"),
    schema="audit",
)
"""What lies beside a leaf, one row per entry whatever the number of clients: their references, by which the log is
searched for one of them, and the sealed disclosures in the same order (see `item.unpack`). No proof rests on it."""

tile = Table(
    "tile",
    metadata,
    Column("level", SmallInteger(), primary_key=True, autoincrement=False),
    Column("number", BigInteger(), primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary(), nullable=False),
    CheckConstraint("level BETWEEN 0 AND 7", name="level"),
    CheckConstraint("number >= 0", name="number"),
    CheckConstraint("octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0", name="width"),
    schema="audit",
)
"""The tree, 256 hashes to a row (see `tlog.tile`). A cache: it follows from the entries."""

epoch = Table(
    "epoch",
    metadata,
    Column("number", Integer(), primary_key=True, autoincrement=False),
    Column("origin", Text(), nullable=False, unique=True),
    Column("begins", BigInteger(), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    CheckConstraint("number > 0", name="number"),
    CheckConstraint("begins >= 0", name="begins"),
    schema="audit",
)
"""The names under which the tree is signed, one after the other. `begins` is the size it had with the new one."""

signing_key = Table(
    "signing_key",
    metadata,
    Column("vkey", Text(), primary_key=True),
    Column("origin", Text(), nullable=False),
    Column("idx", BigInteger()),
    Column("at", DateTime(timezone=True), nullable=False),
    schema="audit",
)
"""The public keys that sign for the log. `idx` is the entry by which the key before handed over; none for the first."""

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", BigInteger(), primary_key=True, autoincrement=False),
    Column("root", LargeBinary(), nullable=False),
    Column("origin", Text(), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    CheckConstraint("size > 0", name="size"),
    CheckConstraint("octet_length(root) = 32", name="root"),
    schema="audit",
)
"""The tree as each transaction of the sequencer left it. Those without a signature stood between two signed ones."""

checkpoint_signature = Table(
    "checkpoint_signature",
    metadata,
    Column("size", BigInteger(), primary_key=True, autoincrement=False),
    Column("key_name", Text(), primary_key=True),
    Column("key_id", LargeBinary(), primary_key=True),
    Column("at", DateTime(timezone=True), primary_key=True),
    Column("signature", LargeBinary(), nullable=False),
    CheckConstraint("octet_length(key_id) = 4", name="key_id"),
    Index(None, "key_name", "key_id", "size"),
    schema="audit",
)
"""Signatures under checkpoints, by the log's keys and by witnesses; a witness may sign one size again, later."""

log = Table(
    "log",
    MetaData(),
    Column("idx", BigInteger()),
    Column("entry_id", Uuid()),
    Column("at", DateTime(timezone=True)),
    Column("actor", Text()),
    Column("event", Text()),
    Column("outcome", SmallInteger()),
    Column("programme", Uuid()),
    Column("leaf", LargeBinary()),
    schema="audit",
)
"""The view over `queue` and `entry`: the whole log. Readable as `audit_reader`."""

erasure = Table(
    "erasure",
    metadata,
    Column("id", Uuid(), primary_key=True),
    Column("client_id", Uuid(), nullable=False, unique=True),
    Column("ground", Text(), nullable=False),
    Column("proposed_by", Uuid(), nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("ground IN ('retention_over', 'registered_in_error')", name="ground"),
    schema="keys",
)
"""Erasures that somebody proposed. While one waits here nobody remembers the client's key; it goes with the key."""

erased = Table(
    "erased",
    metadata,
    Column("key_id", Uuid(), primary_key=True),
    Column("erasure_id", Uuid(), nullable=False, unique=True),
    Column("ground", Text(), nullable=False),
    Column("proposed_by", Uuid(), nullable=False),
    Column("confirmed_by", Uuid(), nullable=False),
    Column("erased_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("ground IN ('retention_over', 'registered_in_error')", name="ground"),
    CheckConstraint("confirmed_by <> proposed_by", name="by_two"),
    schema="keys",
)
"""Keys that were destroyed. `keys.destroy` adds here; it names no client."""

client_key = Table(
    "client_key",
    metadata,
    Column("key_id", Uuid(), primary_key=True),
    Column("client_id", Uuid(), nullable=False, unique=True),
    Column("wrapped", LargeBinary(), nullable=False),
    schema="keys",
)
"""One random key per client, wrapped by a key of the key store. The row is all that links a client to the log."""
