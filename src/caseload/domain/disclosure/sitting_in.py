"""Whoever sat in a session with a client was told something: it stands in the client's account, read from the register.

The register is the record of it and there is no second one, so nobody can forget to write it down, and a register that
is corrected changes the line with it: what counts is its newest version. What led to it is in 42 CFR 2.13(a) and 2.31.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from caseload.domain.consent import Category, DisclosureRules
from caseload.domain.disclosure.made import Disclosure, Telling
from caseload.domain.disclosure.words import Ground, Manner
from caseload.domain.ids import ClientId, ConsentId, DisclosureId, ProgrammeId, StaffId, TherapySessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class SatIn:
    """A relative who sat in a session with the client, as the version of the register that counts says it."""

    id: DisclosureId
    """Its own in each version of a register, so that what was said last stands first."""
    client: ClientId
    programme: ProgrammeId
    session: TherapySessionId
    telling: Telling
    """Who it was, and how whoever led made sure of that where a consent let them in."""
    consent: ConsentId | None
    """The consent by which they sat there; none: nothing allowed it."""
    in_spite_because: str | None
    """Why they were there although nothing allowed it."""
    rules: DisclosureRules
    """Of the programme's country on the day on which they came in."""
    disclosed_at: datetime
    """When they came in."""
    disclosed_by: StaffId
    """Who took the register."""
    recorded_at: datetime

    categories: ClassVar = (Category.JOINT_SESSIONS,)
    """That the client is one and was there, and what was said to them."""
    manner: ClassVar = Manner.SPOKEN

    @property
    def ground(self) -> Ground | None:
        """What allowed it, if anything did."""
        return None if self.consent is None else Ground.CONSENT

    @property
    def rule(self) -> str:
        """The rule that allowed it, or against which it was."""
        return self.rules.without_consent if self.consent is None else self.rules.by_consent


Told = Disclosure | SatIn
"""One line of a client's account."""
