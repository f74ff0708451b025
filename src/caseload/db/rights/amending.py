"""What came of requests for amendments, in PostgreSQL: how each was made, or what stays disputed."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Insert, Row, insert

from caseload.db.tables.rights_amended import rights_amendment, rights_asked_along, rights_dispute, rights_entry
from caseload.domain.ids import StaffId
from caseload.domain.rights import (
    Amended,
    AmendedHow,
    Answering,
    AskedAlong,
    Entry,
    EntryKind,
    RightsAnswer,
    RightsRequest,
)

AMENDING = (
    rights_entry.c.entry_kind.label("about_kind"),
    rights_entry.c.entry_id.label("about_id"),
    rights_entry.c.entry_version.label("about_version"),
    rights_amendment.c.how.label("amended_how"),
    rights_amendment.c.entry_kind.label("amended_kind"),
    rights_amendment.c.entry_id.label("amended_id"),
    rights_amendment.c.entry_version.label("amended_version"),
    rights_dispute.c.categories.label("disputed"),
    rights_asked_along.c.says.label("along_says"),
    rights_asked_along.c.recorded_by.label("along_by"),
    rights_asked_along.c.recorded_at.label("along_at"),
)
"""What a request for an amendment is read with."""


def naming(new: RightsRequest) -> Iterator[Insert]:
    """What is kept of the entry that a request names, if it names one."""
    about = new.asked.about
    if about is not None:
        yield insert(rights_entry).values(
            request_id=new.id, kind=new.asked.kind, client_id=new.client, **_columns(about)
        )


def answered(request: RightsRequest, answer: RightsAnswer, answering: Answering) -> Iterator[Insert]:
    """What is kept of the answer to a request for an amendment, beside the answer."""
    given = {
        "request_id": request.id,
        "kind": request.asked.kind,
        "client_id": request.client,
        "outcome": answer.outcome,
        "recorded_by": answer.by,
        "recorded_at": answer.at,
    }
    if answering.amended is not None:
        entry = answering.amended.entry
        yield insert(rights_amendment).values(
            how=answering.amended.how, **given, **({} if entry is None else _columns(entry))
        )
    if answering.disputed:
        yield insert(rights_dispute).values(categories=sorted(answering.disputed), **given)


def _columns(entry: Entry) -> dict[str, object]:
    return {"entry_kind": entry.kind, "entry_id": entry.id, "entry_version": entry.version}


def about(row: Row[*tuple[Any, ...]]) -> Entry | None:
    """The entry that a request names."""
    return _entry(row.about_kind, row.about_id, row.about_version)


def amended(row: Row[*tuple[Any, ...]]) -> Amended | None:
    """How an amendment was made."""
    if row.amended_how is None:
        return None
    return Amended(how=AmendedHow(row.amended_how), entry=_entry(row.amended_kind, row.amended_id, row.amended_version))


def asked_along(row: Row[*tuple[Any, ...]]) -> AskedAlong | None:
    """That it goes along because the client asked for that."""
    if row.along_at is None:
        return None
    return AskedAlong(says=row.along_says, by=StaffId(row.along_by), at=row.along_at)


def _entry(kind: str | None, identifier: Any, version: int | None) -> Entry | None:
    if kind is None or version is None:
        return None
    return Entry(kind=EntryKind(kind), id=identifier, version=version)
