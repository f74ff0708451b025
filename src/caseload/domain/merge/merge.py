"""One person registered twice: who says so, who confirms it, and how the two registrations stand to each other.

Nothing moves from one registration to the other. The duplicate is closed and points to the survivor; what was swallowed
under it counts under the survivor (`db/medication/covered.py`), and undoing it opens it again as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, NotFound, NotPermitted
from caseload.domain.ids import ClientId, MergeId, StaffId
from caseload.domain.journal import Event
from caseload.domain.medication import Holds
from caseload.domain.people import Staff


class Side(StrEnum):
    """What a registration is in a merge."""

    DUPLICATE = "duplicate"
    """It is closed, and points to the survivor."""
    SURVIVOR = "survivor"
    """It is the one that is used."""


class Outcome(StrEnum):
    """How a proposal was answered."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    """By whoever proposed it."""


class Standing(StrEnum):
    """How two registrations stand to each other."""

    SUSPECTED = "suspected"
    """Proposed to be one person's: both are held, and each must heed what the other took."""
    MERGED = "merged"
    APART = "apart"
    """Rejected, withdrawn or undone."""


class OpenKind(StrEnum):
    """What must be settled before a registration can be closed."""

    EPISODE = "episode"
    SURVIVOR_NOT_IN_CARE = "survivor_not_in_care"
    ORDER = "order"
    HOLD = "hold"
    TAKE_HOME = "take_home"
    GUEST = "guest"
    ESCALATION = "escalation"
    CARE_TASK = "care_task"
    MEDICATION_TASK = "medication_task"
    MESSAGE = "message"
    CHECK_IN = "check_in"
    SESSION = "session"
    FLAG = "flag"
    """A flag that the survivor does not have: whoever orders for the survivor would not see it."""
    WARNING = "warning"
    """Of somebody around the duplicate whom nobody warns of under the survivor: staff would ring or visit them."""
    RESTRICTION = "restriction"
    """Only named staff see the duplicate, and more than these would see the survivor."""
    AGREED_CONTACT = "agreed_contact"
    """How the duplicate is reached was agreed with the client, and nothing was for the survivor (45 CFR 164.522(b))."""
    AGREED_RESTRICTION = "agreed_restriction"
    """What was agreed not to be told of the duplicate might be told of the survivor (45 CFR 164.522(a))."""
    PRIVACY_OFFICER = "privacy_officer"
    """Something that the privacy officer settles. It says no more: what it is may tell of somebody else who is a client."""
    DEATH = "death"
    """One of the two is recorded as having died, and the other is not."""


SETTLE = {
    OpenKind.EPISODE: "Discharge it with the reason registered_twice: POST /clients/{id}/discharge.",
    OpenKind.SURVIVOR_NOT_IN_CARE: "Nobody would answer for the client: admit the survivor first, POST /clients/{id}/episodes.",
    OpenKind.ORDER: "A prescriber stops or withdraws it: POST /orders/{id}/stop. What goes on is ordered under the survivor.",
    OpenKind.HOLD: "A prescriber decides about it: POST /holds/{id}/clearance.",
    OpenKind.TAKE_HOME: "Take the unit back, or say what became of it.",
    OpenKind.GUEST: "End the guest agreement: POST /guest-agreements/{id}/end.",
    OpenKind.ESCALATION: "A clinician takes it on: POST /escalations/{id}/acknowledgement.",
    OpenKind.CARE_TASK: "Complete it: POST /care-tasks/{id}/completion. What remains is asked for under the survivor.",
    OpenKind.MEDICATION_TASK: "Say whom you spoke to: it is in the list of what must be told about medicine.",
    OpenKind.MESSAGE: "Clear it, and leave it for the survivor.",
    OpenKind.CHECK_IN: "Complete it or let the plan end; plan it under the survivor.",
    OpenKind.SESSION: "Call the place off; book the survivor.",
    OpenKind.FLAG: "Raise it for the survivor in the same words, or end it: POST /clients/{id}/flags.",
    OpenKind.WARNING: (
        "Warn of the same person under the survivor, by the same name, number, address and household: "
        "POST /clients/{id}/related-people/{person_id}/warnings. Or lift it, if it is over."
    ),
    OpenKind.RESTRICTION: "Restrict the survivor as well: POST /clients/{id}/restrictions.",
    OpenKind.AGREED_CONTACT: "Grant for the survivor what the client asked for: POST /clients/{id}/rights-requests.",
    OpenKind.AGREED_RESTRICTION: "Agree to the same for the survivor: POST /clients/{id}/rights-requests.",
    OpenKind.PRIVACY_OFFICER: "Ask the privacy officer to settle what waits for them under this registration.",
    OpenKind.DEATH: "Correct the death, or record it of the other one, too.",
}
"""How each is settled, and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StillOpen:
    """One thing under the duplicate that nobody may lose sight of."""

    kind: OpenKind
    record: UUID

    @property
    def settle(self) -> str:
        """What to do about it."""
        return SETTLE[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """That a proposal was confirmed, rejected or withdrawn."""

    outcome: Outcome
    reason: str
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """That a merge was undone."""

    reason: str
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Two registrations that somebody says are one person's."""

    id: MergeId
    duplicate: ClientId
    survivor: ClientId
    reason: str
    proposed_by: StaffId
    proposed_at: datetime
    answer: Answer | None = None
    undoing: Undoing | None = None

    @property
    def standing(self) -> Standing:
        """How the two stand to each other now."""
        if self.answer is None:
            return Standing.SUSPECTED
        if self.answer.outcome is Outcome.CONFIRMED and self.undoing is None:
            return Standing.MERGED
        return Standing.APART

    def other(self, client: ClientId) -> ClientId:
        """The other one of the two."""
        return self.survivor if client == self.duplicate else self.duplicate


class MergeUnknown(NotFound):
    """There is no such merge within your reach."""

    def __init__(self) -> None:
        super().__init__("Both registrations must be within your reach. Ask somebody who answers for both programmes.")


class MergeOverlaps(Conflict):
    """One of these registrations is part of another merge."""


class MergeMoved(Conflict):
    """This merge has been answered or undone since you read it."""


class MergeUnsettled(Conflict):
    """Something is still open under the duplicate."""


class MergeNeedsAnother(NotPermitted):
    """Whoever proposed a merge cannot confirm it."""

    def __init__(self) -> None:
        super().__init__("Ask another supervisor or medical director who answers for both programmes.")


class MergeOfAnother(NotPermitted):
    """A merge is withdrawn by whoever proposed it."""

    def __init__(self) -> None:
        super().__init__("A supervisor or medical director who answers for both programmes rejects it instead.")


class MergeProposed(Event):
    """Somebody says that two registrations are one person's; told of each of them."""

    name: ClassVar[str] = "merge.proposed"


class MergeAnswered(Event):
    """A merge was confirmed, rejected or withdrawn; told of each of the two registrations."""

    name: ClassVar[str] = "merge.answered"


class MergeUndone(Event):
    """A merge was undone; told of each of the two registrations."""

    name: ClassVar[str] = "merge.undone"


class Merges(Holds, Protocol):
    """The merges that are kept. Whoever adds to them has locked the medication records of both first."""

    async def merge(self, wanted: MergeId, /, *, by: Staff, act: Act) -> Merge:
        """One merge, of which both registrations are within the person's reach; raises `MergeUnknown`."""
        ...

    async def add_merge(self, merge: Merge, /) -> None:
        """Keep a proposal; raises `MergeOverlaps`."""
        ...

    async def hold_still(self, merge: Merge, /) -> None:
        """Keep everybody from beginning anything for the two, and wait for whoever is about to."""
        ...

    async def still_open(self, merge: Merge, today: date, /) -> Sequence[StillOpen]:
        """What must be settled under the duplicate before it is closed."""
        ...

    async def add_answer(self, merge: Merge, answer: Answer, /) -> None:
        """Keep how it was answered; raises `MergeMoved`."""
        ...

    async def add_undoing(self, merge: Merge, undoing: Undoing, /) -> None:
        """Keep that it was undone; raises `MergeMoved`."""
        ...
