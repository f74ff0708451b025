"""One line of a dosing day: what the row of a client says, what was read beside it, and what is due by both.

The function that makes the answer is given these and nothing else, and they are compared as a whole; so a fact that the
rules come to ask for cannot be forgotten where answers are remembered.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from caseload.db.direct import Named
from caseload.db.dosing.facts import allowed_of, held_in
from caseload.db.medication.rows import as_it_stands
from caseload.domain.dosing import (
    Allowed,
    AlreadyGiven,
    AtHome,
    Away,
    DueTo,
    Held,
    Injected,
    Lately,
    Morning,
    Observed,
    Taken,
    TakenPart,
    UnderAnother,
    due_on,
)
from caseload.domain.dosing.covered import CoveredDay, counted_in, read_since
from caseload.domain.dosing.lapses import look_back
from caseload.domain.dosing.missed import needs_orders
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.domain.medication import Acting, GuestDays, MedicationRecord, Order
from caseload.domain.medicines import Medicine
from caseload.domain.profiles.selected import read_selected


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """What a row of the day's list says of its client, and what has to be read beside it. Compared by identity."""

    day: date
    client: ClientId
    record: MedicationRecord
    order: Order
    last: Taken | None
    held: Held | None
    allowed: Allowed | None
    given_name: str
    family_name: str
    birth_date: date
    alphabetical: tuple[str, str, UUID]
    """By family name and given name, whatever their accents."""
    is_mixed: bool
    """Something else may act beside what is ordered."""
    covered_since: date | None
    gaps_since: date | None
    is_behind: bool
    """The orders since the last dose must be known."""
    steps_since: date | None


@dataclass(slots=True, kw_only=True)
class Beside:
    """What was read of a client beside their row."""

    orders: Sequence[Order] = ()
    given: Sequence[AlreadyGiven] = ()
    beside: Sequence[Acting] = ()
    taken_since: Sequence[TakenPart] = ()
    observed: Sequence[Observed] = ()
    lately: Sequence[Lately] = ()
    injected: Sequence[Injected] = ()
    away: Sequence[Away] = ()
    at_home: Sequence[AtHome] = ()
    covered: Sequence[CoveredDay] = ()
    guests: Sequence[GuestDays] = ()
    under_another: Sequence[UnderAnother] = ()
    place: ProgrammeId | None = None
    """Who asks, where the client is, or was, a guest: home and host are answered differently."""


NOTHING: Final = Beside()
NO_RULES: Final = frozenset[str]()

Facts = tuple[Known, Beside, frozenset[str], datetime | None]
"""Everything from which it follows what is due: the row, what is beside it, what was answered as the order was signed,
and the moment, where an order was given by word of mouth and its deadline can pass."""


def known_by(facts: tuple[Named, Order, date]) -> Known:
    """What a row says on a day, with its order as it was written."""
    row, written, day = facts
    order = as_it_stands(written, row)
    last = None
    if row["last_day"] is not None:
        last = Taken(
            day=row["last_day"],
            at=row["last_at"],
            medicine=Medicine(row["last_medicine"]),
            amount_mg=row["last_mg"],
        )
    record = MedicationRecord(
        client=ClientId(row["client_id"]),
        programme=ProgrammeId(row["home_id"]),
        time_zone=row["time_zone"],
        profiles=read_selected(row["profile"], row["later_profiles"]),
        history_until=row["history_until"],
        covered_until=row["covered_until"],
        gaps_until=row["gaps_until"],
        has_guest_days=row["has_guest_days"],
        suspected_with=row["suspected_with"],
    )
    return Known(
        day=day,
        client=record.client,
        record=record,
        order=order,
        last=last,
        held=held_in(row),
        allowed=allowed_of(row),
        given_name=row["given_name"],
        family_name=row["family_name"],
        birth_date=row["birth_date"],
        alphabetical=(_as_sorted(row["family_name"]), _as_sorted(row["given_name"]), record.client),
        is_mixed=row["has_another"] or order.last_opioid_on is not None,
        covered_since=read_since(record.covered_until, last, order, day),
        gaps_since=look_back(record, last, order, day),
        is_behind=needs_orders(last, order, day),
        steps_since=order.starts_on if order.steps and order.steps[0].from_on <= day else None,
    )


def _as_sorted(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def due_by(facts: Facts) -> DueTo:
    """What is due by these facts, and by nothing else."""
    known, beside, answers, at = facts
    morning = Morning(
        record=known.record,
        orders=beside.orders or (known.order,),
        given=beside.given,
        last=known.last,
        held=known.held,
        allowed=known.allowed,
        beside=beside.beside,
        answered=answers,
        taken_since=beside.taken_since,
        observed=beside.observed,
        lately=beside.lately,
        injected=beside.injected,
        away=beside.away,
        at_home=beside.at_home,
        guests=beside.guests,
        under_another=beside.under_another,
        place=beside.place,
        at=at,
    )
    return due_to(known, counted_in(morning, beside.covered, known.day) if beside.covered else morning)


def due_to(known: Known, morning: Morning) -> DueTo:
    """What is due to the client of a row, by what is known on that morning."""
    return DueTo(
        client=known.client,
        home=known.record.programme,
        given_name=known.given_name,
        family_name=known.family_name,
        birth_date=known.birth_date,
        due=due_on(known.day, morning),
        held=known.held,
    )
