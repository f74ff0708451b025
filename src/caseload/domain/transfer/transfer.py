"""A client goes on from one programme of the service to another: what is asked, what is agreed to, and how it comes out.

Both programmes are one organisation: what the request says of the client is told within it, to those who need it to take
over the treatment (42 CFR 2.12(c)(3)), and needs no consent; the receiving programme sees no more than that until the
client is theirs. Whoever goes on to somebody else is discharged, and what is told there is a disclosure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

from caseload.domain.access import Act
from caseload.domain.caseload import Episode, LevelOfCare
from caseload.domain.caseload.admitting import Caseloads
from caseload.domain.departure import Places as Leaving
from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import ClientId, DepartureId, EpisodeId, ProgrammeId, StaffId, TransferId
from caseload.domain.journal import Event
from caseload.domain.medication import Holds, MedicationRecord
from caseload.domain.merge import OpenKind
from caseload.domain.people import Staff
from caseload.domain.programme import Programmes


class Outcome(StrEnum):
    """How a transfer came out."""

    MOVED = "moved"
    """The client is in the care of the receiving programme."""
    DECLINED = "declined"
    """By the receiving programme."""
    WITHDRAWN = "withdrawn"
    """By the giving programme."""


class Standing(StrEnum):
    """Where a transfer stands."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    """A prescriber of the giving programme has still to decide about the medicine; with that the client goes."""
    MOVED = "moved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    """The client was discharged, or died, before it came to it."""


class TransferUnknown(NotFound):
    """There is no such transfer within your reach."""

    def __init__(self) -> None:
        super().__init__("Read the transfers of your programme and use one of their identifiers.")


class TransferAsked(Conflict):
    """A transfer of this client has been asked for already."""


class TransferMoved(Conflict):
    """This transfer has been answered since you read it, or the client has left meanwhile."""


class TransferTooEarly(Conflict):
    """The transfer is proposed for a later moment."""


class TransferUnsettled(Conflict):
    """Something is open that only the giving programme can settle."""


class RestrictedStays(Conflict):
    """A restricted client is not transferred."""

    def __init__(self) -> None:
        super().__init__(
            "Nobody of another programme can be named. Ask the privacy officer to end the restriction, and to set it anew"
            " there."
        )


class MaybeRegisteredTwice(Conflict):
    """Somebody says that this client is registered twice."""

    def __init__(self) -> None:
        super().__init__("Have the proposal confirmed or rejected first: GET /clients/{id}/merges names it.")


class DaysDiffer(Conflict):
    """The client cannot go from the one time zone to the other at this hour."""

    def __init__(self, from_when: datetime | None) -> None:
        says = "A day of the client would be counted twice or left out, or an hour come three times."
        if from_when is None:
            super().__init__(f"{says} Discharge the client with the reason transferred, and register them there.")
        else:
            super().__init__(f"{says} Do it again when it can be done.", possible_from=from_when.isoformat())


class TransferredAway(Event):
    """A client goes on from one programme to another."""

    name: ClassVar[str] = "transfer.moved"


class TransferRequested(Event):
    """A programme was asked to take a client over."""

    name: ClassVar[str] = "transfer.asked"


class TransferAccepted(Event):
    """A programme takes a client over, as soon as a prescriber has decided about the medicine."""

    name: ClassVar[str] = "transfer.accepted"


class TransferEnded(Event):
    """A transfer was declined or withdrawn: the client stays."""

    name: ClassVar[str] = "transfer.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a giving programme asks for."""

    to: ProgrammeId
    reason: str
    told: str
    """What the receiving programme is told of the client before it answers, besides who it is."""
    proposed_at: datetime
    """Not before that moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """How a receiving programme takes the client over."""

    counsellor: StaffId
    level: LevelOfCare


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """That the receiving programme takes the client over."""

    taking: Taking
    accepted_by: StaffId
    accepted_at: datetime
    departure: DepartureId | None = None
    """The prescriber's decision that it waits for; None where no order was in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How it came out."""

    outcome: Outcome
    by: StaffId
    at: datetime
    """Of a client who moved the moment from which the receiving programme answers for them."""
    reason: str | None = None
    """Why it was declined or withdrawn."""
    into: EpisodeId | None = None
    """The episode that it began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who the client is, for whoever is to take them over."""

    given_name: str
    family_name: str
    birth_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A client is to go on, or went on, from one programme to another."""

    id: TransferId
    client: ClientId
    episode: EpisodeId
    programme: ProgrammeId
    """That gives."""
    wish: Wish
    asked_by: StaffId
    asked_at: datetime
    acceptance: Acceptance | None = None
    ending: Ending | None = None
    episode_is_open: bool = True

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        if self.ending is not None:
            return Standing(self.ending.outcome.value)
        if not self.episode_is_open:
            return Standing.LAPSED
        return Standing.ASKED if self.acceptance is None else Standing.ACCEPTED

    @property
    def waits(self) -> bool:
        """Whether somebody still has to do something."""
        return self.standing in {Standing.ASKED, Standing.ACCEPTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """One thing that is open at the giving programme and that nobody would see any more."""

    kind: OpenKind
    record: UUID

    @property
    def settle(self) -> str:
        """What to do about it."""
        return SETTLE[self.kind]


SETTLE: Mapping[OpenKind, str] = {
    OpenKind.GUEST: "End the guest agreement: POST /guest-agreements/{id}/end.",
    OpenKind.ESCALATION: "A clinician takes it on: POST /escalations/{id}/acknowledgement.",
    OpenKind.CARE_TASK: "Complete it: POST /care-tasks/{id}/completion. Say in the request what remains to be done there.",
    OpenKind.MEDICATION_TASK: "Say whom you spoke to: it is in the list of what must be told about medicine.",
    OpenKind.MESSAGE: "Clear the message at the window. Say in the request what the other window has to know.",
}
"""What is settled before a client goes, by those whose it is. Holds, flags and units at home go with the client."""


class Transfers(Protocol):
    """The transfers that are kept, and what they are decided by."""

    async def transfer(self, wanted: TransferId, /, *, by: Staff, act: Act) -> Transfer:
        """One of them; raises `TransferUnknown` outside the person's reach."""
        ...

    async def waiting_on(self, departure: DepartureId, /) -> Transfer | None:
        """The one that waits for that decision of a prescriber; None where it is a discharge like any other."""
        ...

    async def add_transfer(self, new: Transfer, /) -> None:
        """Keep it; raises `TransferAsked` where another one waits for the episode."""
        ...

    async def add_acceptance(self, transfer: Transfer, acceptance: Acceptance, /) -> None:
        """Keep it; raises `TransferMoved` where it has been accepted or has ended."""
        ...

    async def add_ending(self, transfer: Transfer, ending: Ending, /) -> None:
        """Keep how it came out: of one who moved, the receiving programme is the home from then on.

        Raises `TransferMoved` where it has ended.
        """
        ...

    async def hold_record(self, client: ClientId, /) -> MedicationRecord:
        """The client's medication record, locked, whoever asks: nothing is given, ordered or discharged meanwhile."""
        ...

    async def is_restricted(self, client: ClientId, /) -> bool:
        """Whether only named staff see the client now."""
        ...

    async def unsettled(self, client: ClientId, today: date, /) -> Sequence[Unsettled]:
        """Everything that would be left behind."""
        ...


class Moving(Caseloads, Protocol):
    """The episodes and responsibilities, for whoever ends one and begins another."""

    async def hold_episode(self, wanted: EpisodeId) -> Episode:
        """The episode, which nobody else ends until the end of the work; `NoOpenEpisode`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where everything is kept that a transfer ends and begins."""

    transfers: Transfers
    caseloads: Moving
    programmes: Programmes
    holds: Holds
    leaving: Leaving
