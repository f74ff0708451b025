"""Consents are a union: what one of them allows is allowed, also when a later one to the same recipient allows less.

A narrower consent ends nothing. So whoever records one is told which others in force still allow more, and asks the client
whether to revoke them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from caseload.domain.consent.addressee import Addressee
from caseload.domain.consent.consent import Consent, Standing
from caseload.domain.consent.giving import Consents
from caseload.domain.family import Families, RelatedPerson
from caseload.domain.ids import ConsentId


async def still_allowing(
    given: Consent, *, now: datetime, consents: Consents, families: Families
) -> Sequence[ConsentId]:
    """The other consents in force that allow a recipient of this one more, or for longer, the newest signature first."""
    around, every = await families.around(given.client), await consents.of(given.client)
    return [other.id for other in every if _allows_more(other, given, around, at=now)]


def _allows_more(other: Consent, given: Consent, around: Iterable[RelatedPerson], *, at: datetime) -> bool:
    if other.id == given.id or other.discloser != given.discloser or other.standing(at) is not Standing.IN_FORCE:
        return False
    covered = other.categories <= given.categories and other.purposes <= given.purposes
    return (not covered or _outlasts(other, given)) and _share_a_recipient(other, given, tuple(around))


def _outlasts(other: Consent, given: Consent) -> bool:
    return given.expires_at is not None and (other.expires_at is None or other.expires_at > given.expires_at)


def _share_a_recipient(other: Consent, given: Consent, around: tuple[RelatedPerson, ...]) -> bool:
    """Whether somebody may be named by both, however they are written: whoever looks decides whether it is the same."""
    named = [Addressee(recipient=each, around=around) for each in given.recipients]
    return any(addressee.may_be_called(each) for addressee in named for each in other.recipients)
