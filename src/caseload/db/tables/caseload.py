"""Clients, their identity, their episodes of care, and who looks after them from when to when."""

from collections.abc import Sequence

from sqlalchemy import Boolean, CheckConstraint, Column, Computed, Date, Index, LargeBinary, Table, Text, false, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint
from sqlalchemy.schema import SchemaItem

from caseload.db.tables.base import (
    INSTANT,
    begins,
    begins_and_ends,
    from_one,
    identifier,
    metadata,
    not_blank,
    of_32_bytes,
    one_of,
    period,
    recorded,
    recorded_at,
    reference,
    version,
    words,
)
from caseload.domain.caseload import DischargeReason, KeyworkEnded, Phase
from caseload.domain.client import IdentifierKind, Sex

client = Table(
    "client",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    reference("registered_by", "staff"),
    recorded_at(),
    Column("has_merges", Boolean(), nullable=False, server_default=false()),
    words("zones", nullable=True),
    CheckConstraint(text("zones ~ '^[A-Za-z0-9_+/-]{1,64}( [0-9T:.+-]{32} [A-Za-z0-9_+/-]{1,64})*$'"), name="zones"),
    Index(None, "programme_id", "id"),
    comment="A person known to the clinic. The home programme fixes the zone of every dosing day, and for whoever came from one of"
    " another zone their own zones do; whoever was ever said to be registered twice has_merges (triggers hold that).",
)

client_identity = Table(
    "client_identity",
    metadata,
    reference("client_id", "client", primary_key=True),
    version(),
    words("given_name"),
    words("family_name"),
    Column("birth_date", Date(), nullable=False),
    Column("birth_date_estimated", Boolean(), nullable=False),
    words("sex"),
    Column(
        "whole_name",
        Text(),
        Computed("lower(((given_name || ' '::text) || family_name))", persisted=True),
        nullable=False,
    ),
    words("reason", nullable=True),
    *recorded(),
    not_blank("given_name"),
    not_blank("family_name"),
    one_of("sex", Sex),
    from_one("version"),
    CheckConstraint(text("version = 1 OR reason IS NOT NULL"), name="correction_has_reason"),
    CheckConstraint(text("birth_date >= DATE '1880-01-01'"), name="birth_date"),
    Index(None, "birth_date"),
    Index(
        "client_identity_name_idx", "whole_name", postgresql_using="gin", postgresql_ops={"whole_name": "gin_trgm_ops"}
    ),
    comment="What the client is called, as versions: a former name still finds the client.",
)


client_identifier = Table(
    "client_identifier",
    metadata,
    reference("client_id", "client", primary_key=True),
    Column("kind", Text(), primary_key=True),
    Column("value", Text(), primary_key=True),
    *recorded(),
    one_of("kind", IdentifierKind),
    not_blank("value"),
    Index("client_identifier_value_key", "kind", text("lower(value)"), unique=True),
    comment="Numbers by which a client is known: ours, a health service's, another system's.",
)

episode = Table(
    "episode",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    Column("admitted_on", Date(), nullable=False),
    period(),
    reference("returns_from", "episode", nullable=True),
    *recorded(),
    begins(),
    ExcludeConstraint(("client_id", "="), ("period", "&&"), name="episode_one_at_a_time", using="gist"),
    Index(None, "client_id"),
    Index("episode_open_idx", "client_id", postgresql_include=["id"], postgresql_where=text("upper_inf(period)")),
    comment="From admission to discharge. Only its end is ever written after the fact, by the discharge.",
)

level_of_care = Table(
    "level_of_care",
    metadata,
    reference("episode_id", "episode", primary_key=True),
    Column("from_on", Date(), primary_key=True),
    words("edition"),
    words("level"),
    *recorded(),
    comment="Moves between levels of care; the newest that has begun is in force.",
)

episode_phase = Table(
    "episode_phase",
    metadata,
    reference("episode_id", "episode", primary_key=True),
    Column("from_on", Date(), primary_key=True),
    words("phase"),
    words("reason"),
    *recorded(),
    one_of("phase", Phase),
    not_blank("reason"),
    comment="Phases of treatment within an episode; the newest that has begun is the one it is in.",
)

discharge = Table(
    "discharge",
    metadata,
    reference("episode_id", "episode", primary_key=True),
    Column("effective_at", INSTANT, nullable=False),
    words("reason"),
    words("note", nullable=True),
    *recorded(),
    one_of("reason", DischargeReason),
    CheckConstraint(text("effective_at <= recorded_at"), name="not_in_the_future"),
    comment="How and when an episode ended: both clocks.",
)


def _responsibility() -> Sequence[SchemaItem]:
    """The columns of a responsibility: as it stands, and as it stood when it was taken back."""
    return (
        identifier(),
        reference("client_id", "client"),
        reference("episode_id", "episode"),
        reference("counsellor_id", "staff"),
        period(),
        words("note", nullable=True),
        reference("handover_id", "caseload_handover", nullable=True),
        *recorded(),
    )


def _cover() -> Sequence[SchemaItem]:
    """The columns of a cover: as it stands, and as it stood when it was taken back."""
    return (
        identifier(),
        reference("client_id", "client"),
        reference("counsellor_id", "staff"),
        period(),
        words("reason"),
        reference("absence_id", "absence", nullable=True),
        *recorded(),
    )


def _taken_back() -> Sequence[SchemaItem]:
    """Who took it back, and when."""
    return reference("taken_back_by", "staff"), Column("taken_back_at", INSTANT, nullable=False)


responsibility = Table(
    "responsibility",
    metadata,
    *_responsibility(),
    begins(),
    ExcludeConstraint(("client_id", "="), ("period", "&&"), name="responsibility_one_at_a_time", using="gist"),
    Index(None, "counsellor_id", "client_id"),
    Index(None, "client_id"),
    Index(None, "episode_id"),
    Index("responsibility_handover_id_idx", "handover_id", postgresql_where=text("handover_id IS NOT NULL")),
    comment="Exactly one responsible counsellor at every moment of an episode; only the end of a period is written later.",
)

cover = Table(
    "cover",
    metadata,
    *_cover(),
    begins_and_ends(),
    not_blank("reason"),
    Index("cover_counsellor_idx", "counsellor_id", "period", postgresql_using="gist"),
    Index(None, "client_id"),
    Index("cover_absence_id_idx", "absence_id", postgresql_where=text("absence_id IS NOT NULL")),
    ExcludeConstraint(
        ("client_id", "="),
        ("period", "&&"),
        name="cover_one_at_a_time",
        using="gist",
        where=text("absence_id IS NULL"),
    ),
    comment="Who stands in for the responsible counsellor, from when to when; it ends by itself or with a discharge.",
)

keyworker = Table(
    "keyworker",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("episode_id", "episode"),
    reference("staff_id", "staff"),
    Column("starts_at", INSTANT, nullable=False),
    Column("until_at", INSTANT),
    words("reason"),
    *recorded(),
    Column("ended_at", INSTANT),
    reference("ended_by", "staff", nullable=True),
    words("ended_why", nullable=True),
    Column(
        "period",
        TSTZRANGE(),
        Computed("tstzrange(starts_at, LEAST(until_at, ended_at))", persisted=True),
        nullable=False,
    ),
    not_blank("reason"),
    one_of("ended_why", KeyworkEnded),
    CheckConstraint(text("until_at > starts_at"), name="until_after_start"),
    CheckConstraint(text("ended_at >= starts_at"), name="ended_after_start"),
    CheckConstraint(text("num_nonnulls(ended_at, ended_by, ended_why) IN (0, 3)"), name="whole_end"),
    ExcludeConstraint(("client_id", "="), ("period", "&&"), name="keyworker_one_at_a_time", using="gist"),
    Index(None, "staff_id", "client_id"),
    comment="Whom a client knows best, one at a time; only its end before the planned one is ever written later.",
)

responsibility_taken_back = Table(
    "responsibility_taken_back",
    metadata,
    *_responsibility(),
    *_taken_back(),
    Index(None, "client_id"),
    comment="Handovers that did not take place, as they stood: cancelled, or planned for after what became the discharge.",
)

cover_taken_back = Table(
    "cover_taken_back",
    metadata,
    *_cover(),
    *_taken_back(),
    Index(None, "client_id"),
    comment="Covers that ended before their time, as they were arranged: by a discharge, a handover, or an early return.",
)

guest_stay = Table(
    "guest_stay",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("host_programme_id", "programme"),
    period(),
    words("reason"),
    *recorded(),
    begins_and_ends(),
    ExcludeConstraint(("client_id", "="), ("period", "&&"), name="guest_stay_one_at_a_time", using="gist"),
    Index("guest_stay_host_idx", "host_programme_id", "period", postgresql_using="gist"),
    comment="A programme of ours hosts the client of another for a while, by the agreement of the same number; it ends by"
    " itself, and only its end is written later.",
)

match_decision = Table(
    "match_decision",
    metadata,
    identifier(),
    Column("likeness", LargeBinary(), nullable=False),
    words("reason"),
    reference("decided_by", "staff"),
    recorded_at(),
    not_blank("reason"),
    of_32_bytes("likeness"),
    Index(None, "likeness", "recorded_at"),
    comment="The records lead's word that somebody about to be registered is nobody we know yet.",
)

match_decision_use = Table(
    "match_decision_use",
    metadata,
    reference("decision_id", "match_decision", primary_key=True),
    reference("client_id", "client"),
    comment="Which registration a word of the records lead let through; the key lets it through one.",
)
