"""Who is asking: one person of the staff, with what they hold right now."""

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from caseload.domain import access
from caseload.domain.access import NOBODY_APART, Act, Apart, Holding, Reach, Role
from caseload.domain.errors import NotPermitted
from caseload.domain.ids import ClientId, ProgrammeId, SessionId, StaffId

COMMAND_LINE: Final = StaffId(UUID("00000000-0000-7000-8000-000000000001"))
"""Whoever runs `caseload` on the server: named where nobody is signed in. Has no password and no role, ever."""


class SigningSuspended(NotPermitted):
    """You cannot sign yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """One person of the staff as of now: who they are, and the roles in force for them."""

    id: StaffId
    user_name: str
    printed_name: str
    """As it stands under a signature (21 CFR 11.50(a)(1))."""
    session: SessionId | None
    """The session they ask from; None for the command line and for jobs."""
    holdings: tuple[Holding, ...]
    may_sign: bool = True
    """False while a reset of the password waits for a second person to confirm who asked for it."""
    registration: str | None = None
    """Body and number of the registration behind the clinical roles, as printed under a signature."""
    apart: Apart = NOBODY_APART
    """Restricted clients, and a glass they have broken."""

    def may(self, act: Act) -> bool:
        """Whether any role held now allows the act somewhere. To know oneself, and to leave, needs no role."""
        return act is Act.KNOW_MYSELF or access.may(self.holdings, act)

    def require(self, act: Act, programme: ProgrammeId, *, of: ClientId | None = None) -> None:
        """Raise `NotPermitted` unless a role held in this programme allows the act, or a broken glass does (see `may_in`)."""
        if not self._opens(act, of):
            access.require(self.holdings, act, programme)

    def may_in(self, act: Act, programme: ProgrammeId, *, of: ClientId | None = None) -> bool:
        """Whether a role held in this programme allows the act.

        About the client `of`, whom a broken glass opens for the act, a role held anywhere does: that they are at home in another
        programme is what the glass was broken for.
        """
        return self._opens(act, of) or access.may_in(self.holdings, act, programme)

    def _opens(self, act: Act, client: ClientId | None) -> bool:
        return client is not None and self.apart.opens(act, client) and access.may(self.holdings, act)

    def require_signing(self) -> None:
        """Raise `SigningSuspended` while a reset is unconfirmed."""
        if not self.may_sign:
            raise SigningSuspended(
                "Your password was reset. A second person, not the one who reset it, must confirm that it was you "
                "who asked; until then you can work but not sign."
            )

    def reach(self, act: Act) -> Reach:
        """Whom this person may see for the act."""
        return access.reach(self.id, self.holdings, act, self.apart)

    def looking_back(self, client: ClientId) -> "Staff":
        """The same person, for reading what was on one client's chart: see `transfer.look_back`."""
        return replace(self, apart=replace(self.apart, looks_back_at=client))


def the_command_line() -> Staff:
    """Whoever runs `caseload` on the server: administers staff and programmes, and sees no client."""
    return Staff(
        id=COMMAND_LINE,
        user_name="command-line",
        printed_name="Command line of the server",
        session=None,
        holdings=(Holding(role=Role.ADMINISTRATOR, programme=None),),
        may_sign=False,
    )


def the_service() -> Staff:
    """What the service does by itself, as its jobs do: in the name of nobody, and without a role."""
    return Staff(
        id=COMMAND_LINE,
        user_name="service",
        printed_name="The service itself",
        session=None,
        holdings=(),
        may_sign=False,
    )
