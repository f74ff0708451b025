"""Patient notices: the versions of each programme, to whom one was given, and what was recorded by mistake."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from caseload.db.tables.base import (
    INSTANT,
    identifier,
    metadata,
    not_blank,
    of_32_bytes,
    one_of,
    recorded,
    reference,
    words,
)
from caseload.domain.patient_notice import Acknowledgement, Manner

patient_notice = Table(
    "patient_notice",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    words("title"),
    words("version"),
    Column("in_force_from", Date(), nullable=False),
    Column("text_sha256", LargeBinary(), nullable=False),
    *recorded(),
    UniqueConstraint("programme_id", "in_force_from", name="patient_notice_day_key"),
    UniqueConstraint("programme_id", "version", name="patient_notice_version_key"),
    UniqueConstraint("id", "programme_id", name="patient_notice_whole_key"),
    not_blank("title"),
    not_blank("version"),
    of_32_bytes("text_sha256"),
    comment="A version of a programme's notice to its clients; in force from its day until another one's day comes.",
)

patient_notice_given = Table(
    "patient_notice_given",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    Column("notice_id", Uuid(), nullable=False),
    Column("given_at", INSTANT, nullable=False),
    words("manner"),
    words("acknowledgement"),
    words("why_not", nullable=True),
    *recorded(),
    ForeignKeyConstraint(
        ["notice_id", "programme_id"],
        ["clinic.patient_notice.id", "clinic.patient_notice.programme_id"],
        name="patient_notice_given_notice_fkey",
    ),
    one_of("manner", Manner),
    one_of("acknowledgement", Acknowledgement),
    not_blank("why_not"),
    CheckConstraint(text("(acknowledgement = 'signed') = (why_not IS NULL)"), name="signed_or_why_not"),
    CheckConstraint(text("given_at <= recorded_at"), name="not_in_the_future"),
    Index(None, "client_id", "notice_id"),
    comment="That a client was given a version of their programme's notice, and whether they signed that they have it.",
)

patient_notice_taken_back = Table(
    "patient_notice_taken_back",
    metadata,
    reference("given_id", "patient_notice_given", primary_key=True),
    words("reason"),
    *recorded(),
    not_blank("reason"),
    comment="That a record of a notice given was a mistake, and why: once for each.",
)
