"""What was told to somebody outside: who received it, what, for what, what allowed it, and what went with it.

It is kept as it was told and never changed (42 CFR 2.13(a), 2.25, 2.32, 2.51(c); 45 CFR 164.528(b)).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.consent import Category, Consent, IdentityCheck, Purpose, Recipient
from caseload.domain.disclosure.disputes import Dispute, DisputeTold
from caseload.domain.disclosure.words import Ground, Manner, NoticeHow
from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import ClientId, ConsentId, DisclosureId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme


class NothingAllowsIt(Conflict):
    """Nothing allows telling this."""


class DisclosureUnknown(NotFound):
    """There is no such disclosure within your reach."""

    def __init__(self) -> None:
        super().__init__("Read the client's account of disclosures for those there are.")


class DisclosureMade(Event):
    """Somebody outside was told something about a client."""

    name: ClassVar[str] = "disclosure.made"


class DisclosureRefused(Event):
    """Nothing allowed telling somebody outside what was to be told."""

    name: ClassVar[str] = "disclosure.refused"


def tell_refused(
    client: ClientId, ground: Ground, *, rule: str | None, rules: str, reason: str, journal: Journal
) -> None:
    """Put into the log that a disclosure is refused, by which rule and for what reason; the reason is the true one."""
    facts: dict[str, str | int] = {"ground": ground.value, "reason": reason, "rules": rules}
    journal.tell(DisclosureRefused(client=client, facts=facts if rule is None else facts | {"rule": rule}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Whom you tell, for what, and how you made sure who it is."""

    recipient: Recipient
    """As a consent names them."""
    name: str
    """Who receives it, by name and function."""
    purpose: Purpose
    facility: str | None = None
    """Where they work, if they work somewhere."""
    address: str | None = None
    """Where it went, if known (45 CFR 164.528(b)(2)(ii))."""
    emergency: str | None = None
    """The nature of the emergency, where that is what allows it."""
    check: IdentityCheck | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What was told, to whom, for what, and what allowed it."""

    id: DisclosureId
    client: ClientId
    programme: ProgrammeId
    telling: Telling
    ground: Ground
    consent: ConsentId | None
    categories: tuple[Category, ...]
    rule: str
    rules_version: str
    manner: Manner
    notice: str | None
    """What must go with it (42 CFR 2.32(a))."""
    notice_how: NoticeHow | None
    scope: str | None
    """The clear explanation of what the consent allows that goes with it (2.32(b))."""
    stated: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the exception asks to be stated."""
    content: Mapping[str, object]
    """What a document said, by category; nothing for what was spoken."""
    since: datetime | None = None
    """Only what had come into the record after that moment was told; everything where it is None."""
    disputes: tuple[DisputeTold, ...]
    """What went along because the client disputes what the record says of it; `carried` says which."""
    disclosed_by: StaffId | None
    disclosed_at: datetime | None
    """Who told, and when; both may be unknown for a while in an emergency only."""
    recorded_by: StaffId
    recorded_at: datetime

    @property
    def open_fields(self) -> tuple[str, ...]:
        """What 42 CFR 2.51(c) asks for of an emergency and is not known yet."""
        if self.ground is not Ground.EMERGENCY:
            return ()
        known = {
            "facility": self.telling.facility,
            "disclosed_by": self.disclosed_by,
            "disclosed_at": self.disclosed_at,
        }
        return tuple(name for name, value in known.items() if value is None)


class Disclosures(Protocol):
    """What was told to others."""

    async def add_disclosure(self, disclosure: Disclosure, /) -> None:
        """Keep what was told."""
        ...

    async def disputes_of(self, client: ClientId, /) -> Sequence[Dispute]:
        """What a client disputes and goes along with what is told of it, the first first."""
        ...

    async def disclosure(self, wanted: DisclosureId, /, *, by: Staff, act: Act) -> Disclosure:
        """One disclosure; raises `DisclosureUnknown` outside the person's reach."""
        ...


def scope_of(consent: Consent, programme: Programme) -> str:
    """What a consent allows, in a sentence that can go with a disclosure (42 CFR 2.32(b)). `programme` is whose calendar counts."""
    expiry = consent.expiry
    if expiry.last_day is not None:
        until = f"until {expiry.last_day}"
    else:
        until = "without an end" if expiry.event is None else f"until this has happened: {expiry.event}"
    what = ", ".join(sorted(_plain(category) for category in consent.categories))
    purposes = ", ".join(sorted(_plain(purpose) for purpose in consent.purposes))
    return (
        f"Disclosed under a consent signed on {programme.today(consent.signature.signed_at)}. It covers {what}, "
        f"to the recipients that it names, for {purposes}, {until}, unless it is revoked before."
    )


def _plain(word: Category | Purpose) -> str:
    return word.value.replace("_", " ")
