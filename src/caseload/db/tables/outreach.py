"""How clients may be reached, and the ladder by which whoever has not come is looked for.

`outreach_standing` and `outreach_failure` hold no facts of their own: where the ladder of a client stands, so that only
what is due is looked at, and whose step could not be taken and is tried again later.
"""

from typing import Any

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from caseload.db.tables.base import (
    INSTANT,
    any_of,
    from_one,
    metadata,
    not_blank,
    one_of,
    recorded,
    reference,
    version,
    words,
)
from caseload.domain.outreach import Channel, Skipped
from caseload.domain.profiles.outreach import OutreachStep


def reachable() -> tuple[Column[Any], ...]:
    """The columns that say how somebody is reached."""
    return (
        Column("allowed", ARRAY(Text()), nullable=False),
        words("telephone", nullable=True),
        words("address", nullable=True),
        words("heed", nullable=True),
    )


def reachable_as_said() -> tuple[CheckConstraint, ...]:
    """The CHECKs on these columns: what is allowed has the number or the address that it needs."""
    return (
        any_of("allowed", Channel),
        not_blank("telephone"),
        not_blank("address"),
        not_blank("heed"),
        CheckConstraint(
            text("telephone IS NOT NULL OR NOT allowed && ARRAY['telephone', 'voicemail', 'text']"),
            name="a_number_to_ring",
        ),
        CheckConstraint(
            text("address IS NOT NULL OR NOT allowed && ARRAY['post', 'visit']"), name="an_address_to_go_to"
        ),
        CheckConstraint(
            text("NOT allowed @> ARRAY['voicemail'] OR allowed @> ARRAY['telephone']"),
            name="who_leaves_a_message_rings",
        ),
    )


client_contact = Table(
    "client_contact",
    metadata,
    reference("client_id", "client", primary_key=True),
    version(),
    *reachable(),
    words("reason", nullable=True),
    *recorded(),
    Column("agreed_in", Uuid()),
    ForeignKeyConstraint(
        ["client_id", "agreed_in"],
        ["clinic.rights_contact.client_id", "clinic.rights_contact.request_id"],
        name="client_contact_agreed_in_fkey",
    ),
    from_one("version"),
    *reachable_as_said(),
    not_blank("reason"),
    CheckConstraint(text("(version = 1) = (reason IS NULL)"), name="change_has_reason"),
    comment="How a client may be reached, as they have said, in versions; of whoever was never asked nothing is allowed.",
)

outreach_step = Table(
    "outreach_step",
    metadata,
    reference("check_in_id", "check_in", primary_key=True),
    Column("overdue_since", INSTANT, primary_key=True),
    Column("step", Text(), primary_key=True),
    reference("client_id", "client"),
    Column("due_at", INSTANT, nullable=False),
    Column("taken_at", INSTANT, nullable=False),
    words("rule"),
    Column("by_way_of", ARRAY(Text()), nullable=False),
    words("skipped", nullable=True),
    one_of("step", OutreachStep),
    any_of("by_way_of", Channel),
    one_of("skipped", Skipped),
    not_blank("rule"),
    CheckConstraint(text("taken_at >= due_at AND due_at >= overdue_since"), name="when_it_was_due"),
    CheckConstraint(text("skipped IS NULL OR cardinality(by_way_of) = 0"), name="skipped_reaches_nobody"),
    Index(None, "client_id"),
    comment="A step of the ladder of an overdue check-in, taken or skipped; the key takes it once.",
)

outreach_step_asked = Table(
    "outreach_step_asked",
    metadata,
    Column("check_in_id", Uuid(), primary_key=True),
    Column("overdue_since", INSTANT, primary_key=True),
    Column("step", Text(), primary_key=True),
    Column("person_id", Uuid(), primary_key=True),
    Column("client_id", Uuid(), nullable=False),
    reference("consent_id", "consent"),
    ForeignKeyConstraint(
        ["check_in_id", "overdue_since", "step"],
        ["clinic.outreach_step.check_in_id", "clinic.outreach_step.overdue_since", "clinic.outreach_step.step"],
        name="outreach_step_asked_step_fkey",
    ),
    ForeignKeyConstraint(
        ["client_id", "person_id"],
        ["clinic.related_person.client_id", "clinic.related_person.id"],
        name="outreach_step_asked_person_fkey",
    ),
    CheckConstraint(text("step = 'consented_contact'"), name="a_step_that_asks_others"),
    comment="Whom around the client a step would ask, and on which consent that rested when it was taken.",
)

outreach_standing = Table(
    "outreach_standing",
    metadata,
    reference("client_id", "client", primary_key=True),
    Column("check_in_id", Uuid(), nullable=False),
    Column("overdue_since", INSTANT, nullable=False),
    words("step", nullable=True),
    Column("due_at", INSTANT),
    one_of("step", OutreachStep),
    CheckConstraint(text("(step IS NULL) = (due_at IS NULL)"), name="next_or_none"),
    comment="Where the ladder of a client stands, worked out from its steps: which check-in it is of, and what comes next.",
)

outreach_failure = Table(
    "outreach_failure",
    metadata,
    reference("client_id", "client", primary_key=True),
    Column("tries", SmallInteger(), nullable=False),
    Column("again_at", INSTANT, nullable=False),
    from_one("tries"),
    comment="Whose step could not be taken, how often in a row, and when it is tried again; gone once it could.",
)
