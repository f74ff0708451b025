"""What came of an amendment that a client asked for: made, or disputed. All insert-only."""

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)

from caseload.db.tables.base import (
    from_one,
    metadata,
    not_blank,
    one_of,
    recorded,
    some_of,
    words,
)
from caseload.db.tables.rights import of_request
from caseload.domain.consent import CONSENTABLE
from caseload.domain.rights import AmendedHow, EntryKind


def _is_amendment() -> CheckConstraint:
    return CheckConstraint(text("kind = 'amendment'"), name="of_an_amendment")


rights_entry = Table(
    "rights_entry",
    metadata,
    Column("request_id", Uuid(), primary_key=True),
    words("kind"),
    Column("client_id", Uuid(), nullable=False),
    words("entry_kind"),
    Column("entry_id", Uuid(), nullable=False),
    Column("entry_version", Integer(), nullable=False),
    *of_request("rights_entry", answered=False),
    _is_amendment(),
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
    *of_request("rights_amendment", answered=True),
    _is_amendment(),
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
    *of_request("rights_dispute", answered=True),
    _is_amendment(),
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
