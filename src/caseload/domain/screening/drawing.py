"""Who is screened today, by a draw that nobody can foresee: so many times in each year of treatment, spread by chance.

Each day every client on medicine is drawn with the chance `what is still needed / days that are left` of their year.
Whoever is screened on every day on which they are drawn has been screened exactly as often as the rule asks, on days
that are uniformly random (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S); whoever was drawn and did not
come, or refused, is drawn again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, NamedTuple, Protocol

from dateutil.relativedelta import relativedelta

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import ClientId, DrawId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme

A_YEAR = relativedelta(years=1)


class DrawUnknown(NotFound):
    """Nobody has drawn who is screened on this day."""


class AlreadyDrawn(Conflict):
    """Who is screened today has been drawn already."""


class OnMedicine(NamedTuple):
    """A client in care who has an order in force today."""

    client: ClientId
    admitted_on: date
    screened_on: Sequence[date]
    """Days of the last year for which they were drawn and on which a sample was given."""


class Drawn(NamedTuple):
    """A client who is to be screened today."""

    client: ClientId
    done: int
    """Random screens so far in this year of treatment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Who is screened in a programme on one day."""

    id: DrawId
    programme: ProgrammeId
    day: date
    rule: str
    required: int
    """Random screens in a year of treatment."""
    considered: int
    """How many clients were on medicine."""
    drawn: Sequence[Drawn]
    drawn_by: StaffId
    drawn_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreensDrawn(Event):
    """It was drawn who is screened in a programme today."""

    name: ClassVar[str] = "drug_screen.drawn"


class Draws(Protocol):
    """The draws that are kept."""

    async def on_medicine(self, programme: ProgrammeId, *, today: date) -> Sequence[OnMedicine]:
        """Every client of the programme who is in care and has an order in force today."""
        ...

    async def add_draw(self, draw: Draw, /) -> None:
        """Keep it; `AlreadyDrawn` when there is one of that programme and day."""
        ...


async def draw(
    programme: Programme,
    *,
    as_id: DrawId,
    chance: Callable[[], float],
    by: Staff,
    now: datetime,
    draws: Draws,
    journal: Journal,
) -> Draw:
    """Draw who is screened today. `chance` gives numbers from 0 to 1 that nobody can foresee.

    Raises `NotPermitted`, `AlreadyDrawn`.
    """
    by.require(Act.DRAW_SCREENS, programme.id)
    today = programme.today(now)
    profile = programme.profiles.on(today)
    said = profile.monitoring.random_screens
    rule = f"{said.rule} of {profile.label}"
    clients = await draws.on_medicine(programme.id, today=today)
    found = Draw(
        id=as_id,
        programme=programme.id,
        day=today,
        rule=rule,
        required=said.a_year,
        considered=len(clients),
        drawn=list(chosen(clients, required=said.a_year, today=today, chance=chance)),
        drawn_by=by.id,
        drawn_at=now,
    )
    await draws.add_draw(found)
    journal.tell(
        ScreensDrawn(facts={"programme": str(programme.id), "rule": rule, "drawn": len(found.drawn)}),
    )
    return found


def chosen(
    clients: Iterable[OnMedicine], *, required: int, today: date, chance: Callable[[], float]
) -> Iterable[Drawn]:
    """Who of these is drawn today."""
    for each in clients:
        begins, ends = year_of_treatment(each.admitted_on, today)
        done = sum(begins <= day < ends for day in each.screened_on)
        if chance() * (ends - today).days < required - done:
            yield Drawn(each.client, done)


class Behind(NamedTuple):
    """A client who has been screened less often than their year of treatment asks for by now."""

    client: ClientId
    done: int
    """Random screens so far in this year of treatment."""
    expected: int
    """How many the days that have passed ask for, a part of one not counted."""
    days_left: int
    """Days of the year in which the others can still be drawn, today included."""


def behind(clients: Iterable[OnMedicine], *, required: int, today: date) -> Iterable[Behind]:
    """Who of these is behind. Nobody is told but staff: whoever knew would know that they are about to be drawn."""
    for each in clients:
        begins, ends = year_of_treatment(each.admitted_on, today)
        done = sum(begins <= day < ends for day in each.screened_on)
        expected = required * (today - begins).days // (ends - begins).days
        if done < expected:
            yield Behind(each.client, done, expected, (ends - today).days)


def year_of_treatment(admitted_on: date, today: date) -> tuple[date, date]:
    """The year that began with the last anniversary of the admission: its first day, and the day after its last."""
    years = relativedelta(today, admitted_on).years
    return admitted_on + years * A_YEAR, admitted_on + (years + 1) * A_YEAR
