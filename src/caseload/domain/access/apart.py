"""Clients who stand apart: restricted to named staff, or opened to one person for an hour by a broken glass.

Who may see a restricted client although nobody named them is one table, by act and role. Three reasons can stand in it: nobody
can give medicine safely to somebody whose orders, doses and holds they do not see; what a medical emergency needs is told at
once (42 CFR 2.51); and whoever keeps the restriction must see whom it is about.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from caseload.domain.access.acts import Act
from caseload.domain.access.roles import CLINICIANS, Role
from caseload.domain.ids import ClientId, GlassId, ProgrammeId

_OFFICE: Final = frozenset({Role.PRIVACY_OFFICER})
_KEEPS_IT: Final = frozenset({Role.PRIVACY_OFFICER, Role.MEDICAL_DIRECTOR})

SEES_RESTRICTED: Mapping[Act, frozenset[Role]] = MappingProxyType({
    # What safe dosing needs: who it is, what is ordered, what was given, what stands in the way.
    Act.FIND_CLIENT: CLINICIANS | _OFFICE,
    Act.SEE_IDENTITY: CLINICIANS | _OFFICE,
    Act.SEE_MEDICATION: CLINICIANS,
    Act.RECORD_DOSE: CLINICIANS,
    Act.WRITE_ORDER: CLINICIANS,
    Act.RAISE_HOLD: CLINICIANS,
    Act.DECIDE_MEDICATION: CLINICIANS,
    Act.DECIDE_REPLACEMENT: CLINICIANS,
    Act.ARRANGE_GUEST: CLINICIANS,
    Act.SIGN_OFF_DOSE: CLINICIANS,
    Act.SEE_OBSERVATIONS: CLINICIANS,
    Act.RECORD_OBSERVATION: CLINICIANS,
    Act.EXCUSE_CLIENT: CLINICIANS,
    Act.TELL_WINDOW: CLINICIANS,
    Act.VERIFY_HISTORY: CLINICIANS,
    # What never waits, and its record; any other disclosure stays with whoever is named.
    Act.RELEASE_IN_EMERGENCY: CLINICIANS | _OFFICE,
    # Whoever keeps the restriction, and what only a privacy officer answers.
    Act.RESTRICT_CLIENT: _KEEPS_IT,
    Act.LINK_RELATIVES: _OFFICE,
    Act.SEE_CONSENT: _OFFICE,
    Act.RECORD_CONSENT: _OFFICE,
    Act.ASK_CONSENT: _OFFICE,
    Act.MATCH_RECORDS: _OFFICE,
    Act.TAKE_RIGHTS_REQUEST: _OFFICE,
    Act.SEE_RIGHTS_REQUESTS: _OFFICE,
    Act.ANSWER_RIGHTS_REQUEST: _OFFICE,
    Act.SEE_NOTICES: _OFFICE,
    Act.ACCOUNT_DISCLOSURES: _OFFICE,
})  # fmt: skip
"""Who may do what about a restricted client without being named; each such use is shown to the privacy officer."""

GLASS_OPENS: Final = frozenset({
    Act.SEE_IDENTITY, Act.SEE_CLIENT, Act.SEE_MEDICATION, Act.SEE_OBSERVATIONS, Act.SEE_CONTACT, Act.SEE_CHECK_INS,
    Act.SEE_ESCALATIONS, Act.ESCALATE, Act.ACKNOWLEDGE_ESCALATION, Act.RAISE_HOLD, Act.SEE_FAMILY, Act.SEE_CONSENT, Act.ASK_CONSENT,
    Act.RELEASE_IN_EMERGENCY,
})  # fmt: skip
"""What a broken glass is for: reading, and what an emergency needs. Notes of sessions and registers stay closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenGlass:
    """One client is open to one person until a moment."""

    id: GlassId
    client: ClientId
    until: datetime
    """The first instant at which it is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """What holds for one person besides their roles, right now."""

    closed: tuple[tuple[ClientId, ProgrammeId], ...] = ()
    """Restricted clients who do not name this person, each with every programme that has or hosts them."""
    named: frozenset[ClientId] = frozenset()
    """Restricted clients who name this person."""
    glass: BrokenGlass | None = None
    looks_back_at: ClientId | None = None
    """Whose past this piece of work shows as a programme of theirs keeps it; only `transfer` says so, once it has looked."""

    def opens(self, act: Act, client: ClientId) -> bool:
        """Whether a broken glass opens this client for the act, wherever the client is at home."""
        return self.glass is not None and self.glass.client == client and act in GLASS_OPENS

    def closed_but(self, programmes: frozenset[ProgrammeId]) -> frozenset[ClientId]:
        """Everybody who is closed, but for those whom one of these programmes has or hosts."""
        open_there = {client for client, where in self.closed if where in programmes}
        return frozenset(client for client, _ in self.closed if client not in open_there)


NOBODY_APART: Final = Apart()
