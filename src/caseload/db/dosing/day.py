"""A programme's dosing day in PostgreSQL: for everybody with an order in force, what the rules need to know.

What is due follows from facts alone, and is remembered with them: with the row of the day's list, and with what was read
beside it for the few who need it. The function that makes the answer is given these and nothing else, and they are
compared as a whole; so a fact that the rules come to ask for cannot be forgotten where answers are remembered.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Final, TypeVar
from uuid import UUID

from caseload.db.access import reach_of
from caseload.db.direct import Named
from caseload.db.dosing.away import YEAR_DAYS, away_since
from caseload.db.dosing.expected import AT_HOME_ON, BESIDE, EXPECTED, GIVEN_ON, INJECTED, ORDERS, ORDERS_OF
from caseload.db.dosing.facts import allowed_of, held_in
from caseload.db.dosing.injections import INJECTIONS_BACK_DAYS, injected_until
from caseload.db.dosing.known import KIND, given_of
from caseload.db.dosing.lately import taken_lately
from caseload.db.dosing.mornings import Mornings
from caseload.db.dosing.remembered import MOST, Remembered
from caseload.db.dosing.steps import seen_since, taken_since
from caseload.db.medication.beside import answered, given_lately
from caseload.db.medication.covered import covered_since
from caseload.db.medication.guests import guest_days_of
from caseload.db.medication.rows import as_it_stands, order_of
from caseload.db.medication.together import orders_together
from caseload.domain.access import Act
from caseload.domain.dosing import (
    EVERYTHING_COMMITTED,
    Allowed,
    AlreadyGiven,
    AtHome,
    Away,
    Due,
    DueTo,
    Held,
    Injected,
    Lately,
    MissedInTitration,
    Morning,
    NextInjection,
    Observed,
    Taken,
    TakenPart,
    due_on,
    next_injection,
)
from caseload.domain.dosing.contacting import told_by
from caseload.domain.dosing.covered import CoveredDay, counted_in, lately_of, read_since
from caseload.domain.dosing.lapses import look_back
from caseload.domain.dosing.missed import needs_orders
from caseload.domain.ids import ClientId, OrderId, ProgrammeId
from caseload.domain.medication import Acting, GuestDays, MedicationRecord, Order
from caseload.domain.medicines import LONG_ACTING, Medicine
from caseload.domain.people import Staff
from caseload.domain.profiles.selected import read_selected


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Known:
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
class _Beside:
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
    place: ProgrammeId | None = None
    """Who asks, where the client is, or was, a guest: home and host are answered differently."""


_NOTHING: Final = _Beside()
_NO_RULES: Final = frozenset[str]()

_Facts = tuple[_Known, _Beside, frozenset[str], datetime | None]
"""Everything from which it follows what is due: the row, what is beside it, what was answered as the order was signed,
and the moment, where an order was given by word of mouth and its deadline can pass."""


def _known_by(facts: tuple[Named, Order, date]) -> _Known:
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
    )
    return _Known(
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


def _due_by(facts: _Facts) -> DueTo:
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
        place=beside.place,
        at=at,
    )
    if beside.covered:
        morning = counted_in(morning, beside.covered, known.day)
    return DueTo(
        client=known.client,
        home=known.record.programme,
        given_name=known.given_name,
        family_name=known.family_name,
        birth_date=known.birth_date,
        due=due_on(known.day, morning),
        held=known.held,
    )


_WRITTEN: Final[dict[OrderId, tuple[int, Order]]] = {}
"""Orders as they were written, each with the number of its row: nothing but what happens to them changes."""
_KNOWN: Final = Remembered(_known_by)
_DUE: Final = Remembered(_due_by)


class DosingDays(Mornings):
    """Reads what is due on a dosing day."""

    async def due_in(
        self, wanted: ProgrammeId, day: date, *, by: Staff, act: Act, only: Callable[[Due], bool] | None = None
    ) -> Sequence[DueTo]:
        """Everybody of a programme, and its guests, to whom something is due on a day, by family name.

        With `only` those of whom it is true; of nobody else is the journal told.
        """
        given = {"programme": wanted, "day": day, "at": EVERYTHING_COMMITTED, **reach_of(by.reach(act), at=self._now)}
        known = await self._known(await EXPECTED.all(self._connection, given), day)
        known.sort(key=attrgetter("alphabetical"))
        beside = await self._beside_rows(known, day, wanted)
        mixed = [each.order.id for each in known if each.is_mixed or beside.get(each.client, _NOTHING).covered]
        answers: Mapping[OrderId, frozenset[str]] = {}
        together: Mapping[ClientId, Sequence[Order]] = {}
        if mixed:
            answers = await answered(self._connection, mixed)
            together = await orders_together(self._connection, [each.client for each in known if each.is_mixed])
        lines: list[DueTo] = []
        for each in known:
            if each.client in together:
                line = await self._line_of_two(each, together[each.client], wanted)
            else:
                more = beside.get(each.client, _NOTHING)
                spoken = any(order.verbal_by is not None for order in more.orders or (each.order,))
                facts = (each, more, answers.get(each.order.id, _NO_RULES), self._now if spoken else None)
                line = _DUE.of(each.order.id, facts)
            if line.due.order is None or (only is not None and not only(line.due)):
                continue
            self._journal.saw(each.client, "identity")
            self._journal.saw(each.client, KIND)
            lines.append(line)
        return lines

    async def missed_in_titration(
        self, wanted: ProgrammeId, today: date, *, by: Staff, act: Act
    ) -> Sequence[MissedInTitration]:
        """Who of a programme missed a dose while it is built up and has had none since, those first of whom nobody told."""
        lines = await self.due_in(wanted, today, by=by, act=act, only=lambda due: bool(due.to_do))
        told = await self.told_days([line.client for line in lines])
        found = [
            MissedInTitration(
                client=line.client,
                order=line.due.order.id,
                refusal=each,
                told=told_by(each, line.due.order.medicine, told.get(line.client, {})),
            )
            for line in lines
            if line.due.order is not None
            for each in line.due.to_do
        ]
        return sorted(found, key=lambda each: each.told is not None)

    async def _line_of_two(self, known: _Known, orders: Sequence[Order], place: ProgrammeId) -> DueTo:
        """What is due by an order of a client who has, or had, two beside each other: read as for one client's chart."""
        morning = await self.morning(known.day, record=known.record, orders=orders, asked=known.order, place=place)
        return DueTo(
            client=known.client,
            home=known.record.programme,
            given_name=known.given_name,
            family_name=known.family_name,
            birth_date=known.birth_date,
            due=due_on(known.day, morning),
            held=known.held,
        )

    async def _known(self, rows: Sequence[Named], day: date) -> list[_Known]:
        """What these rows say, with the orders that they name."""
        found: dict[OrderId, Order] = {}
        missing: list[OrderId] = []
        for row in rows:
            number, order = _WRITTEN.get(row["order_id"], (None, None))
            if order is not None and number == row["order_row"]:
                found[order.id] = order
            else:
                missing.append(row["order_id"])
        if missing:
            if len(_WRITTEN) + len(missing) > MOST:
                _WRITTEN.clear()
            for row in await ORDERS.all(self._connection, {"orders": missing}):
                order = found[OrderId(row["order_id"])] = order_of(row)
                _WRITTEN[order.id] = row["order_row"], order
        return [_KNOWN.of(row["order_id"], (row, found[row["order_id"]], day)) for row in rows]

    async def _beside_rows(self, known: Sequence[_Known], day: date, place: ProgrammeId) -> Mapping[ClientId, _Beside]:
        """What has to be known beside their rows; each is read of those alone for whom it can make a difference."""
        if not known:
            return {}
        row = await BESIDE.read(self._connection, {"clients": [each.client for each in known], "day": day})
        given = _by_client((ClientId(dose.client_id), given_of(dose)) for dose in GIVEN_ON.of(row))
        at_home = _by_client((ClientId(unit.unit_client_id), unit.at_home()) for unit in AT_HOME_ON.of(row))
        guests = await guest_days_of(self._connection, [each.client for each in known if each.record.has_guest_days])
        covered = await self._covered(known, day)
        lately = await self._lately(known, covered, day)
        behind = [each.client for each in known if each.client in lately or each.is_behind]
        earlier = await self._orders_of_all(behind)
        away = await away_since(self._connection, behind, day - timedelta(days=YEAR_DAYS))
        injected = await self._injected(known, day)
        mixed = [each.client for each in known if each.is_mixed or each.client in covered]
        beside: Mapping[ClientId, Sequence[Acting]] = {}
        if mixed:
            beside = await given_lately(self._connection, mixed, day)
        taken, observed = await self._steps(known, day)
        return {
            who: _Beside(
                orders=earlier.get(who, ()),
                given=given.get(who, ()),
                beside=beside.get(who, ()),
                taken_since=taken.get(who, ()),
                observed=observed.get(who, ()),
                lately=lately.get(who, ()),
                injected=injected.get(who, ()),
                away=away.get(who, ()),
                at_home=at_home.get(who, ()),
                covered=covered.get(who, ()),
                guests=guests.get(who, ()),
                place=place if who in guests else None,
            )
            for who in (each.client for each in known)
            if any(
                who in read
                for read in (given, at_home, guests, covered, lately, earlier, away, injected, beside, taken, observed)
            )
        }

    async def _steps(
        self, known: Sequence[_Known], day: date
    ) -> tuple[Mapping[ClientId, Sequence[TakenPart]], Mapping[ClientId, Sequence[Observed]]]:
        """What the steps rest on of the orders whose first one has come."""
        since = {each.client: each.steps_since for each in known if each.steps_since is not None}
        if not since:
            return {}, {}
        first = min(since.values())
        taken = await taken_since(self._connection, list(since), first, day)
        return taken, await seen_since(self._connection, list(since), first, day)

    async def _covered(self, known: Sequence[_Known], day: date) -> Mapping[ClientId, Sequence[CoveredDay]]:
        """The covered days of those for whom some can make a difference on a day."""
        wanted = {each.client: each.covered_since for each in known if each.covered_since is not None}
        return await covered_since(self._connection, list(wanted), min(wanted.values(), default=day))

    async def _lately(
        self, known: Sequence[_Known], covered: Mapping[ClientId, Sequence[CoveredDay]], day: date
    ) -> Mapping[ClientId, Sequence[Lately]]:
        """What those took lately whose last days show a gap or a partial dose."""
        wanted = {each.client: each.gaps_since for each in known if each.gaps_since is not None}
        own = await taken_lately(self._connection, list(wanted), min(wanted.values(), default=day), day)
        return {who: [*own.get(who, ()), *lately_of(covered.get(who, ()), since, day)] for who, since in wanted.items()}

    async def _injected(self, known: Sequence[_Known], day: date) -> Mapping[ClientId, Sequence[Injected]]:
        """The injections of those whose order is one."""
        wanted = [each.client for each in known if each.order.form in LONG_ACTING]
        since = day - timedelta(days=INJECTIONS_BACK_DAYS)
        return await injected_until(self._connection, wanted, day, since=since)

    async def injections_in(
        self, wanted: ProgrammeId, day: date, *, by: Staff, act: Act
    ) -> Sequence[tuple[MedicationRecord, Order, NextInjection]]:
        """Every order of an injection in force in a programme, and when its next one may come, the first due first."""
        given = {"programme": wanted, "day": day, "at": EVERYTHING_COMMITTED, **reach_of(by.reach(act), at=self._now)}
        known = await self._known(await INJECTED.all(self._connection, given), day)
        injected = await self._injected(known, day)
        for each in known:
            self._journal.saw(each.client, KIND)
        found = [(each.record, each.order, next_injection(each.order, injected.get(each.client, ()))) for each in known]
        return sorted(found, key=lambda line: (line[2].latest_on, line[0].client))

    async def _orders_of_all(self, clients: Sequence[UUID]) -> Mapping[ClientId, Sequence[Order]]:
        found: dict[ClientId, list[Order]] = defaultdict(list)
        if clients:
            for row in await ORDERS_OF.all(self._connection, {"clients": list(clients)}):
                order = order_of(row)
                found[order.client].append(order)
        return found


T = TypeVar("T")


def _by_client(found: Iterable[tuple[ClientId, T]]) -> Mapping[ClientId, Sequence[T]]:
    of: dict[ClientId, list[T]] = defaultdict(list)
    for client, each in found:
        of[client].append(each)
    return of
