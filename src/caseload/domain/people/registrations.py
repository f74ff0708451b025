"""Registrations with a professional body: what its register said, and until when it holds."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Final, Protocol

from caseload.domain.access import CLINICIANS, MAY, Act
from caseload.domain.errors import Conflict, Faults, NotFound, NotPermitted
from caseload.domain.ids import RegistrationId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people.accounts import Accounts
from caseload.domain.people.staff import Staff

WESTERNMOST: Final = timedelta(hours=12)
"""How far the last place on earth to begin a day is behind UTC: a registration is not tied to a programme's day."""
EASTERNMOST: Final = timedelta(hours=14)
"""How far the first place on earth to begin a day is ahead of UTC."""
_BODY: Final = re.compile(r"[A-Z][A-Z0-9 .&/-]{0,31}")
_NUMBER: Final = re.compile(r"[A-Z0-9][A-Z0-9 ./-]{0,31}")


class RegistrationUnknown(NotFound):
    """No such registration of this person."""

    def __init__(self) -> None:
        super().__init__("Record the registration first, then grant the role on it.")


class RegistrationTaken(Conflict):
    """This registration number stands against another person."""

    def __init__(self) -> None:
        super().__init__("Check the number with the professional body: one number is one person's.")


class RegistrationExpired(NotPermitted):
    """Your registration has expired, and with it the role that needs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A person's entry with a professional body, as the newest look at the register found it."""

    id: RegistrationId
    staff: StaffId
    body: str
    number: str
    expires_on: date
    """The last day on which it holds."""
    checks: int
    """How often somebody has looked."""


def why_not(act: Act, registrations: Sequence[Registration], *, now: datetime) -> NotPermitted:
    """Why somebody may not do this whose roles in force do not allow it: what they can do about it, where it is that.

    A clinician's role counts only as long as its registration: whoever could do it yesterday is told the reason.
    """
    today = (now + EASTERNMOST).date()
    expired = [each for each in registrations if each.expires_on < today]
    if not expired or not MAY[act] & CLINICIANS:
        return NotPermitted(f"None of your roles may {act.value.replace('_', ' ')}.")
    last = max(expired, key=lambda each: each.expires_on)
    return RegistrationExpired(
        f"{last.body} {last.number} held until {last.expires_on}. Ask the administrator to record its new expiry.",
        expires_on=str(last.expires_on),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationRecorded(Event):
    """A person's professional registration was recorded."""

    name: ClassVar[str] = "staff.registration_recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationChecked(Event):
    """Somebody looked again until when a registration holds."""

    name: ClassVar[str] = "staff.registration_checked"


class Registrations(Protocol):
    """The registrations that are kept."""

    async def registrations_of(self, staff: StaffId) -> Sequence[Registration]:
        """This person's registrations."""
        ...

    async def get_registration(self, wanted: RegistrationId) -> Registration:
        """The registration, or `RegistrationUnknown`."""
        ...

    async def add_registration(self, new: Registration, *, by: StaffId, at: datetime) -> None:
        """Keep it with its first check; `RegistrationTaken`."""
        ...

    async def add_check(self, checked: Registration, *, by: StaffId, at: datetime) -> None:
        """Keep another look at the register."""
        ...


async def record_registration(
    registration: Registration, *, by: Staff, now: datetime, accounts: Accounts, roles: Registrations, journal: Journal
) -> None:
    """Record that somebody is registered with a professional body, as its register says today.

    Raises `NotYourself`, `NotPermitted`, `Invalid`, `RegistrationTaken`.
    """
    account = await accounts.get(registration.staff, at=now)
    account.must_not_be(by)
    account.require_somewhere(Act.MANAGE_STAFF, by=by)
    faults = Faults()
    faults.check(
        when=_BODY.fullmatch(registration.body) is None,
        where="body",
        problem="must be the body's usual short name in capitals, such as NMC",
    )
    faults.check(
        when=_NUMBER.fullmatch(registration.number) is None,
        where="number",
        problem="must have 1 to 32 capitals, digits, spaces or . / -",
    )
    _check_expiry(registration.expires_on, now=now, faults=faults)
    faults.raise_if_any()
    await roles.add_registration(registration, by=by.id, at=now)
    journal.tell(RegistrationRecorded(records=(registration.staff, registration.id)))


async def check_registration(
    registration_id: RegistrationId,
    expires_on: date,
    *,
    by: Staff,
    now: datetime,
    accounts: Accounts,
    roles: Registrations,
    journal: Journal,
) -> Registration:
    """Record another look at the register: a renewal, or an end that came sooner.

    Raises `NotYourself`, `NotPermitted`, `RegistrationUnknown`.
    """
    former = await roles.get_registration(registration_id)
    account = await accounts.get(former.staff, at=now)
    account.must_not_be(by)
    account.require_somewhere(Act.MANAGE_STAFF, by=by)
    checked = Registration(
        id=former.id,
        staff=former.staff,
        body=former.body,
        number=former.number,
        expires_on=expires_on,
        checks=former.checks + 1,
    )
    await roles.add_check(checked, by=by.id, at=now)
    journal.tell(RegistrationChecked(records=(former.staff, former.id), facts={"expires_on": expires_on.isoformat()}))
    return checked


def _check_expiry(expires_on: date, *, now: datetime, faults: Faults) -> None:
    faults.check(when=expires_on < (now - WESTERNMOST).date(), where="expires_on", problem="has passed")
