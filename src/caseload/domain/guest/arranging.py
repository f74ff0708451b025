"""Arranging that a client is a guest: what must be said and confirmed, and who can be a guest at all."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from caseload.domain.access import Act
from caseload.domain.dosing import DayOutcome, Said, Source, Statement, StatementDay, Verification
from caseload.domain.dosing.statement import check_name
from caseload.domain.errors import Fault, Faults, Invalid
from caseload.domain.guest.agreement import (
    Arrangement,
    Guest,
    GuestArranged,
    GuestIsOurs,
    Guests,
    HoldsTakeHomes,
    HomeDose,
)
from caseload.domain.ids import ClientId, GuestId, StatementId, new_id
from caseload.domain.journal import Journal
from caseload.domain.medication import Direction, GuestDays, MedicationRecord, guests_here
from caseload.domain.medication.record import check_reason
from caseload.domain.medicines import FORMS, LONG_ACTING, DosePart, check_milligrams
from caseload.domain.people import Staff
from caseload.domain.schedule import start_of_day
from caseload.domain.zones import zone_of

LONGEST_DAYS: Final = 92
"""Guest days of one agreement; for longer the client is transferred (product convention)."""
FARTHEST: Final = timedelta(days=92)
"""How far ahead an agreement may begin."""
_ONE: Final = timedelta(days=1)


async def arrange_guest(
    client: ClientId,
    arrangement: Arrangement,
    *,
    as_id: GuestId,
    by: Staff,
    now: datetime,
    guests: Guests,
    journal: Journal,
) -> Guest:
    """Arrange that a client is a guest on some days, as the other programme has confirmed.

    Raises `ClientUnknown`, `NotPermitted`, `Invalid`, `DisclosureUnknown`, `GuestOverlaps`, `GuestIsOurs` (nobody in
    treatment with us is a guest here) and `HoldsTakeHomes` (what is held for a day is not given elsewhere too).
    """
    record = await guests.lock(client, by=by, act=Act.ARRANGE_GUEST)
    record.require_open()
    by.require(Act.ARRANGE_GUEST, record.programme)
    check_arrangement(arrangement, record, now)
    known = await guests.guest_days(client)
    if arrangement.direction is Direction.ELSEWHERE:
        facility = await _host(arrangement, client, known, by=by, guests=guests)
        await _require_nothing_held(arrangement, client, guests)
    else:
        facility = arrangement.facility or ""
        await _require_stranger(client, known, record, now=now, guests=guests)
    guest = Guest(
        id=as_id,
        client=client,
        programme=record.programme,
        arrangement=arrangement,
        facility=facility,
        recorded_by=by.id,
        recorded_at=now,
    )
    if arrangement.home_dose is not None:
        said = await _said_at_home(guest, arrangement.home_dose, record, guests=guests)
        guest = replace(guest, statement=said)
    await guests.add_guest(guest, stays=None if arrangement.host is None else stay(arrangement, record))
    facts: dict[str, str | int] = {"direction": arrangement.direction}
    journal.tell(GuestArranged(client=client, records=(guest.id,), facts=facts))
    return guest


def stay(arrangement: Arrangement, record: MedicationRecord) -> tuple[datetime, datetime]:
    """From when to when a host of ours sees the client: from midnight to midnight in the home programme's zone."""
    zone = zone_of(record.time_zone)
    return start_of_day(arrangement.first_on, zone), start_of_day(arrangement.last_on + _ONE, zone)


async def _host(
    arrangement: Arrangement, client: ClientId, known: Sequence[GuestDays], *, by: Staff, guests: Guests
) -> str:
    """The name of the host: as our own programme is called, or as the disclosure names who was told."""
    if guests_here(known):
        raise Invalid(Fault("direction", "a guest of ours is sent nowhere else: the home programme arranges that"))
    if arrangement.disclosure is not None:
        told = await guests.disclosure(arrangement.disclosure, by=by, act=Act.RECORD_DOSE)
        if told.client != client:
            raise Invalid(Fault("disclosure_id", "is about another client"))
        return told.telling.facility or told.telling.name
    name = await guests.facility_of(arrangement.host) if arrangement.host is not None else None
    if name is None:
        raise Invalid(Fault("host_programme_id", "is no programme of ours"))
    return name


async def _require_nothing_held(arrangement: Arrangement, client: ClientId, guests: Guests) -> None:
    held = [
        str(unit.day)
        for unit in await guests.take_homes_from(client, arrangement.first_on)
        if unit.day <= arrangement.last_on
    ]
    if held:
        raise HoldsTakeHomes("Take the units of these days back, or leave the days out.", days=held)


async def _require_stranger(
    client: ClientId, known: Sequence[GuestDays], record: MedicationRecord, *, now: datetime, guests: Guests
) -> None:
    """Raise `GuestIsOurs` for whoever is admitted, or has an order that no agreement limits."""
    bound = frozenset(order for each in guests_here(known) for order in each.orders)
    today = record.day_of(now)
    ours = [
        order
        for order in await guests.orders_of(client)
        if order.counts and order.id not in bound and not _is_past(order.last_day(record.time_zone), today)
    ]
    if ours or await guests.is_admitted(client, at=now):
        raise GuestIsOurs("Give under the client's own orders, or discharge the client first.")


def _is_past(last: date | None, today: date) -> bool:
    return last is not None and last < today


async def _said_at_home(guest: Guest, dose: HomeDose, record: MedicationRecord, *, guests: Guests) -> StatementId:
    """Keep the last dose at home as a verified statement: it counts like any other that was taken."""
    said, confirmed = guest.arrangement, guest.arrangement.confirmed
    new = StatementId(new_id())
    what = Said(
        source=Source.PROGRAMME,
        source_name=guest.facility,
        informant=confirmed.by,
        told_at=confirmed.at,
        medicine=said.medicine,
        form=said.form,
        days=(
            StatementDay(
                day=dose.day,
                part=DosePart.WHOLE,
                outcome=DayOutcome.TAKEN,
                amount_mg=dose.amount_mg,
                taken_at=dose.at,
            ),
        ),
    )
    what.check(record, guest.recorded_at)
    await guests.add_statement(
        Statement(
            id=new,
            client=guest.client,
            programme=guest.programme,
            said=what,
            recorded_by=guest.recorded_by,
            recorded_at=guest.recorded_at,
            verified=Verification(
                asked=confirmed.by,
                how=confirmed.how,
                verified_by=guest.recorded_by,
                verified_at=guest.recorded_at,
            ),
        )
    )
    return new


def check_arrangement(said: Arrangement, record: MedicationRecord, now: datetime) -> None:
    """Raise `Invalid` with everything that cannot be arranged."""
    faults = Faults()
    today = record.day_of(now)
    check_reason(said.why, faults, "why")
    check_reason(said.other_enrolments, faults, "other_enrolments")
    check_name(said.confirmed.by, "confirmed_by", faults)
    faults.check(when=said.confirmed.at > now, where="confirmed_at", problem="must not lie in the future")
    faults.check(
        when=not today <= said.first_on <= today + FARTHEST,
        where="first_on",
        problem=f"must lie from today to {FARTHEST.days} days ahead",
    )
    faults.check(
        when=not 0 <= (said.last_on - said.first_on).days < LONGEST_DAYS,
        where="last_on",
        problem=f"must be the last of at most {LONGEST_DAYS} days; for longer transfer the client",
    )
    check_milligrams(said.amount_mg, "amount_mg", faults)
    faults.check(
        when=said.form not in FORMS[said.medicine],
        where="form",
        problem=f"{said.medicine} is not made so; choose one of {', '.join(sorted(FORMS[said.medicine]))}",
    )
    faults.check(
        when=said.form in LONG_ACTING,
        where="form",
        problem="an injection needs no guest days: it acts where it was given",
    )
    _check_direction(said, record, faults)
    faults.raise_if_any()


def _check_direction(said: Arrangement, record: MedicationRecord, faults: Faults) -> None:
    elsewhere = said.direction is Direction.ELSEWHERE
    faults.check(
        when=elsewhere and (said.host is None) is (said.disclosure is None),
        where="disclosure_id",
        problem="name a programme of ours as host, or the disclosure by which an outside one was told of the last dose",
    )
    faults.check(
        when=said.host is not None and (not elsewhere or said.host == record.programme),
        where="host_programme_id",
        problem="is another programme of ours at which our client is a guest",
    )
    faults.check(
        when=not elsewhere and said.disclosure is not None,
        where="disclosure_id",
        problem="belongs to a client of ours who is a guest outside",
    )
    if elsewhere:
        faults.check(
            when=said.facility is not None or said.home_dose is not None or bool(said.holds_on),
            where="facility",
            problem="home programme, last dose and take-homes are said of a guest here",
        )
        return
    check_name(said.facility or "", "facility", faults)
    _check_home_dose(said, record, faults)
    faults.check(
        when=any(not said.first_on <= day <= said.last_on for day in said.holds_on)
        or len(set(said.holds_on)) != len(said.holds_on),
        where="holds_on",
        problem="must be days of the agreement, each once",
    )


def _check_home_dose(said: Arrangement, record: MedicationRecord, faults: Faults) -> None:
    dose = said.home_dose
    if dose is None:
        faults.add("home_dose", "ask the home programme for the last dose")
        return
    check_milligrams(dose.amount_mg, "home_dose.amount_mg", faults)
    faults.check(
        when=dose.day > record.day_of(said.confirmed.at),
        where="home_dose.day",
        problem="must not lie after it was confirmed",
    )
    faults.check(
        when=dose.at is not None and (dose.at > said.confirmed.at or record.day_of(dose.at) != dose.day),
        where="home_dose.taken_at",
        problem="must be a time of that day, before it was confirmed",
    )
