"""Jobs: what is to be done beside the requests, and the queue that hands it to workers.

`job` is ours and the truth: what is open, how often it was begun, how it ended. The others are the library's, with its
names and columns (`pgqueuer.domain.schema`); a row of its queue is named by the id of our job (`dedupe_key`), and one
that went missing is put back. Its trigger and its table of schedules are left out: see decision 140.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Enum,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, one_of, words
from caseload.domain.job import JobEnded

SCHEMA: Final = "jobs"

job = Table(
    "job",
    metadata,
    identifier(),
    words("kind"),
    words("key"),
    Column("subject", Uuid()),
    Column("enqueued_at", INSTANT, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("attempts", SmallInteger(), nullable=False),
    Column("takes", Integer(), nullable=False),
    Column("began_at", INSTANT),
    words("ended", nullable=True),
    Column("ended_at", INSTANT),
    words("problem", nullable=True),
    not_blank("kind"),
    one_of("ended", JobEnded),
    CheckConstraint(text("(ended IS NULL) = (ended_at IS NULL)"), name="ended_at"),
    CheckConstraint(text("ended IS DISTINCT FROM 'given_up' OR problem IS NOT NULL"), name="given_up_says_why"),
    CheckConstraint(text("attempts >= 0 AND takes >= attempts"), name="counts"),
    CheckConstraint(text("(takes = 0) = (began_at IS NULL)"), name="began"),
    Index("job_open_key", "kind", "key", unique=True, postgresql_where=text("ended IS NULL")),
    Index(None, "ended_at"),
    schema=SCHEMA,
    comment="What is to be done beside the requests, by kind and record, and how it ended; names nobody.",
)

_STATUS = Enum(
    "queued",
    "picked",
    "successful",
    "exception",
    "canceled",
    "deleted",
    "failed",
    name="pgqueuer_status",
    schema=SCHEMA,
)
_QUEUED = text("status = 'queued'::jobs.pgqueuer_status")
_PICKED = text("status = 'picked'::jobs.pgqueuer_status")

queue = Table(
    "pgqueuer",
    metadata,
    Column("id", BigInteger(), primary_key=True, autoincrement=True),
    Column("priority", Integer(), nullable=False),
    Column("queue_manager_id", Uuid()),
    Column("created", INSTANT, nullable=False, server_default=func.now()),
    Column("updated", INSTANT, nullable=False, server_default=func.now()),
    Column("heartbeat", INSTANT, nullable=False, server_default=func.now()),
    Column("execute_after", INSTANT, nullable=False, server_default=func.now()),
    Column("status", _STATUS, nullable=False),
    Column("entrypoint", Text(), nullable=False),
    Column("dedupe_key", Text()),
    Column("payload", LargeBinary()),
    Column("headers", JSONB()),
    Column("attempts", Integer(), nullable=False, server_default=text("0")),
    Column("slot", BigInteger()),
    Index("pgqueuer_ep_ea_idx", "entrypoint", "execute_after", postgresql_where=_QUEUED),
    Index("pgqueuer_ep_prio_id_idx", "entrypoint", text("priority DESC"), "id", postgresql_where=_QUEUED),
    Index("pgqueuer_picked_heartbeat_idx", "heartbeat", postgresql_where=_PICKED),
    Index(
        "pgqueuer_picked_slot_idx",
        "entrypoint",
        "slot",
        unique=True,
        postgresql_where=text("status = 'picked'::jobs.pgqueuer_status AND slot IS NOT NULL"),
    ),
    Index(
        "pgqueuer_priority_id_id1_idx",
        "priority",
        text("id DESC"),
        postgresql_include=["id"],
        postgresql_where=_QUEUED,
    ),
    Index("pgqueuer_queue_manager_id_idx", "queue_manager_id", postgresql_where=text("queue_manager_id IS NOT NULL")),
    Index(
        "pgqueuer_unique_dedupe_key",
        "dedupe_key",
        unique=True,
        postgresql_where=text(
            "status = ANY (ARRAY['queued'::jobs.pgqueuer_status, 'picked'::jobs.pgqueuer_status])"
            " AND dedupe_key IS NOT NULL"
        ),
    ),
    Index(
        "pgqueuer_updated_id_id1_idx", "updated", text("id DESC"), postgresql_include=["id"], postgresql_where=_PICKED
    ),
    schema=SCHEMA,
    comment="pgqueuer's queue: which open jobs wait, and which worker is at one.",
)

queue_log = Table(
    "pgqueuer_log",
    metadata,
    Column("id", BigInteger(), Identity(always=False), primary_key=True),
    Column("created", INSTANT, nullable=False, server_default=func.now()),
    Column("job_id", BigInteger(), nullable=False),
    Column("status", _STATUS, nullable=False),
    Column("priority", Integer(), nullable=False),
    Column("entrypoint", Text(), nullable=False),
    Column("traceback", JSONB()),
    Column("aggregated", Boolean(), server_default=text("false")),
    Index("pgqueuer_log_created", "created"),
    Index("pgqueuer_log_job_id_status", "job_id", text("created DESC")),
    Index("pgqueuer_log_not_aggregated", text("(1)"), postgresql_where=text("NOT aggregated")),
    Index("pgqueuer_log_status", "status"),
    schema=SCHEMA,
    comment="pgqueuer's account of what it handed out; kept for a while and forgotten.",
)

queue_statistics = Table(
    "pgqueuer_statistics",
    metadata,
    Column("id", BigInteger(), primary_key=True, autoincrement=True),
    Column("created", INSTANT, nullable=False, server_default=text("date_trunc('sec'::text, now())")),
    Column("count", BigInteger(), nullable=False),
    Column("priority", Integer(), nullable=False),
    Column("status", _STATUS, nullable=False),
    Column("entrypoint", Text(), nullable=False),
    Index(
        "pgqueuer_statistics_unique_count",
        "priority",
        text("date_trunc('sec'::text, timezone('UTC'::text, created))"),
        "status",
        "entrypoint",
        unique=True,
    ),
    schema=SCHEMA,
    comment="pgqueuer asks whether it is there before it begins; nothing is written to it.",
)
