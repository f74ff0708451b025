"""Erasing a client from the log: their one key is destroyed, and nobody can tell any more which entries were theirs.

Proposed by a privacy officer, carried out by the confirmation of a second person. Between the two lies a time in which
no process remembers the client's key, so that nothing can be sealed with it afterwards. The entries stay, and every
proof with them; the erasure is an entry of its own, which names the key and not the client.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Protocol
from uuid import UUID

from caseload.domain.access import Act
from caseload.domain.client import ClientUnknown
from caseload.domain.erasure.retention import Kept, Longer, longest_duty
from caseload.domain.errors import Conflict, NotFound, NotPermitted
from caseload.domain.ids import ClientId, ErasureId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

WAIT: Final = timedelta(minutes=10)
"""Between proposal and confirmation: twice as long as a process remembers a client's key."""


class ErasureUnknown(NotFound):
    """No such erasure is proposed."""

    def __init__(self) -> None:
        super().__init__("It may have been carried out or withdrawn: the log says which.")


class AlreadyProposed(Conflict):
    """The erasure of this client is already proposed."""

    def __init__(self) -> None:
        super().__init__("A second person can confirm it, or it can be withdrawn.")


class MustBeKept(Conflict):
    """A duty to keep stands against the erasure."""


class TooSoon(Conflict):
    """The erasure cannot be confirmed yet."""


class NeedsAnother(NotPermitted):
    """Whoever proposed an erasure cannot confirm it."""

    def __init__(self) -> None:
        super().__init__("Ask another privacy officer or the medical director.")


class Ground(StrEnum):
    """Why somebody is to be erased."""

    RETENTION_OVER = "retention_over"
    REGISTERED_IN_ERROR = "registered_in_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A proposal that waits for a second person. It is kept beside the keys, and goes with the key."""

    id: ErasureId
    client: ClientId
    ground: Ground
    proposed_by: StaffId
    proposed_at: datetime

    @property
    def confirmable_from(self) -> datetime:
        """From when on it can be confirmed."""
        return self.proposed_at + WAIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What is left of an erasure: which key was destroyed, and by whom. It names no client."""

    id: ErasureId
    key: UUID
    """So that the key can be destroyed again after a backup of the keys was restored."""
    ground: Ground
    proposed_by: StaffId
    confirmed_by: StaffId
    erased_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureProposed(Event):
    """Somebody proposed to erase a client from the log. Sealed under the client's own key, and gone with it."""

    name: ClassVar[str] = "erasure.proposed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureWithdrawn(Event):
    """A proposed erasure does not take place."""

    name: ClassVar[str] = "erasure.withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientErased(Event):
    """A client was erased from the log. Names the destroyed key and never the client."""

    name: ClassVar[str] = "client.erased"


class Record(Protocol):
    """What the clinic's record says that a duty to keep depends on."""

    async def kept(self, wanted: ClientId, *, last_access_at: datetime | None) -> Kept:
        """The facts; `ClientUnknown`."""
        ...


class Erasures(Protocol):
    """The clients' keys, and the erasures that are proposed."""

    async def last_access(self, client: ClientId) -> datetime | None:
        """When anybody but an auditor or privacy officer last looked, tried or wrote; `ClientNotInLog`."""
        ...

    async def add(self, new: Erasure) -> None:
        """Keep a proposal; `AlreadyProposed`."""
        ...

    async def waiting(self) -> Sequence[Erasure]:
        """Proposals that wait for a second person, the oldest first."""
        ...

    async def get(self, wanted: ErasureId) -> Erasure:
        """The proposal, or `ErasureUnknown`."""
        ...

    async def withdraw(self, proposal: Erasure) -> None:
        """Forget the proposal."""
        ...

    async def destroy_key(self, proposal: Erasure, *, by: StaffId, at: datetime) -> Erased:
        """Destroy the client's key and forget the proposal; `ErasureUnknown` when somebody was faster."""
        ...


async def propose_erasure(
    new: Erasure, *, by: Staff, now: datetime, longer: Longer, record: Record, erasures: Erasures, journal: Journal
) -> None:
    """Propose to erase a client from the log. Raises `ClientUnknown`, `ClientNotInLog`, `MustBeKept`, `AlreadyProposed`."""
    kept = await record.kept(new.client, last_access_at=await erasures.last_access(new.client))
    if not by.may_in(Act.PROPOSE_ERASURE, kept.programme):
        raise ClientUnknown
    _require_no_duty(kept, longer, now=now)
    await erasures.add(new)
    journal.tell(ErasureProposed(client=new.client, records=(new.id,), facts={"ground": new.ground.value}))


async def list_erasures(*, by: Staff, record: Record, erasures: Erasures, journal: Journal) -> Sequence[Erasure]:
    """Proposed erasures of the clients of one's programmes, the oldest first."""
    found: list[Erasure] = []
    for each in await erasures.waiting():
        kept = await record.kept(each.client, last_access_at=None)
        if by.may_in(Act.CONFIRM_ERASURE, kept.programme):
            journal.saw(each.client, "erasure")
            found.append(each)
    return found


async def confirm_erasure(
    wanted: ErasureId, *, by: Staff, now: datetime, longer: Longer, record: Record, erasures: Erasures, journal: Journal
) -> Erased:
    """Destroy the client's key, as the second person. It cannot be undone.

    Nothing here may be noted as seen of the client: a note would be sealed under a new key of theirs.
    Raises `ErasureUnknown`, `NeedsAnother`, `TooSoon`, `MustBeKept`.
    """
    proposal = await erasures.get(wanted)
    client = proposal.client
    kept = await record.kept(client, last_access_at=await erasures.last_access(client))
    if not by.may_in(Act.CONFIRM_ERASURE, kept.programme):
        raise ErasureUnknown
    if by.id == proposal.proposed_by:
        raise NeedsAnother
    if now < proposal.confirmable_from:
        raise TooSoon(
            "Until then a process may still remember the client's key.",
            from_=proposal.confirmable_from.isoformat(timespec="seconds"),
        )
    _require_no_duty(kept, longer, now=now)
    erased = await erasures.destroy_key(proposal, by=by.id, at=now)
    facts: dict[str, str | int] = {"ground": erased.ground.value}
    journal.tell(ClientErased(records=(erased.key, erased.id, erased.proposed_by), facts=facts))
    return erased


async def withdraw_erasure(
    wanted: ErasureId, *, by: Staff, record: Record, erasures: Erasures, journal: Journal
) -> None:
    """Take a proposal back: by whoever made it or any other privacy officer. Raises `ErasureUnknown`."""
    proposal = await erasures.get(wanted)
    kept = await record.kept(proposal.client, last_access_at=None)
    if not by.may_in(Act.PROPOSE_ERASURE, kept.programme):
        raise ErasureUnknown
    await erasures.withdraw(proposal)
    journal.tell(ErasureWithdrawn(client=proposal.client, records=(proposal.id,)))


def _require_no_duty(kept: Kept, longer: Longer, *, now: datetime) -> None:
    """Raise `MustBeKept`, by rule and date, while something must be kept."""
    duty = longest_duty(kept, longer, now=now)
    if duty is not None:
        until = "while that is so" if duty.until is None else f"until {duty.until}"
        raise MustBeKept(f"{duty.says} It must be kept {until}.", rule=duty.rule, until=str(duty.until or ""))
