"""A programme's dosing day in PostgreSQL: for everybody with an order in force, what the rules need to know.

What is due follows from facts alone, and is remembered with them: with the row of the day's list, and with what was read
beside it for the few who need it (`line`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from operator import attrgetter
from typing import Final, TypeVar
from uuid import UUID

from caseload.db.access import reach_of
from caseload.db.direct import Named
from caseload.db.dosing.away import YEAR_DAYS, away_since
from caseload.db.dosing.expected import AT_HOME_ON, BESIDE, EXPECTED, GIVEN_ON, INJECTED, ORDERS, ORDERS_OF
from caseload.db.dosing.injections import injected_until
from caseload.db.dosing.known import KIND, given_of
from caseload.db.dosing.lately import taken_lately
from caseload.db.dosing.line import NO_RULES, NOTHING, Beside, Known, due_by, due_to, known_by
from caseload.db.dosing.mornings import Mornings
from caseload.db.dosing.remembered import MOST, Remembered
from caseload.db.dosing.steps import seen_since, taken_since
from caseload.db.dosing.suspected import under_another
from caseload.db.medication.beside import answered, given_lately
from caseload.db.medication.covered import covered_since
from caseload.db.medication.guests import guest_days_of
from caseload.db.medication.rows import order_of
from caseload.db.medication.together import orders_together
from caseload.domain.access import Act
from caseload.domain.dosing import (
    EVERYTHING_COMMITTED,
    Due,
    DueTo,
    Injected,
    Lately,
    MissedInTitration,
    NextInjection,
    Observed,
    TakenPart,
    next_injection,
)
from caseload.domain.dosing.contacting import told_by
from caseload.domain.dosing.covered import CoveredDay, lately_of
from caseload.domain.ids import ClientId, OrderId, ProgrammeId
from caseload.domain.journal import Event
from caseload.domain.medication import Acting, MedicationRecord, Order
from caseload.domain.medicines import LONG_ACTING
from caseload.domain.people import Staff

_WRITTEN: Final[dict[OrderId, tuple[int, Order]]] = {}
"""Orders as they were written, each with the number of its row: nothing but what happens to them changes."""
_KNOWN: Final = Remembered(known_by)
_DUE: Final = Remembered(due_by)


class _NotYet:
    """A journal for reading lines of which it is not known yet who of them is shown: that is told line by line."""

    def saw(self, client: ClientId, kind: str) -> None:
        """Nobody has seen it yet."""
        del client, kind

    def tell(self, event: Event) -> None:
        """Nothing happens by reading."""
        del event


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
        mixed = [each.order.id for each in known if each.is_mixed or beside.get(each.client, NOTHING).covered]
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
                more = beside.get(each.client, NOTHING)
                spoken = any(order.verbal_by is not None for order in more.orders or (each.order,))
                facts = (each, more, answers.get(each.order.id, NO_RULES), self._now if spoken else None)
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

    async def _line_of_two(self, known: Known, orders: Sequence[Order], place: ProgrammeId) -> DueTo:
        """What is due by an order of a client who has, or had, two beside each other: read as for one client's chart."""
        mornings = Mornings(self._connection, _NotYet(), now=self._now)
        morning = await mornings.morning(known.day, record=known.record, orders=orders, asked=known.order, place=place)
        return due_to(known, morning)

    async def _known(self, rows: Sequence[Named], day: date) -> list[Known]:
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

    async def _beside_rows(self, known: Sequence[Known], day: date, place: ProgrammeId) -> Mapping[ClientId, Beside]:
        """What has to be known beside their rows; each is read of those alone for whom it can make a difference."""
        if not known:
            return {}
        row = await BESIDE.read(self._connection, {"clients": [each.client for each in known], "day": day})
        given = _by_client((ClientId(dose.client_id), given_of(dose)) for dose in GIVEN_ON.of(row))
        at_home = _by_client((ClientId(unit.unit_client_id), unit.at_home()) for unit in AT_HOME_ON.of(row))
        guests = await guest_days_of(self._connection, [each.client for each in known if each.record.has_guest_days])
        suspected = [each.client for each in known if each.record.suspected_with is not None]
        others = await under_another(self._connection, suspected, day)
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
        # Of most nothing was read: they are passed over at once.
        someone = set[ClientId]().union(
            given, at_home, guests, others, covered, lately, earlier, away, injected, beside, taken, observed
        )
        return {
            who: Beside(
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
                under_another=others.get(who, ()),
                place=place if who in guests else None,
            )
            for who in someone
        }

    async def _steps(
        self, known: Sequence[Known], day: date
    ) -> tuple[Mapping[ClientId, Sequence[TakenPart]], Mapping[ClientId, Sequence[Observed]]]:
        """What the steps rest on of the orders whose first one has come."""
        since = {each.client: each.steps_since for each in known if each.steps_since is not None}
        if not since:
            return {}, {}
        first = min(since.values())
        taken = await taken_since(self._connection, list(since), first, day)
        return taken, await seen_since(self._connection, list(since), first, day)

    async def _covered(self, known: Sequence[Known], day: date) -> Mapping[ClientId, Sequence[CoveredDay]]:
        """The covered days of those for whom some can make a difference on a day."""
        wanted = {each.client: each.covered_since for each in known if each.covered_since is not None}
        return await covered_since(self._connection, list(wanted), min(wanted.values(), default=day))

    async def _lately(
        self, known: Sequence[Known], covered: Mapping[ClientId, Sequence[CoveredDay]], day: date
    ) -> Mapping[ClientId, Sequence[Lately]]:
        """What those took lately whose last days show a gap or a partial dose."""
        wanted = {each.client: each.gaps_since for each in known if each.gaps_since is not None}
        own = await taken_lately(self._connection, list(wanted), min(wanted.values(), default=day), day)
        return {who: [*own.get(who, ()), *lately_of(covered.get(who, ()), since, day)] for who, since in wanted.items()}

    async def _injected(self, known: Sequence[Known], day: date) -> Mapping[ClientId, Sequence[Injected]]:
        """The injections of those whose order is one."""
        wanted = [(each.client, each.order.medicine) for each in known if each.order.form in LONG_ACTING]
        return await injected_until(self._connection, wanted, day)

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
