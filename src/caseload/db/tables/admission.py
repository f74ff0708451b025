"""What belongs to an admission, as it was done, and what of that was recorded by mistake."""

from sqlalchemy import Column, Date, Index, Table

from caseload.db.tables.base import identifier, metadata, not_blank, one_of, recorded, reference, words
from caseload.domain.admission import Duty

admission_done = Table(
    "admission_done",
    metadata,
    identifier(),
    reference("episode_id", "episode"),
    words("duty"),
    Column("done_on", Date(), nullable=False),
    words("done_by"),
    *recorded(),
    one_of("duty", Duty),
    not_blank("done_by"),
    Index(None, "episode_id"),
    comment="What belongs to an admission and was done: on which local day, and by whom.",
)

admission_done_taken_back = Table(
    "admission_done_taken_back",
    metadata,
    reference("admission_done_id", "admission_done", primary_key=True),
    words("reason"),
    *recorded(),
    not_blank("reason"),
    comment="That a record of what belongs to an admission was a mistake, and why: once for each.",
)
