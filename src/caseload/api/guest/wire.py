"""Guest agreements on the wire."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from caseload.api.amounts import Milligrams, milligrams, written
from caseload.api.wire import Wire
from caseload.domain.dosing import HowVerified
from caseload.domain.guest import Arrangement, Confirmation, Guest, HomeDose
from caseload.domain.ids import DisclosureId, ProgrammeId
from caseload.domain.medication import Direction
from caseload.domain.medicines import Form, Medicine


class HomeDoseIn(Wire, frozen=True, kw_only=True):
    """The last dose of a guest of ours, as the home programme says."""

    day: date
    amount_mg: Milligrams
    taken_at: datetime | None = None


class HomeDoseOut(Wire, frozen=True, kw_only=True):
    """The last dose of a guest of ours, as the home programme said."""

    day: date
    amount_mg: str
    taken_at: datetime | None


class GuestIn(Wire, frozen=True, kw_only=True):
    """What was arranged with the other programme, which has confirmed it. The client's own word is no confirmation."""

    direction: Direction
    first_on: date
    last_on: date
    """It ends by itself with this day, in the zone of the client's programme with us."""
    medicine: Medicine
    form: Form
    amount_mg: Milligrams
    """Of a day."""
    why: str
    """Why the own programme cannot be reached."""
    confirmed_by: str
    """Who confirmed it there, by name and function."""
    how: HowVerified
    confirmed_at: datetime
    other_enrolments: str
    """What the look for enrolments elsewhere found."""
    host_programme_id: UUID | None = None
    """Elsewhere: the host, where it is a programme of ours."""
    disclosure_id: UUID | None = None
    """Elsewhere: the last-dose statement by which an outside host was told; it names the host."""
    facility: str | None = None
    """Here: the home programme."""
    home_dose: HomeDoseIn | None = None
    """Here: the last dose at home."""
    holds_on: list[date] = msgspec.field(default_factory=list[date])
    """Here: days of the agreement for which the home programme has handed out a dose to take."""

    def read(self) -> Arrangement:
        """For the domain."""
        dose = self.home_dose
        return Arrangement(
            direction=self.direction,
            first_on=self.first_on,
            last_on=self.last_on,
            medicine=self.medicine,
            form=self.form,
            amount_mg=milligrams(self.amount_mg),
            why=self.why,
            confirmed=Confirmation(by=self.confirmed_by, how=self.how, at=self.confirmed_at),
            other_enrolments=self.other_enrolments,
            host=ProgrammeId(self.host_programme_id) if self.host_programme_id is not None else None,
            disclosure=DisclosureId(self.disclosure_id) if self.disclosure_id is not None else None,
            facility=self.facility,
            home_dose=None
            if dose is None
            else HomeDose(day=dose.day, amount_mg=milligrams(dose.amount_mg), at=dose.taken_at),
            holds_on=tuple(self.holds_on),
        )


class GuestEndIn(Wire, frozen=True, kw_only=True):
    """From the day after this one the client is nobody's guest."""

    last_on: date
    """The day before the first one, where it never was."""
    reason: str
    became_ours: bool = False
    """Here: the guest stays with us, and the agreement limits nothing any more."""


class GuestEndOut(Wire, frozen=True, kw_only=True):
    """How it came out."""

    last_on: date
    reason: str
    became_ours: bool
    recorded_by: UUID
    recorded_at: datetime


class GuestOut(Wire, frozen=True, kw_only=True):
    """A client is dosed as a guest on named days."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    """Ours: the home programme of whoever is a guest elsewhere, the host of whoever is one here."""
    direction: Direction
    facility: str
    """The other programme, by name."""
    host_programme_id: UUID | None
    disclosure_id: UUID | None
    first_on: date
    last_on: date
    """As it was arranged; the `end` says how it came out."""
    medicine: Medicine
    form: Form
    amount_mg: str
    why: str
    confirmed_by: str
    how: HowVerified
    confirmed_at: datetime
    other_enrolments: str
    home_dose: HomeDoseOut | None
    statement_id: UUID | None
    """The last dose at home, as a verified statement."""
    holds_on: list[date]
    told_at: datetime | None
    """When the other programme was last told of the last dose, since this was arranged."""
    recorded_by: UUID
    recorded_at: datetime
    end: GuestEndOut | None

    @classmethod
    def of(cls, guest: Guest) -> "GuestOut":
        """From the domain."""
        said, dose, end = guest.arrangement, guest.arrangement.home_dose, guest.end
        return cls(
            id=guest.id,
            client_id=guest.client,
            programme_id=guest.programme,
            direction=said.direction,
            facility=guest.facility,
            host_programme_id=said.host,
            disclosure_id=said.disclosure,
            first_on=said.first_on,
            last_on=said.last_on,
            medicine=said.medicine,
            form=said.form,
            amount_mg=written(said.amount_mg),
            why=said.why,
            confirmed_by=said.confirmed.by,
            how=said.confirmed.how,
            confirmed_at=said.confirmed.at,
            other_enrolments=said.other_enrolments,
            home_dose=None
            if dose is None
            else HomeDoseOut(day=dose.day, amount_mg=written(dose.amount_mg), taken_at=dose.at),
            statement_id=guest.statement,
            holds_on=list(said.holds_on),
            told_at=guest.told_at,
            recorded_by=guest.recorded_by,
            recorded_at=guest.recorded_at,
            end=None
            if end is None
            else GuestEndOut(
                last_on=end.last_on,
                reason=end.reason,
                became_ours=end.became_ours,
                recorded_by=end.recorded_by,
                recorded_at=end.recorded_at,
            ),
        )
