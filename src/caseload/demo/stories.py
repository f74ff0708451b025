"""What happens to whom, decided beforehand and by the seed alone. Days are counted back from today: 1 is yesterday.

The first clients on medicine and the first of the others each stand for one situation that people should be able to
look at, so that every demo holds all of them; whoever comes after lives mostly an ordinary life.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Final, TypeVar

from caseload.demo.cast import SITES
from caseload.domain.medicines import Form, Medicine

FEWEST_CLIENTS: Final = 70
"""Fewer could not stand for every situation."""
SHORTEST_DAYS: Final = 28
YEAR_DAYS: Final = 365


class Tale(StrEnum):
    """What is particular about a client on medicine."""

    STEADY = "steady"
    TITRATED = "titrated"
    """Admitted lately; the dose was raised step by step, each by an order that replaced the one before."""
    MISSED_1 = "missed_1"
    MISSED_2 = "missed_2"
    MISSED_3 = "missed_3"
    MISSED_4 = "missed_4"
    MISSED_5 = "missed_5"
    MISSED_6 = "missed_6"
    AWAY_NOW = "away_now"
    """Has missed the last days, so that the rule stands in the way at the window today."""
    LATE_ENTRY = "late_entry"
    """A dose typed in the day after, from a sheet on paper."""
    EXCEPTION = "exception"
    """A second dose on one day that was recorded afterwards; it held the next one until a prescriber looked."""
    EXCEPTION_NOW = "exception_now"
    """The same yesterday: still held."""
    HELD = "held"
    """Turned up intoxicated; held, and cleared by a prescriber the day after."""
    NOT_GIVEN = "not_given"
    """Refused a dose."""
    LESS = "less"
    """Took less than ordered, with the reason."""
    UNSIGNED = "unsigned"
    """Doses that have waited too long for a signature."""
    REJECTED = "rejected"
    """A record that a colleague sent back, and nobody has put right yet."""
    REJECTED_AND_AMENDED = "rejected_and_amended"
    AMENDED = "amended"
    """Amended after it was signed; the new version waits."""
    CORRECTED = "corrected"
    """Recorded for the wrong client: signed as not given."""
    SPLIT = "split"
    """Half in the morning, half in the evening."""
    INJECTION = "injection"
    """A long-acting injection every four weeks."""
    RELAPSED = "relapsed"
    """Dropped out, and came back after some weeks: a new episode, a low dose again."""
    DISCHARGED = "discharged"
    """Completed treatment and left."""
    YEAR = "year"
    """A whole year of doses."""
    PHARMACY = "pharmacy"
    """Supplied by a pharmacy, which reports each week; three missed days hold the order now."""


class Course(StrEnum):
    """How the check-ins of a client go."""

    KEPT = "kept"
    UNTOUCHED = "untouched"
    """The last one is overdue and nobody has done anything about it."""
    TRIED = "tried"
    """Overdue after several attempts."""
    MOVED = "moved"
    """Given another time, and overdue again."""
    REOPENED = "reopened"
    """Recorded as done by mistake, put right, and overdue."""


class Sharing(StrEnum):
    """What a client allows somebody close to be told."""

    NOTHING = "nothing"
    LISTED = "listed"
    """Somebody is on the list, and may be told nothing."""
    ALLOWED = "allowed"
    REVOKED = "revoked"
    EXPIRED = "expired"
    ENDED_BY_EVENT = "ended_by_event"


MISSED: Final[Mapping[Tale, int]] = {
    Tale.MISSED_1: 1,
    Tale.MISSED_2: 2,
    Tale.MISSED_3: 3,
    Tale.MISSED_4: 4,
    Tale.MISSED_5: 5,
    Tale.MISSED_6: 6,
}
"""How many doses in a row a tale lets be missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What a client is given, and what is particular about it."""

    tale: Tale
    medicine: Medicine
    form: Form
    strength_mg: Decimal
    dose_mg: Decimal
    turning_point: int
    """How many days ago the particular thing happened, or began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One client's life at the clinic."""

    number: int
    site: int
    admitted: int
    """How many days ago."""
    counsellor: int
    """Which of the programme's counsellors is responsible."""
    treatment: Treatment | None
    course: Course
    sharing: Sharing
    every_weeks: int
    """How often a check-in is due."""
    handed_over: bool
    discharged: int | None = None
    """How many days ago."""
    returned: int | None = None

    def in_care(self, ago: int) -> bool:
        """Whether the client is in an episode of care on the day that was so many days ago."""
        if self.discharged is None or ago > self.discharged:
            return ago <= self.admitted
        return self.returned is not None and ago <= self.returned


_UNUSUAL: Final = 0.25
_ON_BUPRENORPHINE: Final = 0.4
_THERE_FROM_THE_BEGINNING: Final = 0.6
_LEAVE: Final = 0.05
TITRATION_BEGAN: Final = 20

_METHADONE: Final = (Medicine.METHADONE, Form.ORAL_SOLUTION, Decimal(5), Decimal(60))
_BUPRENORPHINE: Final = (Medicine.BUPRENORPHINE_NALOXONE, Form.SUBLINGUAL_FILM, Decimal(8), Decimal(16))
_INJECTION: Final = (Medicine.BUPRENORPHINE, Form.EXTENDED_RELEASE_INJECTION, Decimal(128), Decimal(128))

T = TypeVar("T")

_SHOWN: Final = (*Tale, Tale.YEAR, Tale.YEAR)
_EVERYDAY: Final = tuple(tale for tale in Tale if tale is not Tale.YEAR)
_COURSES: Final = tuple(Course)
_SHARINGS: Final = tuple(Sharing)


def stories(*, clients: int, days: int, seed: int) -> Sequence[Story]:
    """The story of every client, the same for the same three numbers. Two of five are on medicine."""
    told: list[Story] = []
    for number in range(clients):
        chance = Random(f"{seed} {number}")  # noqa: S311 a story, not a secret
        on_medicine = number % 5 < 2
        place = number // 5 * 2 + number % 5 if on_medicine else number // 5 * 3 + number % 5 - 2
        told.append(_story(number, place, on_medicine=on_medicine, days=days, chance=chance))
    return told


def _story(number: int, place: int, *, on_medicine: bool, days: int, chance: Random) -> Story:
    treatment = _treatment(place, days, chance) if on_medicine else None
    tale = treatment.tale if treatment is not None else None
    discharged, returned = _leaving(tale, days, chance)
    return Story(
        number=number,
        site=number % len(SITES),
        admitted=_admitted(tale, days, chance),
        counsellor=chance.randrange(2),
        treatment=treatment,
        course=Course.KEPT if on_medicine else _pick(_COURSES, place, chance, mostly=Course.KEPT),
        sharing=_pick(_SHARINGS, place, chance, mostly=chance.choice([Sharing.NOTHING, Sharing.ALLOWED])),
        every_weeks=2 if on_medicine else chance.choice([1, 2, 2, 4]),
        handed_over=not on_medicine and place % 17 == len(_COURSES),
        discharged=discharged,
        returned=returned,
    )


def _pick(shown: Sequence[T], place: int, chance: Random, *, mostly: T) -> T:
    """The situations in turn for the first; afterwards mostly the ordinary one, and now and then another."""
    if place < len(shown):
        return shown[place]
    return chance.choice(shown) if chance.random() < _UNUSUAL else mostly


def _later(chance: Random) -> Tale:
    """The tale of somebody who stands for nothing: a whole year of doses is told of the first alone."""
    return chance.choice(_EVERYDAY) if chance.random() < _UNUSUAL else Tale.STEADY


def _treatment(place: int, days: int, chance: Random) -> Treatment:
    tale = _SHOWN[place] if place < len(_SHOWN) else _later(chance)
    medicine, form, strength_mg, dose_mg = _METHADONE
    if tale is Tale.INJECTION:
        medicine, form, strength_mg, dose_mg = _INJECTION
    elif tale is Tale.PHARMACY:
        medicine, form, strength_mg, dose_mg = _BUPRENORPHINE
    elif tale is Tale.STEADY and chance.random() < _ON_BUPRENORPHINE:
        medicine, form, strength_mg, dose_mg = _BUPRENORPHINE
        dose_mg = Decimal(chance.choice((8, 12, 16, 24)))
    else:
        dose_mg = Decimal(chance.randrange(50, 111, 10))
    return Treatment(
        tale=tale,
        medicine=medicine,
        form=form,
        strength_mg=strength_mg,
        dose_mg=dose_mg,
        turning_point=chance.randrange(9, min(days - 6, 24)),
    )


def _admitted(tale: Tale | None, days: int, chance: Random) -> int:
    if tale is Tale.YEAR:
        return YEAR_DAYS
    if tale is Tale.TITRATED:
        return TITRATION_BEGAN
    if tale not in {None, Tale.STEADY} or chance.random() < _THERE_FROM_THE_BEGINNING:
        return days
    return chance.randrange(days // 4, days)


def _leaving(tale: Tale | None, days: int, chance: Random) -> tuple[int | None, int | None]:
    """When the client was discharged and came back, if that is the story."""
    match tale:
        case Tale.RELAPSED:
            return days * 2 // 3, days // 3
        case Tale.DISCHARGED:
            return 5, None
        case _:
            left = tale is None and chance.random() < _LEAVE
            return (chance.randrange(2, days // 4) if left else None), None
