"""The redisclosure trail: that somebody who was told has told somebody else, as far as we have learnt of it.

42 CFR 2.32(a) forbids redisclosure that the consent, part 2 or, for treatment, payment and operations, HIPAA does not
allow. We cannot prevent it; we keep what we hear, so that the client and the privacy officer can see where it went.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.disclosure.made import Disclosure
from caseload.domain.errors import Faults
from caseload.domain.family import LONGEST_NAME, LONGEST_TEXT, text_fault
from caseload.domain.ids import DisclosureId, RedisclosureId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Redisclosure:
    """Somebody who was told told somebody else."""

    id: RedisclosureId
    disclosure: DisclosureId
    to: str
    """Who received it then."""
    learnt_from: str
    why: str | None
    """What is said to have allowed it."""
    learnt_at: datetime
    recorded_by: StaffId
    recorded_at: datetime


class RedisclosureHeardOf(Event):
    """We learnt that something was told on."""

    name: ClassVar[str] = "disclosure.passed_on"


class Redisclosures(Protocol):
    """What was told on."""

    async def add_redisclosure(self, heard: Redisclosure, /, *, of: Disclosure) -> None:
        """Keep it."""
        ...

    async def redisclosures_of(self, disclosure: Disclosure, /) -> Sequence[Redisclosure]:
        """What was told on of one disclosure, in the order in which we learnt of it."""
        ...


async def hear_of_redisclosure(
    heard: Redisclosure, *, of: Disclosure, by: Staff, now: datetime, redisclosures: Redisclosures, journal: Journal
) -> Redisclosure:
    """Keep that something was told on. Raises `NotPermitted`, or `Invalid` with every fault."""
    by.require(Act.DISCLOSE, of.programme)
    faults = Faults()
    for where, text, longest in (
        ("to", heard.to, LONGEST_NAME),
        ("learnt_from", heard.learnt_from, LONGEST_NAME),
        ("why", heard.why, LONGEST_TEXT),
    ):
        if problem := text_fault(text, longest=longest):
            faults.add(where, problem)
    faults.check(when=heard.learnt_at > now, where="learnt_at", problem="must not lie in the future")
    faults.raise_if_any()
    await redisclosures.add_redisclosure(heard, of=of)
    journal.tell(RedisclosureHeardOf(client=of.client, records=(of.id, heard.id)))
    return heard
