"""What should be seen before a medicine is ordered or given, and from when on it counts no longer."""

from sqlalchemy import CheckConstraint, Column, Date, ForeignKeyConstraint, Index, Table, UniqueConstraint, Uuid, text

from caseload.db.tables.base import identifier, metadata, not_blank, one_of, recorded, reference, words
from caseload.domain.flag import FlagKind

flag = Table(
    "flag",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    words("kind"),
    words("what"),
    Column("since", Date(), nullable=False),
    *recorded(),
    UniqueConstraint("id", "since"),
    one_of("kind", FlagKind),
    not_blank("what"),
    Index(None, "client_id"),
    comment="What whoever orders or gives a medicine should see first: shown, and never a reason to refuse.",
)

flag_end = Table(
    "flag_end",
    metadata,
    Column("flag_id", Uuid(), primary_key=True),
    Column("since", Date(), nullable=False),
    Column("ended_on", Date(), nullable=False),
    words("reason"),
    *recorded(),
    ForeignKeyConstraint(["flag_id", "since"], ["clinic.flag.id", "clinic.flag.since"], name="flag_end_flag_fkey"),
    CheckConstraint(text("ended_on >= since"), name="after_its_beginning"),
    not_blank("reason"),
    comment="From which day on a flag counts no longer, and why: once for each.",
)
