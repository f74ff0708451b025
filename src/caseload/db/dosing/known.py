"""What the rules need to know of a client's doses, read after the client's record was locked.

One statement for whoever comes every day; what else may matter (other medicines, steps, injections, days that others
supplied, gaps) is read only where that statement says that there is any.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, Select, Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

from caseload.db.dosing.away import YEAR_DAYS, away_since
from caseload.db.dosing.facts import (
    AROUND_DAYS,
    FACTS,
    GIVEN_BEFORE,
    LAST_TAKEN,
    NEXT_GIVEN,
    facts_of,
    given_to,
)
from caseload.db.dosing.injections import delivery_of, injected_until
from caseload.db.dosing.lately import taken_lately
from caseload.db.dosing.steps import seen_since, taken_since
from caseload.db.dosing.suspected import under_another
from caseload.db.dosing.taken import given_on, told_by
from caseload.db.medication import Holds
from caseload.db.medication.beside import answered
from caseload.db.medication.covered import covered_since
from caseload.db.medication.together import orders_together
from caseload.db.tables.dosing import dose
from caseload.db.tables.history import client_history
from caseload.db.tables.people import staff
from caseload.domain.dosing import AlreadyGiven, Away, Facts, Giving, Injected, Lately, Taken, TakenPart
from caseload.domain.dosing.covered import counted, given_by, last_of, lately_of, parts_since, read_since
from caseload.domain.dosing.lapses import look_back
from caseload.domain.dosing.missed import needs_orders
from caseload.domain.dosing.own import alike, beside_since, last_of_parts, own_first, own_lately, own_parts
from caseload.domain.ids import ClientId
from caseload.domain.medication import MedicationRecord, Order, is_another
from caseload.domain.medicines import LONG_ACTING, DosePart, Form, Medicine

_ONE = timedelta(days=1)
KIND = "dose"
"""What the journal calls doses."""

_given = given_on(dose.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))))
GIVEN: Final = (
    select(
        _given.c.id, _given.c.client_id, _given.c.part, _given.c.given_at, staff.c.printed_name, client_history.c.source
    )
    .select_from(told_by(_given))
    .order_by(_given.c.given_at)
)


class GivenRow(msgspec.Struct, frozen=True):
    """A row of `GIVEN`: a dose that was taken on a day, and who gave it or tells of it."""

    id: UUID
    client_id: UUID
    part: DosePart
    given_at: datetime | None
    printed_name: str | None
    source: str | None


class KnownDoses(Holds):
    """What is known of clients' doses, as far as the rules ask."""

    async def facts(
        self, record: MedicationRecord, giving: Giving, day: date, *, at: datetime, past: bool = False
    ) -> Facts:
        """See `domain.dosing.Doses.facts`."""
        row = await FACTS.one(self._connection, given_to(giving, day, at))
        facts = facts_of(row)
        self._journal.saw(record.client, KIND)
        if row["has_another"]:
            facts = await self._with_others(facts, record.client, day)
        if facts.order is not None and facts.order.steps and facts.order.steps[0].from_on <= day:
            facts = await self._with_steps(facts, facts.order, record.client, day)
        if giving.form in LONG_ACTING:
            facts = await self._with_injections(facts, giving, day)
        if facts.order is not None and facts.order.last_opioid_on is not None and not facts.answered:
            rules = await answered(self._connection, [facts.order.id])
            facts = replace(facts, answered=rules.get(facts.order.id, frozenset()))
        since = read_since(record.covered_until, facts.last, facts.order, day)
        if since is not None:
            facts = await self._with_covered(facts, giving, day, since)
        if row["has_another"]:
            facts = await self._each_its_own(facts, giving, record, day)
        if record.suspected_with is not None:
            others = await under_another(self._connection, [record.client], day)
            facts = replace(facts, under_another=others.get(record.client, ()))
        facts = await self._with_gaps(await self._with_guests(facts, record), giving, record, day)
        return await self._with_hours(facts, giving, record, day, past=past)

    async def _each_its_own(self, facts: Facts, giving: Giving, record: MedicationRecord, day: date) -> Facts:
        """With every medicine counted by its own doses, where two were ordered beside each other."""
        together = (await orders_together(self._connection, [record.client])).get(record.client, ())
        if not together:
            return facts
        around = await self._taken(record.client, day - _ONE, day + _ONE)
        own = own_parts(giving.medicine, around, together, record)
        return replace(
            facts,
            together=together,
            last=await self.last_taken(record, giving.medicine, giving.form, day),
            taken_since=own_parts(giving.medicine, facts.taken_since, together, record),
            of_another=[each for each in around if each not in own],
        )

    async def _with_hours(
        self, facts: Facts, giving: Giving, record: MedicationRecord, day: date, *, past: bool
    ) -> Facts:
        """With the hours of the doses of other days near this one, where they may lie too near."""
        if facts.together:
            around = timedelta(days=AROUND_DAYS)
            taken = await self._taken(record.client, day - around, day + around)
            own = alike(own_parts(giving.medicine, taken, facts.together, record), giving.medicine, giving.form)
            before = [each.at for each in own if each.day < day and each.at is not None]
            after = [each.at for each in own if each.day > day and each.at is not None]
            return replace(facts, before_at=max(before, default=None), next_at=min(after, default=None))
        if facts.last is not None and facts.last.day == day:
            # Of the day itself: what was given on the day before it stands behind that.
            found = await self._given_at(GIVEN_BEFORE, giving, day)
            facts = replace(
                facts, before_at=max((at for at in (facts.before_at, found) if at is not None), default=None)
            )
        if past:
            found = await self._given_at(NEXT_GIVEN, giving, day)
            facts = replace(facts, next_at=min((at for at in (facts.next_at, found) if at is not None), default=None))
        return facts

    async def _given_at(self, wanted: Select[datetime | None], giving: Giving, day: date) -> datetime | None:
        """When a dose of another day near this one was given."""
        around = timedelta(days=AROUND_DAYS)
        given = {
            "client": giving.client,
            "day": day,
            "since": day - around,
            "until": day + around,
            "medicine": giving.medicine.value,
            "form": giving.form.value,
        }
        return (await self._connection.execute(wanted, given)).scalar_one()

    async def _with_others(self, facts: Facts, wanted: ClientId, day: date) -> Facts:
        """With what may still act beside it, and what the prescriber answered about that."""
        beside = await self.given_lately(wanted, day)
        if facts.order is None:
            return replace(facts, beside=beside)
        rules = await answered(self._connection, [facts.order.id])
        return replace(facts, beside=beside, answered=rules.get(facts.order.id, frozenset()))

    async def _with_steps(self, facts: Facts, order: Order, wanted: ClientId, day: date) -> Facts:
        """With what the steps of the order rest on."""
        taken = await taken_since(self._connection, [wanted], order.starts_on, day)
        seen = await seen_since(self._connection, [wanted], order.starts_on, day)
        return replace(facts, taken_since=taken.get(wanted, ()), observed=seen.get(wanted, ()))

    async def _with_injections(self, facts: Facts, giving: Giving, day: date) -> Facts:
        """With the injections before it, and what was delivered for this client by name."""
        facts = replace(facts, injected=await self.injected(giving.client, giving.medicine, day))
        if giving.injecting is None or giving.injecting.delivery is None:
            return facts
        delivery = await delivery_of(self._connection, giving.client, giving.injecting.delivery)
        return replace(facts, delivery=delivery)

    async def injected(self, wanted: ClientId, medicine: Medicine, day: date) -> Sequence[Injected]:
        """See `domain.dosing.Histories.injected`."""
        return (await injected_until(self._connection, [(wanted, medicine)], day)).get(wanted, ())

    async def _with_guests(self, facts: Facts, record: MedicationRecord) -> Facts:
        """With the agreements that make the client a guest, where there are any."""
        return replace(facts, guests=await self.guest_days(record.client)) if record.has_guest_days else facts

    async def _with_gaps(self, facts: Facts, giving: Giving, record: MedicationRecord, day: date) -> Facts:
        """With what days without medicine rest on: the orders since, and what was taken lately."""
        since = look_back(record, facts.last, facts.order, day)
        if since is not None:
            lately = await self.taken_lately(record.client, since, day)
            facts = replace(facts, lately=own_lately(giving.medicine, lately, facts.together, record))
        if since is not None or needs_orders(facts.last, facts.order, day):
            signed = [order for order in await self.orders_of(record.client) if order.counts]
            earlier = own_first(signed, giving.medicine)
            facts = replace(facts, earlier=earlier, away=await self.away(record.client, day))
        return facts

    async def away(self, wanted: ClientId, day: date) -> Sequence[Away]:
        """See `domain.dosing.Histories.away`."""
        return (await away_since(self._connection, [wanted], day - timedelta(days=YEAR_DAYS))).get(wanted, ())

    async def taken_lately(self, wanted: ClientId, since: date, day: date) -> Sequence[Lately]:
        """See `domain.dosing.Histories.taken_lately`."""
        own = (await taken_lately(self._connection, [wanted], since, day)).get(wanted, ())
        covered = (await covered_since(self._connection, [wanted], since)).get(wanted, ())
        return [*own, *lately_of(covered, since, day)]

    async def _with_covered(self, facts: Facts, giving: Giving, day: date, since: date) -> Facts:
        """With what is covered by something besides our own doses counted as taken."""
        covered = (await covered_since(self._connection, [giving.client], since)).get(giving.client, ())
        if not facts.beside and any(is_another(giving.medicine, each.medicine) for each in covered):
            facts = await self._with_others(facts, giving.client, day)
        return counted(facts, covered, giving.part, giving.medicine, giving.form, day)

    async def covered_on(self, record: MedicationRecord, day: date) -> Sequence[AlreadyGiven]:
        """See `domain.dosing.Doses.covered_on`."""
        if record.covered_until is None or record.covered_until < day:
            return []
        covered = await covered_since(self._connection, [record.client], day)
        return given_by(covered.get(record.client, ()), day)

    async def last_taken(self, record: MedicationRecord, medicine: Medicine, form: Form, until: date) -> Taken | None:
        """See `domain.dosing.Histories.last_taken`."""
        self._journal.saw(record.client, KIND)
        last = await self._last_like(record.client, medicine, form, until)
        if last is None or not is_another(medicine, last.medicine):
            return last
        together = (await orders_together(self._connection, [record.client])).get(record.client, ())
        while (since := beside_since(medicine, last, together, record)) is not None:
            taken = own_parts(medicine, await self._taken(record.client, since, until), together, record)
            last = last_of_parts(taken, medicine, form) or await self._last_like(
                record.client, medicine, form, since - _ONE
            )
        return last

    async def _last_like(self, wanted: ClientId, medicine: Medicine, form: Form, until: date) -> Taken | None:
        """The last dose with the same action and duration until a day, whichever medicine it was of."""
        given = {"client": wanted, "day": until, "medicine": medicine.value, "form": form.value}
        row = (await self._connection.execute(LAST_TAKEN, given)).first()
        last = None
        if row is not None:
            last = Taken(day=row.dosing_day, at=row.given_at, medicine=Medicine(row.medicine), amount_mg=row.amount_mg)
        covered = await covered_since(self._connection, [wanted], last.day if last is not None else date.min)
        return last_of(last, covered.get(wanted, ()), medicine, form, until)

    async def _taken(self, wanted: ClientId, since: date, day: date) -> Sequence[TakenPart]:
        """What was taken from a day to another, also what something else covers."""
        own = (await taken_since(self._connection, [wanted], since, day)).get(wanted, ())
        covered = (await covered_since(self._connection, [wanted], since)).get(wanted, ())
        return [*own, *parts_since(covered, since, day)]

    async def given_on(self, clients: Sequence[ClientId], day: date) -> Mapping[ClientId, Sequence[AlreadyGiven]]:
        """See `domain.dosing.Doses.given_on`."""
        found: dict[ClientId, list[AlreadyGiven]] = defaultdict(list)
        for row in (await self._connection.execute(GIVEN, {"clients": list(clients), "day": day})).all():
            found[ClientId(row.client_id)].append(given_of(row))
        return found


def given_of(row: Row[*tuple[Any, ...]] | GivenRow) -> AlreadyGiven:
    """The dose in a row of `GIVEN`."""
    return AlreadyGiven(
        dose=row.id,
        part=DosePart(row.part),
        given_at=row.given_at,
        given_by=row.printed_name,
        source=row.source,
    )
