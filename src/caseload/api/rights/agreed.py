"""What was agreed with a client and how it ends, as JSON: what is not told, and how they are reached."""

from datetime import datetime

from caseload.api.consent.wire import RecipientWire
from caseload.api.wire import Instant, Wire
from caseload.domain.consent import Category, Purpose
from caseload.domain.outreach import Channel, Reachable
from caseload.domain.rights import (
    Agreed,
    ContactAgreement,
    ContactEndedHow,
    EndedHow,
    Restricting,
)


class RestrictsWire(Wire, frozen=True, kw_only=True):
    """What is not told from now on, because it was agreed with the client."""

    categories: list[Category]
    recipient: RecipientWire | None = None
    """Whom it is not told to; nobody when null."""
    purposes: tuple[Purpose, ...] = ()
    """For what it is not told; for nothing when empty."""

    def read(self) -> Restricting:
        """For the domain."""
        return Restricting(
            categories=tuple(dict.fromkeys(self.categories)),
            recipient=None if self.recipient is None else self.recipient.read(),
            purposes=tuple(dict.fromkeys(self.purposes)),
        )


class ReachableWire(Wire, frozen=True, kw_only=True):
    """How and where a client is reached. What is not named is not used; by no way is only face to face."""

    allowed: list[Channel]
    telephone: str | None = None
    address: str | None = None
    heed: str | None = None
    """When and when not, and under which name to ring."""

    @classmethod
    def of(cls, one: Reachable) -> "ReachableWire":
        """From the domain."""
        return cls(allowed=sorted(one.allowed), telephone=one.telephone, address=one.address, heed=one.heed)

    def read(self) -> Reachable:
        """For the domain."""
        return Reachable(
            allowed=frozenset(self.allowed), telephone=self.telephone, address=self.address, heed=self.heed
        )


class RightsContactEndIn(Wire, frozen=True, kw_only=True):
    """That a client no longer wants to be reached as was agreed with them."""

    says: str
    """What they said, and how it was made sure that it was them."""


class RightsContactOut(Wire, frozen=True, kw_only=True):
    """How and where it was agreed that a client is reached, and whether that is over."""

    to: ReachableWire | None
    """Null for whoever neither sees how clients are reached nor answers requests."""
    is_over: bool
    ended_how: ContactEndedHow | None
    ended_at: datetime | None

    @classmethod
    def of(cls, one: ContactAgreement, *, is_shown: bool) -> "RightsContactOut":
        """From the domain."""
        end = one.end
        return cls(
            to=ReachableWire.of(one.to) if is_shown else None,
            is_over=end is not None,
            ended_how=None if end is None else end.how,
            ended_at=None if end is None else end.at,
        )


class RightsRestrictionEndIn(Wire, frozen=True, kw_only=True):
    """That a client gives up what was agreed with them."""

    how: EndedHow
    says: str
    """What they said, and how it was made sure that it was them."""


class RightsTerminationIn(Wire, frozen=True, kw_only=True):
    """That the programme told a client that it ends what it agreed to."""

    told_at: Instant
    """When the client was told: what came into the record by then stays restricted."""
    says: str
    """What they were told, and how."""


class RightsRestrictionOut(Wire, frozen=True, kw_only=True):
    """What is not told, because it was agreed with the client, and whether that is over."""

    restricts: RestrictsWire
    is_over: bool
    ended_how: EndedHow | None
    ended_at: datetime | None
    covers_until: datetime | None
    """Set where the programme ended it by itself: it stands for what came into the record until then, when the client was told."""

    @classmethod
    def of(cls, one: Agreed) -> "RightsRestrictionOut":
        """From the domain."""
        agreed, end, termination = one.restriction, one.end, one.termination
        recipient = agreed.recipient
        return cls(
            restricts=RestrictsWire(
                categories=sorted(agreed.categories),
                purposes=tuple(sorted(agreed.purposes)),
                recipient=None
                if recipient is None
                else RecipientWire(person_id=recipient.person, name=recipient.name, group=recipient.group),
            ),
            is_over=end is not None,
            ended_how=None if end is None else end.how,
            ended_at=None if end is None else end.at,
            covers_until=None if termination is None else termination.told_at,
        )
