"""An accounting of disclosures that is made for a client's request, and kept as it was given.

The written accounting, what it had to say, and who was responsible are documented and retained (45 CFR 164.528(d)), so its
words are kept and not made again: a register that is corrected later changes no letter that the client has in hand.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Protocol

import msgspec

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.disclosure import Accounted, AccountingKind, account_for, said
from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import AccountingId, ClientId, ProgrammeId, RightsRequestId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.profiles.rights import RightKind
from caseload.domain.programme import Programme
from caseload.domain.rights.request import RightsRequest


class NotForThisRequest(Conflict):
    """This request asks for something else than an accounting of disclosures."""

    def __init__(self) -> None:
        super().__init__("Take a request of the kind `accounting` if the client asks for one.")


class AccountingUnknown(NotFound):
    """There is no such accounting within your reach."""

    def __init__(self) -> None:
        super().__init__("Read the accountings of the request for those there are.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountingMade(Event):
    """An accounting of disclosures was made for a client's request, and kept."""

    name: ClassVar[str] = "rights.accounting_made"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAccounting:
    """An accounting as it was made for a request."""

    id: AccountingId
    request: RightsRequestId
    client: ClientId
    programme: ProgrammeId
    definition: AccountingKind
    rule: str
    since: date
    """The first local day that it covers; it ends at the moment at which it was made."""
    lines: int
    left_out: int
    written: bytes
    """The accounting itself, in JSON."""
    made_by: StaffId
    made_at: datetime

    @property
    def sha256(self) -> bytes:
        """Of what was written."""
        return hashlib.sha256(self.written).digest()


class Accountings(Protocol):
    """The accountings that were made for requests."""

    async def add(self, made: GivenAccounting, /) -> None:
        """Keep it."""
        ...

    async def get(self, wanted: AccountingId, /, *, by: Staff, act: Act) -> GivenAccounting:
        """One of them; raises `AccountingUnknown` outside the person's reach."""
        ...

    async def made_for(self, request: RightsRequestId, /, *, by: Staff, act: Act) -> Sequence[GivenAccounting]:
        """Those made for a request, the last first."""
        ...


async def make_accounting(
    request: RightsRequest,
    definition: AccountingKind,
    client: Client,
    programme: Programme,
    *,
    as_id: AccountingId,
    by: Staff,
    now: datetime,
    disclosures: Accounted,
    accountings: Accountings,
    journal: Journal,
) -> GivenAccounting:
    """Make an accounting for a request that is held and open, and keep it. `client` and `programme` are the request's.

    Raises `NotPermitted`, `NotForThisRequest`, `RightsRequestAnswered`, or `NoSuchAccounting` where the country knows none.
    """
    if request.asked.kind is not RightKind.ACCOUNTING:
        raise NotForThisRequest
    request.require_open()
    accounting = await account_for(
        definition,
        client,
        programme,
        found_by=Act.ANSWER_RIGHTS_REQUEST,
        by=by,
        now=now,
        disclosures=disclosures,
        journal=journal,
    )
    made = GivenAccounting(
        id=as_id,
        request=request.id,
        client=client.id,
        programme=client.programme,
        definition=definition,
        rule=accounting.rule.rule,
        since=accounting.since,
        lines=len(accounting.lines),
        left_out=sum(accounting.left_out.values()),
        written=msgspec.json.encode(said(accounting)),
        made_by=by.id,
        made_at=now,
    )
    await accountings.add(made)
    facts: dict[str, str | int] = {"kind": definition.value, "rule": made.rule, "lines": made.lines}
    journal.tell(AccountingMade(client=client.id, records=(as_id, request.id), facts=facts))
    return made
