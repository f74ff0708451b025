"""A programme's dosing day in PostgreSQL: for everybody with an order in force, what the rules need to know."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

from caseload.db.access import reach_of
from caseload.db.direct import Named
from caseload.db.dosing.away import YEAR_DAYS, away_since
from caseload.db.dosing.doses import Doses
from caseload.db.dosing.expected import DUE_IN_PROGRAMME, INJECTED_IN_PROGRAMME
from caseload.db.dosing.facts import allowed_of, held_in
from caseload.db.dosing.injections import INJECTIONS_BACK_DAYS, injected_until
from caseload.db.dosing.known import KIND
from caseload.db.dosing.lately import taken_lately
from caseload.db.dosing.remembered import Remembered
from caseload.db.dosing.steps import seen_since, taken_since
from caseload.db.medication.beside import answered, given_lately
from caseload.db.medication.covered import covered_since
from caseload.db.medication.rows import COUNTS, ORDER_COLUMNS, order_of
from caseload.db.tables.medication import (
    medication_order,
    medication_order_replacement,
    medication_order_signature,
    medication_order_stop,
)
from caseload.db.takehome.covering import at_home_on
from caseload.domain.access import Act
from caseload.domain.dosing import (
    EVERYTHING_COMMITTED,
    AlreadyGiven,
    Due,
    Held,
    Injected,
    Lately,
    Morning,
    NextInjection,
    Observed,
    Taken,
    TakenPart,
    due_on,
    next_injection,
)
from caseload.domain.dosing.covered import CoveredDay, counted_in, lately_of, read_since
from caseload.domain.dosing.lapses import look_back
from caseload.domain.dosing.missed import needs_orders
from caseload.domain.ids import ClientId, OrderId, ProgrammeId
from caseload.domain.medication import Acting, MedicationRecord, Order
from caseload.domain.medicines import LONG_ACTING, Medicine
from caseload.domain.people import Staff
from caseload.domain.profiles.selected import read_selected

_ORDERS = (
    select(*ORDER_COLUMNS)
    .select_from(
        medication_order.outerjoin(
            medication_order_signature, medication_order_signature.c.order_id == medication_order.c.id
        )
        .outerjoin(medication_order_stop, medication_order_stop.c.order_id == medication_order.c.id)
        .outerjoin(medication_order_replacement, medication_order_replacement.c.replaced_id == medication_order.c.id)
    )
    .where(COUNTS, medication_order.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))))
    .order_by(medication_order.c.starts_on.desc())
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTo:
    """A line of the dispensing list: to whom what is due, and what stands in the way."""

    client: ClientId
    home: ProgrammeId
    given_name: str
    family_name: str
    birth_date: date
    due: Due
    held: Held | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What a row of the day's list says of its client."""

    record: MedicationRecord
    order: Order
    last: Taken | None
    due: Remembered[Due] = field(default_factory=Remembered[Due], compare=False)
    """What was due by exactly this row, by the day and what was given on it."""

    @classmethod
    def of(cls, row: Named) -> "_Known":
        """From the row."""
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
        )
        return cls(record=record, order=order_of(row), last=last)

    def morning(self, row: Named, given: Sequence[AlreadyGiven], *, at: datetime) -> Morning:
        """The morning of a client of whom nothing else needs to be known."""
        return Morning(
            record=self.record,
            orders=[self.order],
            given=given,
            last=self.last,
            held=held_in(row),
            allowed=allowed_of(row),
            at=at,
        )

    def due_by_row(self, row: Named, given: Sequence[AlreadyGiven], day: date, *, at: datetime) -> Due:
        """What is due by that morning. It follows from the row and from what was given, and is remembered by them."""
        return self.due.get(day, tuple(given), lambda: due_on(day, self.morning(row, given, at=at)))


_KNOWN = Remembered[_Known]()


class DosingDays(Doses):
    """Reads what is due on a dosing day."""

    async def due_in(
        self, wanted: ProgrammeId, day: date, *, by: Staff, act: Act, waiting_steps: bool = False
    ) -> Sequence[DueTo]:
        """Everybody of a programme, and its guests, to whom something is due on a day, by family name.

        With `waiting_steps` only those whose order has a step up that waits.
        """
        given = {
            "programme": wanted,
            "day": day,
            "at": EVERYTHING_COMMITTED,
            **reach_of(by.reach(act), at=self._now),
        }
        rows = await DUE_IN_PROGRAMME.all(self._connection, given)
        known = [_KNOWN.get(row["order_id"], row, partial(_Known.of, row)) for row in rows]
        taken = await self.given_on([each.record.client for each in known], day)
        covered = await self._covered(known, day)
        lately = await self._lately(known, covered, day)
        behind = [
            each.record.client
            for each in known
            if each.record.client in lately or needs_orders(each.last, each.order, day)
        ]
        home = await at_home_on(self._connection, [each.record.client for each in known], day)
        earlier = await self._orders_of_all(behind)
        away = await away_since(self._connection, behind, day - timedelta(days=YEAR_DAYS))
        injected = await self._injected(known, day)
        mixed = [row for row in rows if row["has_another"] or row["client_id"] in covered or row["last_opioid_on"]]
        beside: Mapping[ClientId, Sequence[Acting]] = {}
        answers: Mapping[OrderId, frozenset[str]] = {}
        if mixed:
            beside = await given_lately(self._connection, [row["client_id"] for row in mixed], day)
            answers = await answered(self._connection, [row["order_id"] for row in mixed])
        stepped = {
            ClientId(row["client_id"]): row["starts_on"]
            for row in rows
            if row["step_from"] is not None and row["step_from"][0] <= day
        }
        taken_by: Mapping[ClientId, Sequence[TakenPart]] = {}
        seen_of: Mapping[ClientId, Sequence[Observed]] = {}
        if stepped:
            since = min(stepped.values())
            taken_by = await taken_since(self._connection, list(stepped), since, day)
            seen_of = await seen_since(self._connection, list(stepped), since, day)
        special = {
            *lately,
            *behind,
            *injected,
            *covered,
            *home,
            *stepped,
            *(ClientId(row["client_id"]) for row in mixed),
        }
        lines: list[DueTo] = []
        for row, each in zip(rows, known, strict=True):
            who = each.record.client
            if who in special or each.order.verbal_by is not None:
                morning = replace(
                    each.morning(row, taken.get(who, ()), at=self._now),
                    orders=earlier.get(who) or [each.order],
                    beside=beside.get(who, ()),
                    answered=answers.get(row["order_id"], frozenset()),
                    taken_since=taken_by.get(who, ()),
                    observed=seen_of.get(who, ()),
                    lately=lately.get(who, ()),
                    injected=injected.get(who, ()),
                    away=away.get(who, ()),
                    at_home=home.get(who, ()),
                )
                if who in covered:
                    morning = counted_in(morning, covered[who], day)
                due = due_on(day, morning)
            else:
                due = each.due_by_row(row, taken.get(who, ()), day, at=self._now)
            if due.order is None or (waiting_steps and due.waits is None):
                continue
            self._journal.saw(who, "identity")
            self._journal.saw(who, KIND)
            lines.append(
                DueTo(
                    client=who,
                    home=each.record.programme,
                    given_name=row["given_name"],
                    family_name=row["family_name"],
                    birth_date=row["birth_date"],
                    due=due,
                    held=held_in(row),
                )
            )
        return lines

    async def _covered(self, known: Sequence[_Known], day: date) -> Mapping[ClientId, Sequence[CoveredDay]]:
        """The covered days of those for whom some can make a difference on a day."""
        wanted = {
            each.record.client: since
            for each in known
            if (since := read_since(each.record.covered_until, each.last, each.order, day)) is not None
        }
        return await covered_since(self._connection, list(wanted), min(wanted.values(), default=day))

    async def _lately(
        self, known: Sequence[_Known], covered: Mapping[ClientId, Sequence[CoveredDay]], day: date
    ) -> Mapping[ClientId, Sequence[Lately]]:
        """What those took lately whose last days show a gap or a partial dose."""
        wanted = {
            each.record.client: since
            for each in known
            if (since := look_back(each.record, each.last, each.order, day)) is not None
        }
        own = await taken_lately(self._connection, list(wanted), min(wanted.values(), default=day), day)
        return {who: [*own.get(who, ()), *lately_of(covered.get(who, ()), since, day)] for who, since in wanted.items()}

    async def _injected(self, known: Sequence[_Known], day: date) -> Mapping[ClientId, Sequence[Injected]]:
        """The injections of those whose order is one."""
        wanted = [each.record.client for each in known if each.order.form in LONG_ACTING]
        since = day - timedelta(days=INJECTIONS_BACK_DAYS)
        return await injected_until(self._connection, wanted, day, since=since)

    async def injections_in(
        self, wanted: ProgrammeId, day: date, *, by: Staff, act: Act
    ) -> Sequence[tuple[MedicationRecord, Order, NextInjection]]:
        """Every order of an injection in force in a programme, and when its next one may come, the first due first."""
        given = {"programme": wanted, "day": day, "at": EVERYTHING_COMMITTED, **reach_of(by.reach(act), at=self._now)}
        rows = (await self._connection.execute(INJECTED_IN_PROGRAMME, given)).mappings().all()
        known = [_Known.of(row) for row in rows]
        injected = await self._injected(known, day)
        for each in known:
            self._journal.saw(each.record.client, KIND)
        found = [
            (each.record, each.order, next_injection(each.order, injected.get(each.record.client, ())))
            for each in known
        ]
        return sorted(found, key=lambda line: (line[2].latest_on, line[0].client))

    async def _orders_of_all(self, clients: Sequence[UUID]) -> Mapping[ClientId, Sequence[Order]]:
        found: dict[ClientId, list[Order]] = defaultdict(list)
        if clients:
            for row in (await self._connection.execute(_ORDERS, {"clients": list(clients)})).mappings():
                order = order_of(row)
                found[order.client].append(order)
        return found
