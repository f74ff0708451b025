"""Transfers of clients from one programme to another: asked, accepted, and how each came out."""

from sqlalchemy import CheckConstraint, Column, Index, Table, UniqueConstraint, text

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, one_of, reference, words
from caseload.domain.transfer import Outcome

client_transfer = Table(
    "client_transfer",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("episode_id", "episode"),
    reference("programme_id", "programme"),
    reference("to_programme_id", "programme"),
    words("reason"),
    words("told"),
    Column("proposed_at", INSTANT, nullable=False),
    reference("asked_by", "staff"),
    Column("asked_at", INSTANT, nullable=False),
    reference("counsellor_id", "staff", nullable=True),
    words("edition", nullable=True),
    words("level", nullable=True),
    reference("accepted_by", "staff", nullable=True),
    Column("accepted_at", INSTANT),
    reference("departure_id", "discharge_asked", nullable=True),
    words("outcome", nullable=True),
    words("ended_because", nullable=True),
    reference("ended_by", "staff", nullable=True),
    Column("ended_at", INSTANT),
    reference("into_episode_id", "episode", nullable=True),
    UniqueConstraint("departure_id"),
    UniqueConstraint("into_episode_id"),
    CheckConstraint(text("to_programme_id <> programme_id"), name="another_programme"),
    not_blank("reason"),
    not_blank("told"),
    one_of("outcome", Outcome),
    CheckConstraint(
        text("num_nonnulls(counsellor_id, edition, level, accepted_by, accepted_at) IN (0, 5)"), name="whole_acceptance"
    ),
    CheckConstraint(text("departure_id IS NULL OR accepted_at IS NOT NULL"), name="waits_once_accepted"),
    CheckConstraint(text("num_nonnulls(outcome, ended_by, ended_at) IN (0, 3)"), name="whole_ending"),
    CheckConstraint(
        text("(into_episode_id IS NOT NULL) = (outcome IS NOT NULL AND outcome = 'moved')"),
        name="moved_into_an_episode",
    ),
    CheckConstraint(text("outcome <> 'moved' OR accepted_at IS NOT NULL"), name="moved_once_accepted"),
    CheckConstraint(
        text("(ended_because IS NOT NULL) = (outcome IS NOT NULL AND outcome <> 'moved')"), name="stays_for_a_reason"
    ),
    not_blank("ended_because"),
    Index("client_transfer_one_waits", "episode_id", unique=True, postgresql_where=text("outcome IS NULL")),
    Index("client_transfer_from_idx", "programme_id", "id", postgresql_where=text("outcome IS NULL")),
    Index("client_transfer_to_idx", "to_programme_id", "id", postgresql_where=text("outcome IS NULL")),
    Index("client_transfer_moved_idx", "client_id", "programme_id", postgresql_where=text("outcome = 'moved'")),
    Index("client_transfer_gone_idx", "programme_id", "id", postgresql_where=text("outcome = 'moved'")),
    comment="A client is to go on from one programme to another. Accepting and ending are written once; of one who moved the home"
    " programme follows by a trigger.",
)
