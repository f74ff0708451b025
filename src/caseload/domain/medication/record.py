"""The client's medication record: the one row that everything about their doses locks first."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from caseload.domain.access import Act
from caseload.domain.client import RegistrationClosed
from caseload.domain.errors import Faults
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.domain.people import Staff
from caseload.domain.profiles import Profile
from caseload.domain.profiles.selected import Selected
from caseload.domain.zones import zone_of

LONGEST_NOTE = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicationRecord:
    """Whose doses, in which home programme's days and rules, and until when brought-in history tells of them."""

    client: ClientId
    programme: ProgrammeId
    """The home programme: its zone fixes the dosing day, its profile of that day the rules."""
    time_zone: str
    """As `zone_of` reads it, also of a programme that has moved."""
    profiles: Selected
    host: ProgrammeId | None = None
    """The programme where the client is a guest now."""
    history_until: date | None = None
    """The last day of which brought-in history tells; later days before our own record are not known."""
    covered_until: date | None = None
    """No later day is covered by anything besides our own doses; None where nothing ever was."""
    gaps_until: date | None = None
    """The last day on which a dose was recorded that was partial, late, put right, or came after a missed one."""
    has_guest_days: bool = False
    """Whether there is, or ever was, an agreement that makes the client a guest, elsewhere or here."""
    merged_into: ClientId | None = None
    """The registration that is used in place of this one, where the client was registered twice."""
    suspected_with: ClientId | None = None
    """The survivor of the registrations that may all be this client's; nobody has confirmed it yet."""

    def require_open(self) -> None:
        """Raise `RegistrationClosed` for a duplicate: nothing new is ordered, given or handed out under it."""
        if self.merged_into is not None:
            raise RegistrationClosed

    def day_of(self, instant: datetime) -> date:
        """The dosing day: the local date in the home programme's zone, wherever the dose is given."""
        return instant.astimezone(zone_of(self.time_zone)).date()

    def clock(self, instant: datetime) -> str:
        """The instant as people at the home programme's window say it: local day and time.

        In the hour that happens twice the zone's name says which of the two it is.
        """
        local = instant.astimezone(zone_of(self.time_zone))
        twice = local.replace(fold=1 - local.fold).utcoffset() != local.utcoffset()
        return local.strftime("%Y-%m-%d %H:%M %Z" if twice else "%Y-%m-%d %H:%M")

    def rules_on(self, day: date) -> Profile:
        """The version of the profile that is in force on a day."""
        return self.profiles.on(day)

    def where(self, by: Staff) -> ProgrammeId:
        """Where this person stands before the client: at home, or in the programme that hosts the client as a guest.

        Whoever works in both stands where a shift of theirs is running, and else at home.
        """
        if self.host is None:
            return self.programme
        on_duty = {holding.programme for holding in by.holdings if holding.on_duty}
        at_home = any(holding.programme == self.programme for holding in by.holdings)
        is_host = self.host in on_duty and self.programme not in on_duty
        return self.host if is_host or not at_home else self.programme

    def place(self, by: Staff, act: Act) -> ProgrammeId:
        """Where this person acts for the client (`where`). Raises `NotPermitted`."""
        here = self.where(by)
        by.require(act, here, of=self.client)
        return here


class MedicationRecords(Protocol):
    """The medication records of clients."""

    async def lock(self, client: ClientId, /, *, by: Staff, act: Act) -> MedicationRecord:
        """Lock the client's record until the end of the work, so that what was committed before is seen and wins.

        Raises `ClientUnknown` outside the person's reach.
        """
        ...

    async def note_gap(self, client: ClientId, day: date, /) -> None:
        """Keep that something irregular was recorded on a day: from now on the last days are looked at."""
        ...


def check_reason(reason: str, faults: Faults, where: str = "reason") -> None:
    """Add a fault unless the reason says something and can be kept."""
    faults.check(when=not reason.strip(), where=where, problem="say why")
    faults.check(when=len(reason) > LONGEST_NOTE, where=where, problem=f"at most {LONGEST_NOTE} characters")
