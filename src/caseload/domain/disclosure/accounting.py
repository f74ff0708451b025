"""The accountings of disclosures: two lists that a client can ask for, each by a definition of its own.

42 CFR 2.25: what was disclosed with consent, three years back; what was for treatment, payment and operations only where
it went through an electronic record. 45 CFR 164.528: six years back, without treatment, payment and operations, without
what the client authorised and without persons involved in care. What the one lists the other mostly leaves out.
Each line holds date, recipient with address, what was disclosed and for what (164.528(b)(2)). Every disclosure ever
made, whatever allowed it, is in the client's account (`disclosures_of`), in every country; so is every relative who sat in a
session with the client.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Final, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.consent import TREATMENT_PAYMENT_OPERATIONS
from caseload.domain.disclosure.made import Disclosures
from caseload.domain.disclosure.rules import AccountingKind, AccountingRule, exceptions_on, rule_set
from caseload.domain.disclosure.sitting_in import SatIn, Told
from caseload.domain.disclosure.words import Ground, Manner
from caseload.domain.errors import Conflict
from caseload.domain.ids import ClientId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme

MOST_LINES: Final = 10_000
AUTHORISED: Final = "By the client's authorisation (45 CFR 164.528(a)(1)(iv))."
NOT_CONSENTED: Final = "Not made with consent (42 CFR 2.25(a))."
SPOKEN_FOR_CARE: Final = "For treatment, payment or operations, and not through an electronic record (42 CFR 2.25(b))."
EARLIER: Final = "Before the years that it covers."


class NoSuchAccounting(Conflict):
    """The rules of this programme's country know no such accounting."""

    def __init__(self) -> None:
        super().__init__("Give the client the account of all disclosures instead; it is there in every country.")


class AccountingGiven(Event):
    """An accounting of disclosures was made for a client."""

    name: ClassVar[str] = "disclosure.accounted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounting:
    """One accounting as of one moment."""

    client: ClientId
    rule: AccountingRule
    since: date
    """The first local day that it covers."""
    as_of: datetime
    zone: ZoneInfo
    lines: Sequence[Told]
    """The newest first."""
    left_out: Mapping[str, int]
    """How many disclosures it leaves out, by the reason."""


class Accounted(Disclosures, Protocol):
    """What accountings are made from."""

    async def disclosures_of(
        self, client: ClientId, /, *, by: Staff, act: Act, after: UUID | None, limit: int
    ) -> Sequence[Told]:
        """A client's account of disclosures, the last first."""
        ...

    async def all_of(self, client: ClientId, /, *, by: Staff, act: Act) -> Sequence[Told]:
        """Every disclosure ever made about a client, the newest first."""
        ...


async def account_for(
    kind: AccountingKind,
    client: Client,
    programme: Programme,
    *,
    found_by: Act,
    by: Staff,
    now: datetime,
    disclosures: Accounted,
    journal: Journal,
) -> Accounting:
    """The accounting that a client asks for. Raises `NotPermitted`, or `NoSuchAccounting` where the country knows none.

    `found_by` is the act by which the client was found: read by another one, an accounting could come out empty and look whole.
    """
    by.require(Act.ACCOUNT_DISCLOSURES, client.programme)
    day = programme.today(now)
    rule = exceptions_on(programme.profiles.name_on(day), day).accounting(kind)
    if rule is None:
        raise NoSuchAccounting
    found = await disclosures.all_of(client.id, by=by, act=found_by)
    made = accounted(rule, found, client=client.id, zone=programme.zone, now=now)
    journal.tell(
        AccountingGiven(client=client.id, facts={"kind": kind.value, "rule": rule.rule, "lines": len(made.lines)})
    )
    return made


def accounted(
    rule: AccountingRule, disclosures: Iterable[Told], *, client: ClientId, zone: ZoneInfo, now: datetime
) -> Accounting:
    """Pure: which of the disclosures belong into an accounting, and why the others do not."""
    since = now.astimezone(zone).date() - relativedelta(years=rule.years)
    lines: list[Told] = []
    left_out: Counter[str] = Counter()
    for made in disclosures:
        why = EARLIER if told_at(made).astimezone(zone).date() < since else why_left_out(rule.kind, made)
        if why is None:
            lines.append(made)
        else:
            left_out[why] += 1
    return Accounting(client=client, rule=rule, since=since, as_of=now, zone=zone, lines=lines, left_out=left_out)


def said(made: Accounting) -> Mapping[str, object]:
    """What an accounting says, in the words in which it is given; each line holds what 45 CFR 164.528(b)(2) asks for."""
    return {
        "client_id": made.client,
        "kind": made.rule.kind,
        "rule": made.rule.rule,
        "says": made.rule.says,
        "since": made.since,
        "as_of": made.as_of,
        "time_zone": made.zone.key,
        "lines": [_said_of(line, made.zone) for line in made.lines],
        "left_out": dict(made.left_out),
    }


def _said_of(line: Told, zone: ZoneInfo) -> Mapping[str, object]:
    return {
        "id": line.id,
        "day": told_at(line).astimezone(zone).date(),
        "name": line.telling.name,
        "facility": line.telling.facility,
        "address": line.telling.address,
        "categories": list(line.categories),
        "purpose": line.telling.purpose,
        "rule": line.rule,
        "was_allowed": line.ground is not None,
        "session_id": line.session if isinstance(line, SatIn) else None,
    }


def told_at(made: Told) -> datetime:
    """When it was told; of an emergency whose record is still open, when we were told of it."""
    return made.disclosed_at or made.recorded_at


def why_left_out(kind: AccountingKind, made: Told) -> str | None:
    """Why a disclosure does not belong into an accounting of this kind; None if it does.

    A relative in a session whom nothing let in was told without the client's wish: 164.528 lists it.
    """
    return _left_out_by_part_2(made) if kind is AccountingKind.PART_2 else _left_out_by_hipaa(made)


def _left_out_by_part_2(made: Told) -> str | None:
    if made.consent is None and (isinstance(made, SatIn) or made.scope is None):
        return NOT_CONSENTED
    for_care = made.telling.purpose in TREATMENT_PAYMENT_OPERATIONS
    return SPOKEN_FOR_CARE if for_care and made.manner is Manner.SPOKEN else None


def _left_out_by_hipaa(made: Told) -> str | None:
    if made.ground is Ground.CONSENT:
        return AUTHORISED
    if isinstance(made, SatIn):
        return None
    rules = rule_set(made.rules_version)
    if rules is None:
        return None
    if made.ground is Ground.EMERGENCY:
        return rules.emergency_hipaa
    exception = rules.on(made.ground)
    return None if exception is None else exception.hipaa
