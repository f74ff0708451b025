"""What belongs to an admission, and by when it is done: the full examination, and the psychosocial assessment with its care plan.

Source: 42 CFR 8.12(f)(2)(iii) and (4)(i): both within 14 calendar days of admission. The days are values of the profile in
force on the day of the admission; where it sets none there is no clock. A clock asks and is listed; it never stops a dose.
Insert-only: what was recorded by mistake is taken back with a reason, stays readable, and its clock runs again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.caseload import Episode
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import AdmissionDoneId, ClientId, EpisodeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.profiles import Profile
from caseload.domain.taken_back import TakenBack, because

LONGEST_TEXT: Final = 500
LONGEST_NAME: Final = 120


class Duty(StrEnum):
    """What belongs to an admission."""

    EXAMINATION = "examination"
    """The full physical examination, in person. The screening before the admission is not it."""
    ASSESSMENT = "assessment"
    """The initial psychosocial assessment, with the care plan."""


class State(StrEnum):
    """How a clock stands on a day."""

    DUE = "due"
    """Not done, and its last day is not over."""
    OVERDUE = "overdue"
    DONE = "done"
    DONE_LATE = "done_late"


class AdmissionDoneUnknown(NotFound):
    """No such record of this client's admission within your reach."""


class AdmissionDoneTakenBack(Conflict):
    """This record of an admission has been taken back already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody says was done, on which local day, and by whom."""

    duty: Duty
    done_on: date
    done_by: str
    """The name of who did it; often nobody with an account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionDone:
    """One record of what belongs to an admission."""

    id: AdmissionDoneId
    episode: EpisodeId
    said: Said
    recorded_by: StaffId
    recorded_at: datetime
    taken_back: TakenBack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One duty of one admission, as it stands on a day."""

    duty: Duty
    due_on: date
    """The last day on which it is in time."""
    state: State
    done_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """An open episode, and what of its admission counts as done."""

    client: ClientId
    episode: EpisodeId
    given_name: str
    family_name: str
    admitted_on: date
    done: Sequence[Said]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionDutyDone(Event):
    """What belongs to an admission was recorded as done."""

    name: ClassVar[str] = "admission.done"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionDutyTakenBack(Event):
    """A record of what belongs to an admission was taken back."""

    name: ClassVar[str] = "admission.done_taken_back"


class Admissions(Protocol):
    """What is kept of admissions."""

    async def add(self, done: AdmissionDone, /) -> None:
        """Keep a record."""
        ...

    async def add_taken_back(self, done: AdmissionDone, taken_back: TakenBack, /) -> None:
        """Keep that it was a mistake; `AdmissionDoneTakenBack` when that was kept before."""
        ...


def clocks(admitted_on: date, done: Iterable[Said], today: date, rules: Profile) -> Sequence[Clock]:
    """Every clock of an admission on a local day; none where the profile sets none. The first day it was done on counts."""
    within = rules.monitoring.admission
    if within is None:
        return ()
    days = {Duty.EXAMINATION: within.examination_days, Duty.ASSESSMENT: within.assessment_days}
    first: dict[Duty, date] = {}
    for each in done:
        first[each.duty] = min(each.done_on, first.get(each.duty, each.done_on))
    return tuple(
        Clock(
            duty=duty,
            due_on=(due_on := admitted_on + timedelta(days=days[duty])),
            state=_state(first.get(duty), due_on, today),
            done_on=first.get(duty),
        )
        for duty in Duty
    )


def _state(done_on: date | None, due_on: date, today: date) -> State:
    if done_on is None:
        return State.OVERDUE if today > due_on else State.DUE
    return State.DONE_LATE if done_on > due_on else State.DONE


def waiting(admitted: Admitted, until: date, today: date, rules: Profile) -> Sequence[Clock]:
    """What is not done of an admission and has its last day by `until`, the earliest first."""
    running = clocks(admitted.admitted_on, admitted.done, today, rules)
    return sorted(
        (each for each in running if each.done_on is None and each.due_on <= until), key=lambda each: each.due_on
    )


async def record_done(
    episode: Episode,
    said: Said,
    *,
    as_id: AdmissionDoneId,
    today: date,
    by: Staff,
    now: datetime,
    admissions: Admissions,
    journal: Journal,
) -> AdmissionDone:
    """Record for an open episode that something of its admission was done.

    Two people may record the same; the first day counts. Raises `NotPermitted`, `Invalid`.
    """
    by.require(Act.ADMIT, episode.programme)
    faults = Faults()
    faults.check(when=said.done_on > today, where="done_on", problem="must not lie in the future")
    faults.check(
        when=said.done_on < episode.admitted_on,
        where="done_on",
        problem=f"must not lie before the admission on {episode.admitted_on}",
    )
    faults.check(
        when=not 0 < len(said.done_by.strip()) <= LONGEST_NAME,
        where="done_by",
        problem=f"name who did it, in {LONGEST_NAME} characters at most",
    )
    faults.raise_if_any()
    done = AdmissionDone(id=as_id, episode=episode.id, said=said, recorded_by=by.id, recorded_at=now)
    await admissions.add(done)
    journal.tell(AdmissionDutyDone(client=episode.client, records=(as_id, episode.id), facts={"duty": said.duty}))
    return done


async def take_back_done(
    done: AdmissionDone,
    reason: str,
    *,
    client: ClientId,
    by: Staff,
    now: datetime,
    admissions: Admissions,
    journal: Journal,
) -> AdmissionDone:
    """Say that a record was a mistake: its clock runs again. Raises `Invalid`, `AdmissionDoneTakenBack`."""
    taken_back = because(reason, by=by, now=now)
    if done.taken_back is not None:
        raise AdmissionDoneTakenBack("Read the clocks of the client's admission again.")
    await admissions.add_taken_back(done, taken_back)
    journal.tell(AdmissionDutyTakenBack(client=client, records=(done.id,), facts={"duty": done.said.duty}))
    return replace(done, taken_back=taken_back)
