"""What was told to somebody outside about a client, what allowed it, and where it went from there. All insert-only.

Whose consent and whose relative it is travels with it by composite keys, and a trigger holds every disclosure to what
its consent covers at that moment.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Table, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from caseload.db.tables.base import (
    INSTANT,
    identifier,
    metadata,
    not_blank,
    one_of,
    recorded,
    reference,
    some_of,
    words,
)
from caseload.domain.consent import Category, CheckMethod, Purpose, RecipientClass
from caseload.domain.disclosure import EXCEPTIONS, NEED_CONSENT, Ground, Manner, NoticeHow


def _listed(some: frozenset[Ground]) -> str:
    return ", ".join(f"'{one}'" for one in sorted(some))


disclosure_made = Table(
    "disclosure_made",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    Column("person_id", Uuid()),
    words("named", nullable=True),
    words("group", nullable=True),
    words("name"),
    words("facility", nullable=True),
    words("address", nullable=True),
    words("purpose"),
    words("ground"),
    Column("consent_id", Uuid()),
    words("emergency", nullable=True),
    words("check_method", nullable=True),
    words("check_detail", nullable=True),
    Column("stated", JSONB(), nullable=False),
    Column("categories", ARRAY(Text()), nullable=False),
    words("rule"),
    words("rules_version"),
    words("manner"),
    words("notice", nullable=True),
    words("notice_how", nullable=True),
    words("scope", nullable=True),
    Column("content", JSONB(), nullable=False),
    Column("disputes", JSONB(), nullable=False),
    Column("since", INSTANT),
    reference("disclosed_by", "staff", nullable=True),
    Column("disclosed_at", INSTANT),
    *recorded(),
    ForeignKeyConstraint(
        ["client_id", "consent_id"],
        ["clinic.consent.client_id", "clinic.consent.id"],
        name="disclosure_made_consent_fkey",
    ),
    ForeignKeyConstraint(
        ["client_id", "person_id"],
        ["clinic.related_person.client_id", "clinic.related_person.id"],
        name="disclosure_made_person_fkey",
    ),
    UniqueConstraint("id", "client_id"),
    UniqueConstraint("id", "ground"),
    CheckConstraint(text('num_nonnulls(person_id, named, "group") = 1'), name="one_recipient"),
    one_of('"group"', RecipientClass, name="group"),
    one_of("purpose", Purpose),
    one_of("ground", Ground),
    one_of("check_method", CheckMethod),
    one_of("manner", Manner),
    one_of("notice_how", NoticeHow),
    some_of("categories", Category),
    CheckConstraint(
        text(
            f"(ground IN ({_listed(NEED_CONSENT)})) = (consent_id IS NOT NULL)"
            " AND (ground = 'emergency') = (emergency IS NOT NULL)"
        ),
        name="by_its_ground",
    ),
    CheckConstraint(
        text(
            "ground = 'emergency' OR check_method IS NOT NULL"
            # What was told before checks were recorded; no disclosure says so of itself any more.
            " OR scope IS NOT DISTINCT FROM 'Disclosed under the consent that this record names.'"
        ),
        name="asker_checked",
    ),
    CheckConstraint(text("(stated <> '{}') = (ground IN (" + _listed(EXCEPTIONS) + "))"), name="stated_by_exceptions"),
    CheckConstraint(text("ground <> 'research'"), name="no_research"),
    CheckConstraint(
        text("ground = 'emergency' OR num_nonnulls(disclosed_by, disclosed_at) = 2"), name="who_told_and_when"
    ),
    CheckConstraint(text("disclosed_at <= recorded_at"), name="not_in_the_future"),
    CheckConstraint(text("since <= recorded_at"), name="since_before"),
    CheckConstraint(
        text("(notice IS NULL) = (notice_how IS NULL) AND (notice_how = 'on_the_document') = (manner = 'written')"),
        name="notice_went_with_it",
    ),
    CheckConstraint(
        text("(consent_id IS NOT NULL OR ground = 'directors_consent') = (scope IS NOT NULL)"), name="scope_of_consent"
    ),
    CheckConstraint(
        text(
            "ground <> 'directors_consent' OR (purpose = 'payment' AND \"group\" IS NOT NULL"
            " AND \"group\" IN ('third_party_payers', 'health_plans') AND notice IS NOT NULL"
            " AND stated ?& ARRAY['director', 'signed_on'])"
        ),
        name="director_for_payment",
    ),
    CheckConstraint(
        text(
            "ground <> 'best_interests'"
            " OR stated ?& ARRAY['capacity', 'assessed_by', 'assessed_on', 'consulted', 'interests', 'told']"
        ),
        name="assessed_for_interests",
    ),
    CheckConstraint(text("(manner = 'spoken') = (content = '{}')"), name="only_documents_say_it"),
    not_blank("name"),
    not_blank("facility"),
    not_blank("address"),
    not_blank("emergency"),
    not_blank("check_detail"),
    CheckConstraint(text("jsonb_typeof(stated) = 'object'"), name="stated"),
    CheckConstraint(text("jsonb_typeof(content) = 'object'"), name="content"),
    CheckConstraint(text("jsonb_typeof(disputes) = 'array'"), name="disputes"),
    Index(None, "client_id", "id"),
    Index(
        "disclosure_made_incomplete_idx",
        "programme_id",
        "id",
        postgresql_where=text("ground = 'emergency' AND num_nulls(facility, disclosed_by, disclosed_at) > 0"),
    ),
    comment="What was told to somebody outside, as it was told, and what allowed it: the client's account of disclosures.",
)

disclosure_completed = Table(
    "disclosure_completed",
    metadata,
    Column("disclosure_id", Uuid(), primary_key=True),
    words("ground"),
    words("facility"),
    reference("disclosed_by", "staff"),
    Column("disclosed_at", INSTANT, nullable=False),
    *recorded(),
    ForeignKeyConstraint(
        ["disclosure_id", "ground"],
        ["clinic.disclosure_made.id", "clinic.disclosure_made.ground"],
        name="disclosure_completed_disclosure_fkey",
    ),
    CheckConstraint(text("ground = 'emergency'"), name="only_emergencies"),
    CheckConstraint(text("disclosed_at <= recorded_at"), name="not_in_the_future"),
    not_blank("facility"),
    comment="What 42 CFR 2.51(c) asks for of an emergency, filled in afterwards: all of it or nothing.",
)

redisclosure = Table(
    "redisclosure",
    metadata,
    identifier(),
    Column("disclosure_id", Uuid(), nullable=False),
    Column("client_id", Uuid(), nullable=False),
    words("to_whom"),
    words("learnt_from"),
    words("why", nullable=True),
    Column("learnt_at", INSTANT, nullable=False),
    *recorded(),
    ForeignKeyConstraint(
        ["disclosure_id", "client_id"],
        ["clinic.disclosure_made.id", "clinic.disclosure_made.client_id"],
        name="redisclosure_disclosure_fkey",
    ),
    not_blank("to_whom"),
    not_blank("learnt_from"),
    not_blank("why"),
    CheckConstraint(text("learnt_at <= recorded_at"), name="not_in_the_future"),
    Index(None, "disclosure_id", "id"),
    comment="That somebody who was told something told somebody else, as far as we have learnt of it.",
)
