"""Who has arrived at the desk, and for what."""

from sqlalchemy import CheckConstraint, Column, Computed, Table, Uuid, text

from caseload.db.tables.base import INSTANT, from_one, metadata, recorded, reference, version

arrival = Table(
    "arrival",
    metadata,
    Column("appointment_id", Uuid(), Computed("COALESCE(session_id, check_in_id)", persisted=True), primary_key=True),
    reference("client_id", "client", primary_key=True),
    version(),
    reference("session_id", "therapy_session", nullable=True),
    reference("check_in_id", "check_in", nullable=True),
    Column("arrived_at", INSTANT),
    *recorded(),
    CheckConstraint(text("num_nonnulls(session_id, check_in_id) = 1"), name="of_one_appointment"),
    from_one("version"),
    CheckConstraint(text("version > 1 OR arrived_at IS NOT NULL"), name="first_says_when"),
    CheckConstraint(text("arrived_at <= recorded_at"), name="not_in_the_future"),
    comment="Who has arrived for what, as versions of which the last counts; one without a time takes it back.",
)
