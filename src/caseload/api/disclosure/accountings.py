"""The accountings of disclosures, as JSON and as a PDF for the client."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Response
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, OpenAPIType, Operation, Schema
from litestar.params import FromPath, QueryParameter

from caseload.api.disclosure.printing import printed
from caseload.api.reaching import ReachByOut, reach_by
from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork, client_within
from caseload.db.disclosure import KeptDisclosures
from caseload.db.programme import Programmes
from caseload.domain import disclosure as domain
from caseload.domain.access import Act
from caseload.domain.consent import Category, Purpose
from caseload.domain.disclosure import Accounting, AccountingKind, said
from caseload.typesetting import typeset


class AccountingFormat(StrEnum):
    """As what an accounting leaves."""

    JSON = "json"
    PDF = "pdf"


MEDIA_TYPES: Final[Mapping[AccountingFormat, str]] = {
    AccountingFormat.JSON: "application/json",
    AccountingFormat.PDF: "application/pdf",
}


@dataclass
class AccountingOperation(Operation):
    """Says that the answer may be a file to print, too."""

    def __post_init__(self) -> None:
        """Describe the file beside the JSON."""
        printed = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
        for answer in (self.responses or {}).values():
            if isinstance(answer, OpenAPIResponse) and "application/json" in (answer.content or {}):
                answer.content = {**(answer.content or {}), MEDIA_TYPES[AccountingFormat.PDF]: printed}


class AccountingLineOut(Wire, frozen=True, kw_only=True):
    """One disclosure as an accounting says it (45 CFR 164.528(b)(2))."""

    id: UUID
    day: date
    """The local date of the disclosure."""
    name: str
    """Who received it."""
    facility: str | None
    address: str | None
    categories: list[Category]
    """What was disclosed."""
    purpose: Purpose
    rule: str
    """By which rule; or against which, where nothing allowed it."""
    was_allowed: bool
    session_id: UUID | None
    """Of a relative who sat in a session with the client: which."""


class AccountingOut(Wire, frozen=True, kw_only=True):
    """An accounting of disclosures as of one moment."""

    client_id: UUID
    kind: AccountingKind
    rule: str
    says: str
    since: date
    as_of: datetime
    lines: list[AccountingLineOut]
    """The newest first."""
    time_zone: str
    """In which the dates are days."""
    left_out: dict[str, int]
    """How many disclosures do not belong into it, by the reason."""

    @classmethod
    def of(cls, made: Accounting) -> "AccountingOut":
        """From the domain."""
        return msgspec.convert(said(made), cls)


class AccountingToSendOut(AccountingOut, frozen=True, kw_only=True):
    """An accounting, with where it goes."""

    reach_by: ReachByOut
    """How and where the client is reached, for whoever sends it; the PDF that leaves does not have it."""

    @classmethod
    def to(cls, made: Accounting, reach_by: ReachByOut) -> "AccountingToSendOut":
        """From the domain."""
        return msgspec.convert({**said(made), "reach_by": msgspec.to_builtins(reach_by)}, cls)


As = Annotated[AccountingFormat, QueryParameter(name="format", description="As what it leaves.", required=False)]


@reading(
    "/clients/{client_id:uuid}/disclosure-accountings/{kind:str}",
    act=Act.ACCOUNT_DISCLOSURES,
    name="account_disclosures",
    problems=(404, 409),
    operation_class=AccountingOperation,
)
async def account_disclosures(
    client_id: FromPath[UUID], kind: FromPath[AccountingKind], work: TheWork, format_: As = AccountingFormat.JSON
) -> Response[AccountingToSendOut]:
    """The accounting of 42 CFR 2.25 (`part2`) or of 45 CFR 164.528 (`hipaa`), each by its own definition."""
    client = await client_within(work, client_id, Act.ACCOUNT_DISCLOSURES)
    made = await domain.account_for(
        kind,
        client,
        await Programmes(work.connection).get(client.programme),
        found_by=Act.ACCOUNT_DISCLOSURES,
        by=work.by,
        now=work.now,
        disclosures=KeptDisclosures(work.connection, work.journal, now=work.now),
        journal=work.journal,
    )
    content: Any
    if format_ is AccountingFormat.PDF:
        given = msgspec.json.encode(AccountingOut.of(made))
        content = await asyncio.to_thread(typeset, "accounting.typ", printed(given))
    else:
        content = AccountingToSendOut.to(made, await reach_by(work, client.id))
    headers = {"Content-Disposition": f'attachment; filename="accounting-{kind}-{client.id}.{format_}"'}
    return Response(content, media_type=MEDIA_TYPES[format_], headers=headers)
