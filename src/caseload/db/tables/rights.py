"""What clients ask for about their own record, and the answer. All insert-only."""

from collections.abc import Sequence

from sqlalchemy import (
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
    identifier,
    metadata,
    not_blank,
    one_of,
    recorded,
    reference,
    words,
)
from caseload.domain.consent import CheckMethod
from caseload.domain.disclosure import AccountingKind
from caseload.domain.profiles.rights import DenialGround, RightKind
from caseload.domain.rights import Outcome, Side


def of_request(table: str, *, answered: bool) -> Sequence[ForeignKeyConstraint]:
    """The request whose `kind` and client a row repeats, so that a constraint may ask of what kind it is.

    With `answered` also what came of it, as `outcome`.
    """
    request = ForeignKeyConstraint(
        ["request_id", "kind", "client_id"],
        ["clinic.rights_request.id", "clinic.rights_request.kind", "clinic.rights_request.client_id"],
        name=f"{table}_request_fkey",
    )
    answer = ForeignKeyConstraint(
        ["request_id", "outcome"],
        ["clinic.rights_answer.request_id", "clinic.rights_answer.outcome"],
        name=f"{table}_answer_fkey",
    )
    return [request, answer] if answered else [request]


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
    *of_request("rights_accounting", answered=False),
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
