"""A counsellor is away: somebody stands in for the whole caseload, until the absence ends by itself.

What is covered follows the caseload: a client who is handed to somebody who is away is covered from that moment on,
and one who is handed to somebody else is not any more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.caseload.responsibility import LATE, Cover, check_cover
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import AbsenceId, ClientId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

INSTANT = timedelta(microseconds=1)


class AlreadyAway(Conflict):
    """Somebody stands in for this counsellor at that time already."""

    def __init__(self) -> None:
        super().__init__("Read the absences of the programme, and end the other one first.")


class AbsenceUnknown(NotFound):
    """No such absence in a programme whose caseloads you hand over."""

    def __init__(self) -> None:
        super().__init__("Read the absences of the programme and use one of their identifiers.")


class AbsenceOver(Conflict):
    """This absence has ended."""

    def __init__(self) -> None:
        super().__init__("There is nothing left to end.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """Who is to stand in for whom, and for how long."""

    programme: ProgrammeId
    counsellor: StaffId
    covered_by: StaffId
    starts_at: datetime
    ends_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """One counsellor is away from one programme, and another stands in for everybody on the caseload."""

    id: AbsenceId
    programme: ProgrammeId
    counsellor: StaffId
    covered_by: StaffId
    starts_at: datetime
    ends_at: datetime
    reason: str
    recorded_by: StaffId
    recorded_at: datetime
    back_at: datetime | None = None
    """When it was ended before its time; before its beginning where it did not take place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """For how long one client is to be covered because of an absence: while the counsellor answers for them and is away."""

    client: ClientId
    absence: AbsenceId
    covered_by: StaffId
    starts_at: datetime
    ends_at: datetime
    reason: str

    def cover(self, *, by: StaffId, now: datetime) -> Cover:
        """The cover that does it."""
        return Cover(
            id=new_id(),
            client=self.client,
            counsellor=self.covered_by,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            reason=self.reason,
            recorded_by=by,
            recorded_at=now,
            absence=self.absence,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceArranged(Event):
    """Somebody stands in for a counsellor who is away."""

    name: ClassVar[str] = "caseload.absence_arranged"


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceEnded(Event):
    """A counsellor is back before the absence was to end."""

    name: ClassVar[str] = "caseload.absence_ended"


class Absences(Protocol):
    """The absences that are kept."""

    async def hold_still(self, *, of: StaffId | None, to: StaffId) -> None:
        """See `together.HandsOver.hold_still`."""
        ...

    async def counsels_in(self, staff: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        """See `Responsibilities.counsels_in`."""
        ...

    async def add_absence(self, new: Absence) -> Sequence[ClientId]:
        """Keep it, and cover everybody of whom it is true; they are given back. `AlreadyAway` beside another."""
        ...

    async def end_absence(self, ending: Absence, *, by: StaffId, now: datetime) -> Sequence[ClientId]:
        """End it and its covers; whoever was covered is given back. `AbsenceOver` on a race."""
        ...


async def arrange_absence(
    wish: Away, *, as_id: AbsenceId, by: Staff, now: datetime, caseloads: Absences, journal: Journal
) -> tuple[Absence, Sequence[ClientId]]:
    """Let somebody stand in for all clients of a counsellor who is away; whoever is covered is given back.

    Both must be counsellors of the programme when it begins, and whoever stands in until it ends. Raises
    `NotPermitted`, `Invalid`, `AlreadyAway`.
    """
    by.require(Act.HAND_OVER, wish.programme)
    faults = Faults()
    faults.check(when=wish.starts_at < now - LATE, where="starts_at", problem="must not lie in the past")
    faults.check(when=wish.covered_by == wish.counsellor, where="covered_by", problem="must be somebody else")
    check_cover(wish.starts_at, wish.ends_at, wish.reason, now=now, faults=faults)
    faults.raise_if_any()
    begins, last = max(wish.starts_at, now), wish.ends_at - INSTANT
    await caseloads.hold_still(of=wish.counsellor, to=wish.covered_by)
    for who, at, where, problem in (
        (wish.counsellor, begins, "counsellor_id", "must be somebody who is a counsellor in this programme then"),
        (wish.covered_by, begins, "covered_by", "must be somebody who is a counsellor in this programme then"),
        (wish.covered_by, last, "covered_by", "must still be a counsellor in this programme when it ends"),
    ):
        if not await caseloads.counsels_in(who, wish.programme, at=at):
            faults.add(where, problem)
    faults.raise_if_any()
    absence = Absence(
        id=as_id,
        programme=wish.programme,
        counsellor=wish.counsellor,
        covered_by=wish.covered_by,
        starts_at=begins,
        ends_at=wish.ends_at,
        reason=wish.reason,
        recorded_by=by.id,
        recorded_at=now,
    )
    covered = await caseloads.add_absence(absence)
    facts: dict[str, str | int] = {"away": str(wish.counsellor), "by": str(wish.covered_by)}
    journal.tell(AbsenceArranged(records=(absence.id,), facts={"programme": str(wish.programme), **facts}))
    for client in covered:
        journal.tell(AbsenceArranged(client=client, records=(absence.id,), facts={**facts}))
    return absence, covered


async def end_absence(absence: Absence, *, by: Staff, now: datetime, caseloads: Absences, journal: Journal) -> None:
    """The counsellor is back: the absence and its covers end now; one that has not begun does not take place.

    Raises `NotPermitted`, `AbsenceOver`.
    """
    by.require(Act.HAND_OVER, absence.programme)
    if absence.ends_at <= now or absence.back_at is not None:
        raise AbsenceOver
    covered = await caseloads.end_absence(absence, by=by.id, now=now)
    journal.tell(AbsenceEnded(records=(absence.id,), facts={"programme": str(absence.programme)}))
    for client in covered:
        journal.tell(AbsenceEnded(client=client, records=(absence.id,)))


def to_change(
    standing: Iterable[Cover], wanted: Iterable[Stretch], *, now: datetime
) -> tuple[Sequence[Cover], Sequence[Stretch]]:
    """Which covers end now, and what is to be covered anew, so that from now on exactly `wanted` is covered.

    `standing` are covers of absences that have not ended; `wanted` begins now at the earliest. What stands as it is
    wanted is left alone.
    """
    asked: dict[tuple[ClientId, AbsenceId | None, datetime, datetime], Stretch] = {
        (each.client, each.absence, each.starts_at, each.ends_at): each for each in wanted
    }
    ending = [
        each
        for each in standing
        if asked.pop((each.client, each.absence, max(each.starts_at, now), each.ends_at), None) is None
    ]
    return ending, list(asked.values())
