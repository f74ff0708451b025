"""What clinicians must hear of at once, who took it on, and what is done in an emergency.

`escalation_open` holds no fact of its own: which escalations nobody has acknowledged yet, for the list that somebody
looks at all day. It can be worked out again from the other two.
"""

from sqlalchemy import Column, Index, Table, UniqueConstraint, Uuid

from caseload.db.tables.base import (
    INSTANT,
    from_one,
    identifier,
    metadata,
    not_blank,
    one_of,
    recorded,
    reference,
    version,
    words,
)
from caseload.domain.escalation import Ground

escalation = Table(
    "escalation",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    words("ground"),
    reference("check_in_id", "check_in", nullable=True),
    words("said", nullable=True),
    *recorded(),
    UniqueConstraint("check_in_id", "ground"),
    one_of("ground", Ground),
    not_blank("said"),
    Index(None, "client_id"),
    comment="What a clinician must hear of at once; a check-in raises each ground once.",
)

escalation_acknowledgement = Table(
    "escalation_acknowledgement",
    metadata,
    reference("escalation_id", "escalation", primary_key=True),
    words("doing"),
    *recorded(),
    not_blank("doing"),
    comment="That a named clinician has taken an escalation on, and what is being done; once for each.",
)

escalation_open = Table(
    "escalation_open",
    metadata,
    reference("escalation_id", "escalation", primary_key=True),
    Column("programme_id", Uuid(), nullable=False),
    Index(None, "programme_id", "escalation_id"),
    comment="The escalations that no clinician has acknowledged, worked out from the others; locked to acknowledge one.",
)

emergency_instruction = Table(
    "emergency_instruction",
    metadata,
    reference("programme_id", "programme", primary_key=True),
    version(),
    words("says"),
    reference("decided_by", "staff"),
    Column("decided_at", INSTANT, nullable=False),
    from_one("version"),
    not_blank("says"),
    comment="What a programme says is done in an emergency, as versions; that of its country where it says nothing.",
)
