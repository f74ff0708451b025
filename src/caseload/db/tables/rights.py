"""What clients ask for about their own record, and what came of it. All insert-only."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from caseload.db.tables.base import (
    INSTANT,
    any_of,
    from_one,
    identifier,
    metadata,
    not_blank,
    one_of,
    recorded,
    reference,
    some_of,
    words,
)
from caseload.db.tables.outreach import reachable, reachable_as_said
from caseload.domain.consent import CONSENTABLE, CheckMethod, Purpose, RecipientClass
from caseload.domain.disclosure import AccountingKind
from caseload.domain.profiles.rights import DenialGround, RightKind
from caseload.domain.rights import AmendedHow, ContactEndedHow, EndedHow, EntryKind, Outcome, Side

rights_request = Table(
    "rights_request",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    words("kind"),
    words("says"),
    Column("received_at", INSTANT, nullable=False),
    Column("received_on", Date(), nullable=False),
    Column("representative_id", Uuid()),
    words("check_method"),
    words("check_detail", nullable=True),
    Column("is_self_paid", Boolean(), nullable=False),
    words("rule"),
    Column("due_on", Date(), nullable=False),
    *recorded(),
    UniqueConstraint("id", "kind", "client_id", name="rights_request_whole_key"),
    UniqueConstraint("id", "is_self_paid", name="rights_request_paid_key"),
    ForeignKeyConstraint(
        ["client_id", "representative_id"],
        ["clinic.related_person.client_id", "clinic.related_person.id"],
        name="rights_request_representative_fkey",
    ),
    one_of("kind", RightKind),
    one_of("check_method", CheckMethod),
    not_blank("says"),
    not_blank("check_detail"),
    not_blank("rule"),
    CheckConstraint(text("received_at <= recorded_at"), name="not_in_the_future"),
    CheckConstraint(text("NOT is_self_paid OR kind = 'restriction'"), name="self_paid_restriction"),
    CheckConstraint(text("due_on > received_on"), name="due_after_receipt"),
    Index(None, "client_id", "id"),
    comment="What a client asked for about their own record, how it was made sure who asked, and the last day by the rule.",
)

rights_accounting = Table(
    "rights_accounting",
    metadata,
    identifier(),
    Column("request_id", Uuid(), nullable=False),
    words("kind"),
    Column("client_id", Uuid(), nullable=False),
    words("definition"),
    words("rule"),
    Column("since_on", Date(), nullable=False),
    Column("lines", Integer(), nullable=False),
    Column("left_out", Integer(), nullable=False),
    Column("written", LargeBinary(), nullable=False),
    Column("sha256", LargeBinary(), nullable=False),
    *recorded(),
    ForeignKeyConstraint(
        ["request_id", "kind", "client_id"],
        ["clinic.rights_request.id", "clinic.rights_request.kind", "clinic.rights_request.client_id"],
        name="rights_accounting_request_fkey",
    ),
    CheckConstraint(text("kind = 'accounting'"), name="of_an_accounting"),
    one_of("definition", AccountingKind),
    not_blank("rule"),
    CheckConstraint(text("lines >= 0 AND left_out >= 0"), name="counted"),
    CheckConstraint(text("sha256 = sha256(written)"), name="digest"),
    Index(None, "request_id"),
    comment="An accounting of disclosures as it was made for a client's request, word for word (45 CFR 164.528(d)).",
)

rights_put_off = Table(
    "rights_put_off",
    metadata,
    reference("request_id", "rights_request", primary_key=True),
    Column("until_on", Date(), nullable=False),
    words("reason"),
    Column("told_on", Date(), nullable=False),
    *recorded(),
    not_blank("reason"),
    CheckConstraint(text("until_on > told_on"), name="told_before"),
    comment="That an answer takes longer, and that the client was told why; once for each request.",
)

rights_answer = Table(
    "rights_answer",
    metadata,
    reference("request_id", "rights_request", primary_key=True),
    words("outcome"),
    words("ground", nullable=True),
    words("rule", nullable=True),
    words("says"),
    *recorded(),
    UniqueConstraint("request_id", "outcome", name="rights_answer_outcome_key"),
    one_of("outcome", Outcome),
    one_of("ground", DenialGround),
    not_blank("says"),
    CheckConstraint(
        text("num_nonnulls(ground, rule) = CASE outcome WHEN 'denied' THEN 2 ELSE 0 END"), name="denied_on_a_ground"
    ),
    comment="What came of a request, as the client was told; once for each.",
)

rights_statement = Table(
    "rights_statement",
    metadata,
    Column("request_id", Uuid(), primary_key=True),
    Column("side", Text(), primary_key=True),
    words("outcome"),
    words("replies_to", nullable=True),
    words("says"),
    *recorded(),
    ForeignKeyConstraint(
        ["request_id", "outcome"],
        ["clinic.rights_answer.request_id", "clinic.rights_answer.outcome"],
        name="rights_statement_answer_fkey",
    ),
    ForeignKeyConstraint(
        ["request_id", "replies_to"],
        ["clinic.rights_statement.request_id", "clinic.rights_statement.side"],
        name="rights_statement_replies_to_fkey",
    ),
    one_of("side", Side),
    not_blank("says"),
    CheckConstraint(text("outcome = 'denied'"), name="of_what_was_denied"),
    CheckConstraint(
        text("replies_to IS NOT DISTINCT FROM CASE side WHEN 'rebuttal' THEN 'disagreement' END"),
        name="rebuttal_replies",
    ),
    comment="What the client says to a denied amendment, and what the programme says to that; once each.",
)

rights_restriction = Table(
    "rights_restriction",
    metadata,
    Column("request_id", Uuid(), primary_key=True),
    words("kind"),
    Column("client_id", Uuid(), nullable=False),
    words("outcome"),
    Column("categories", ARRAY(Text()), nullable=False),
    Column("purposes", ARRAY(Text()), nullable=False),
    Column("person_id", Uuid()),
    words("name", nullable=True),
    words("group", nullable=True),
    *recorded(),
    ForeignKeyConstraint(
        ["request_id", "kind", "client_id"],
        ["clinic.rights_request.id", "clinic.rights_request.kind", "clinic.rights_request.client_id"],
        name="rights_restriction_request_fkey",
    ),
    ForeignKeyConstraint(
        ["request_id", "outcome"],
        ["clinic.rights_answer.request_id", "clinic.rights_answer.outcome"],
        name="rights_restriction_answer_fkey",
    ),
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
    Column("client_id", Uuid(), nullable=False),
    words("outcome"),
    *reachable(),
    *recorded(),
    ForeignKeyConstraint(
        ["request_id", "kind", "client_id"],
        ["clinic.rights_request.id", "clinic.rights_request.kind", "clinic.rights_request.client_id"],
        name="rights_contact_request_fkey",
    ),
    ForeignKeyConstraint(
        ["request_id", "outcome"],
        ["clinic.rights_answer.request_id", "clinic.rights_answer.outcome"],
        name="rights_contact_answer_fkey",
    ),
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


def _of_an_amendment(table: str, *, answered: bool) -> tuple[ForeignKeyConstraint | CheckConstraint, ...]:
    """The request, which is one for an amendment, whose it is, and what came of it."""
    request = ForeignKeyConstraint(
        ["request_id", "kind", "client_id"],
        ["clinic.rights_request.id", "clinic.rights_request.kind", "clinic.rights_request.client_id"],
        name=f"{table}_request_fkey",
    )
    kind = CheckConstraint(text("kind = 'amendment'"), name="of_an_amendment")
    if not answered:
        return request, kind
    answer = ForeignKeyConstraint(
        ["request_id", "outcome"],
        ["clinic.rights_answer.request_id", "clinic.rights_answer.outcome"],
        name=f"{table}_answer_fkey",
    )
    return request, answer, kind


rights_entry = Table(
    "rights_entry",
    metadata,
    Column("request_id", Uuid(), primary_key=True),
    words("kind"),
    Column("client_id", Uuid(), nullable=False),
    words("entry_kind"),
    Column("entry_id", Uuid(), nullable=False),
    Column("entry_version", Integer(), nullable=False),
    *_of_an_amendment("rights_entry", answered=False),
    one_of("entry_kind", EntryKind),
    from_one("entry_version"),
    comment="The version of the entry that a client wants put right, where the request names one.",
)

rights_amendment = Table(
    "rights_amendment",
    metadata,
    Column("request_id", Uuid(), primary_key=True),
    words("kind"),
    Column("client_id", Uuid(), nullable=False),
    words("outcome"),
    words("how"),
    words("entry_kind", nullable=True),
    Column("entry_id", Uuid()),
    Column("entry_version", Integer()),
    *recorded(),
    *_of_an_amendment("rights_amendment", answered=True),
    CheckConstraint(text("outcome IN ('granted', 'granted_in_part')"), name="was_granted"),
    one_of("how", AmendedHow),
    one_of("entry_kind", EntryKind),
    from_one("entry_version"),
    CheckConstraint(
        text("num_nonnulls(entry_kind, entry_id, entry_version) = CASE how WHEN 'corrected' THEN 3 ELSE 0 END"),
        name="corrected_by_an_entry",
    ),
    comment="How an amendment that was granted was made: by which version of which entry, or by the client's own words.",
)

rights_dispute = Table(
    "rights_dispute",
    metadata,
    Column("request_id", Uuid(), primary_key=True),
    words("kind"),
    Column("client_id", Uuid(), nullable=False),
    words("outcome"),
    Column("categories", ARRAY(Text()), nullable=False),
    *recorded(),
    *_of_an_amendment("rights_dispute", answered=True),
    CheckConstraint(text("outcome = 'denied'"), name="of_what_was_denied"),
    some_of("categories", sorted(CONSENTABLE)),
    Index(None, "client_id"),
    comment="In which kinds of information an entry stays disputed after its amendment was denied.",
)

rights_asked_along = Table(
    "rights_asked_along",
    metadata,
    Column("request_id", Uuid(), primary_key=True),
    words("says"),
    *recorded(),
    ForeignKeyConstraint(["request_id"], ["clinic.rights_dispute.request_id"], name="rights_asked_along_request_fkey"),
    not_blank("says"),
    comment="That a client asked that a request and its denial go with what is told of the entry; once for each.",
)
