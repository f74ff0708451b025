"""What a programme agreed to because a client asked: what is not told, and how they are reached. All insert-only."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from caseload.db.tables.base import (
    INSTANT,
    any_of,
    metadata,
    not_blank,
    one_of,
    recorded,
    reference,
    some_of,
    words,
)
from caseload.db.tables.outreach import reachable, reachable_as_said
from caseload.db.tables.rights import of_request
from caseload.domain.consent import CONSENTABLE, Purpose, RecipientClass
from caseload.domain.rights import ContactEndedHow, EndedHow

rights_restriction = Table(
    "rights_restriction",
    metadata,
    Column("request_id", Uuid(), primary_key=True),
    words("kind"),
    reference("client_id", "client"),
    words("outcome"),
    Column("categories", ARRAY(Text()), nullable=False),
    Column("purposes", ARRAY(Text()), nullable=False),
    Column("person_id", Uuid()),
    words("name", nullable=True),
    words("group", nullable=True),
    *recorded(),
    *of_request("rights_restriction", answered=True),
    ForeignKeyConstraint(
        ["client_id", "person_id"],
        ["clinic.related_person.client_id", "clinic.related_person.id"],
        name="rights_restriction_person_fkey",
    ),
    CheckConstraint(text("kind = 'restriction'"), name="of_a_restriction"),
    CheckConstraint(text("outcome IN ('granted', 'granted_in_part')"), name="was_granted"),
    some_of("categories", sorted(CONSENTABLE)),
    any_of("purposes", Purpose),
    CheckConstraint(text('num_nonnulls(person_id, name, "group") <= 1'), name="one_recipient"),
    CheckConstraint(text(f'"group" IN ({", ".join(repr(each.value) for each in RecipientClass)})'), name="group"),
    not_blank("name"),
    Index(None, "client_id"),
    comment="What the programme has agreed with a client not to tell: to somebody or to nobody, for something or for nothing.",
)

rights_restriction_end = Table(
    "rights_restriction_end",
    metadata,
    Column("request_id", Uuid(), primary_key=True),
    words("how"),
    words("says"),
    *recorded(),
    ForeignKeyConstraint(
        ["request_id"], ["clinic.rights_restriction.request_id"], name="rights_restriction_end_request_fkey"
    ),
    one_of("how", EndedHow),
    not_blank("says"),
    comment="That the client gave up a restriction that was agreed with them.",
)

rights_restriction_termination = Table(
    "rights_restriction_termination",
    metadata,
    Column("request_id", Uuid(), primary_key=True),
    Column("is_self_paid", Boolean(), nullable=False, server_default=text("false")),
    Column("told_at", INSTANT, nullable=False),
    words("says"),
    words("rule"),
    *recorded(),
    ForeignKeyConstraint(
        ["request_id"], ["clinic.rights_restriction.request_id"], name="rights_restriction_termination_restriction_fkey"
    ),
    ForeignKeyConstraint(
        ["request_id", "is_self_paid"],
        ["clinic.rights_request.id", "clinic.rights_request.is_self_paid"],
        name="rights_restriction_termination_request_fkey",
    ),
    CheckConstraint(text("NOT is_self_paid"), name="not_what_was_paid_for"),
    CheckConstraint(text("told_at <= recorded_at"), name="told_before"),
    not_blank("says"),
    not_blank("rule"),
    comment="That the programme ended what it had agreed to; what came into the record before the client was told stays restricted.",
)

rights_contact = Table(
    "rights_contact",
    metadata,
    Column("request_id", Uuid(), primary_key=True),
    words("kind"),
    reference("client_id", "client"),
    words("outcome"),
    *reachable(),
    *recorded(),
    *of_request("rights_contact", answered=True),
    UniqueConstraint("client_id", "request_id"),
    CheckConstraint(text("kind = 'confidential_contact'"), name="of_a_confidential_contact"),
    CheckConstraint(text("outcome IN ('granted', 'granted_in_part')"), name="was_granted"),
    *reachable_as_said(),
    comment="How and where a client is reached because they asked for it and it was agreed to; until it has an end.",
)

rights_contact_end = Table(
    "rights_contact_end",
    metadata,
    Column("request_id", Uuid(), primary_key=True),
    words("how"),
    words("says"),
    *recorded(),
    ForeignKeyConstraint(["request_id"], ["clinic.rights_contact.request_id"], name="rights_contact_end_request_fkey"),
    one_of("how", ContactEndedHow),
    not_blank("says"),
    comment="That a client gave up how they were to be reached, or that something else was agreed later.",
)
