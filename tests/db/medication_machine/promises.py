"""What the record promises whatever is done, looked up in the tables with statements of their own."""

from dataclasses import fields, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from hypothesis.stateful import invariant, rule

from caseload.db.dosing.day import DosingDays
from caseload.db.dosing.past import Pasts
from caseload.db.signed import SignedRecords
from caseload.domain.access import Act
from caseload.domain.dosing import Due
from caseload.domain.dosing.past import Contents, as_known
from caseload.domain.ids import DoseId
from caseload.domain.signature.verifying import verify
from tests.db.medication_machine.handbook import APART
from tests.db.medication_machine.looks import SecondLook
from tests.db.medication_machine.products import INJECTION, PRODUCTS, blocks
from tests.db.medication_machine.remembered import Given, Look
from tests.db.medication_machine.storeroom import InTheStoreroom
from tests.factories.seals import SEALS


class Promises(SecondLook, InTheStoreroom):
    """The record, asked after every step."""

    is_kept = True
    """Whether everything was as promised when it was last asked: what comes after a broken promise says nothing."""

    def teardown(self) -> None:
        try:
            if self.is_open and self.is_kept:
                self.nothing_that_was_signed_has_changed()
                self.run(self.answers_stay(list(self.known.past)))
        finally:
            self.leaves()

    def nothing_that_was_signed_has_changed(self) -> None:
        verified = self.run(verify(SignedRecords(self.connection), SEALS.is_good, progress=lambda _: None))
        assert verified.is_whole, verified.failed

    @rule()
    def looks_back(self) -> None:
        """Remember what is known now, for whoever asks later."""
        at = self.now - timedelta(microseconds=1)
        self.known.past[at] = self.run(self.as_known(at))

    async def as_known(self, at: datetime) -> Contents:
        past = Pasts(self.connection, self.here.journal, now=self.now)
        contents, _ = await past.contents(self.here.client, at, by=self.here.prescriber, act=Act.SEE_MEDICATION)
        return as_known(contents, at)

    async def answers_stay(self, moments: list[datetime]) -> None:
        for at in moments:
            assert await self.as_known(at) == self.known.past[at], f"what was known at {at} has changed"

    @invariant()
    def the_record_keeps_its_promises(self) -> None:
        if self.is_open:
            self.is_kept = False
            self.run(self.promises())
            self.is_kept = True

    async def promises(self) -> None:
        broken = [row.broken for row in await self.rows(BROKEN)]
        assert not broken, broken
        # Whatever stands deferred is asked now, as a commit would.
        driver = (await self.connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.execute("set constraints all immediate; set constraints all deferred")
        taken = [dose for dose in self.known.taken() if dose.ordinary]
        parts = [(dose.day, dose.dose.part) for dose in taken]
        assert len(set(parts)) == len(parts), "two ordinary doses of a part"
        for action in (True, False):
            alike = [each for each in taken if blocks(each.dose.medicine) is action]
            for before, after in pairwise(each for each in alike if each.dose.form is not INJECTION):
                if self.stand_beside(before, after):
                    continue
                assert before.day == after.day or after.at - before.at >= APART, "two ordinary doses too close together"
            for before, after in pairwise(each for each in alike if each.dose.form is INJECTION):
                assert (after.day - before.day).days >= SOONEST, "two injections too close together"
        standing = {(row.id, row.version, row.amount_mg) for row in await self.rows(STANDING)}
        assert standing == {(dose.id, dose.dose.version, dose.dose.amount_mg) for dose in self.known.taken()}
        assert await self.holds_in_force() == self.known.holds
        for look, sent_back in ((Look.WAITS, False), (Look.SENT_BACK, True)):
            queue = await self.rows(QUEUE, sent_back=sent_back)
            assert {(DoseId(row.dose_id), row.dose_version) for row in queue} == self.queue(look)
        assert await self.is_left() == self.must_be_left(), "the books are not what came less everything that went"
        await self.the_list_says_what_the_chart_says()

    def stand_beside(self, before: Given, after: Given) -> bool:
        """Whether a prescriber has signed that both are given in spite of each other."""
        days = (before.day, after.day)
        return any(self.handbook.both_ordered(before.dose.medicine, after.dose.medicine, day) for day in days)

    async def the_list_says_what_the_chart_says(self) -> None:
        """What is remembered of the day's list is what the rules make of the record as it stands now."""
        days = DosingDays(self.connection, self.here.journal, now=self.now)
        listed = await days.due_in(self.here.programme, self.today, by=self.here.nurse, act=Act.SEE_MEDICATION)
        record = await days.record(self.here.client, by=self.here.nurse, act=Act.SEE_MEDICATION)
        orders = await days.orders_of(self.here.client)
        dues = await days.dues(self.today, record=record, orders=orders, place=self.here.programme)
        charted = {due.order.id: due for due in dues if due.order is not None}
        assert {line.due.order.id for line in listed if line.due.order is not None} == set(charted)
        for line in listed:
            order = line.due.order
            assert order is not None
            # What a prescriber answered under the signature is read for the chart alone, and gives or refuses nothing.
            mine, theirs = line.due, replace(charted[order.id], order=order)
            unlike = [each.name for each in fields(Due) if getattr(mine, each.name) != getattr(theirs, each.name)]
            assert not unlike, f"the list and the chart differ in {unlike}"


SOONEST: Final = min(each.earliest_days for each in PRODUCTS if each.is_injection)
"""No injection comes sooner after another one."""
STANDING: Final = """
    select id, version, amount_mg from clinic.dose where client_id = :client
    and not exists (select from clinic.dose_correction where dose_id = dose.id)
    and not exists (select from clinic.dose newer where newer.id = dose.id and newer.version > dose.version)
"""
QUEUE: Final = """
    select dose_id, dose_version from clinic.dose_waiting
    where exists (select from clinic.dose where dose.id = dose_id and client_id = :client)
    and (rejected_at is not null) = :sent_back
"""
WITHOUT_ORDER: Final = """
    select dose.id from clinic.dose
    cross join lateral (select case entry when 'window' then recorded_at else given_at end as at) heard
    left join clinic.medication_order ordered on ordered.id = dose.order_id and ordered.client_id = dose.client_id
    left join clinic.medication_order_signature signed on signed.order_id = ordered.id
    left join clinic.medication_order_stop stopped on stopped.order_id = ordered.id
    where dose.client_id = :client and dose.kind <> 'exception' and dose.version = 1 and (
        ordered.id is null or ordered.supply <> 'window'
        or dose.dosing_day not between ordered.starts_on and coalesce(ordered.ends_on, 'infinity')
        or (dose.form <> 'extended_release_injection'
            and (dose.dosing_day - ordered.starts_on) % ordered.every_days <> 0)
        or stopped.stopped_at < heard.at
        or case when ordered.verbal_by is null then coalesce(signed.signed_at, 'infinity') > heard.at
            else ordered.written_at > heard.at
            or (coalesce(signed.signed_at, 'infinity') > dose.given_at and dose.given_at > ordered.countersign_by) end
        or exists (
            select from clinic.medication_order later
            join clinic.medication_order_signature anew on anew.order_id = later.id
            where later.replaces_id = ordered.id and later.starts_on <= dose.dosing_day and anew.signed_at < heard.at
        )
    )
"""
NEVER: Final = {
    "a dose that no order in force covers, and no exception": WITHOUT_ORDER,
    "an exception that holds nothing": """
        select dose.id from clinic.dose where client_id = :client and kind = 'exception'
        and not exists (select from clinic.hold where hold.dose_id = dose.id)
    """,
    "a dose in the place of another beyond what was decided": """
        select dose.id from clinic.dose
        join clinic.dose_replacement decided on decided.id = dose.replacement_id
        where dose.client_id = :client and dose.kind = 'replacement'
        and (dose.amount_mg > decided.at_most_mg or decided.decided_at > dose.recorded_at)
    """,
    "a dose at the window on a day for which the client held a unit": """
        select dose.id from clinic.dose
        join clinic.take_home_unit unit on unit.client_id = dose.client_id and unit.for_on = dose.dosing_day
        join clinic.take_home_dispense dispense on dispense.id = unit.dispense_id
        where dose.client_id = :client and dose.kind <> 'exception' and dose.entry = 'window' and dose.version = 1
        and (unit.part = dose.part or 'whole' in (unit.part, dose.part)) and dispense.dispensed_at < dose.recorded_at
        and not exists (
            select from clinic.take_home_outcome said join clinic.take_home_return told on told.id = said.return_id
            where said.unit_id = unit.id and not said.taken and told.recorded_at <= dose.recorded_at
        )
    """,
    "a second look by whoever gave, recorded or amended": """
        select review.dose_id from clinic.dose_review review
        join clinic.dose on dose.id = review.dose_id and dose.version <= review.dose_version
        where dose.client_id = :client
        and review.reviewed_by in (dose.given_by, dose.recorded_by, dose.amended_by)
    """,
}
"""What must never be found, and what it would be."""
BROKEN: Final = " union all ".join(
    f"select '{broken}' as broken where exists ({statement})" for broken, statement in NEVER.items()
)
