"""Doses in PostgreSQL: the way from a nurse's hand to the record, under every rule, and how a record is put right."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.dosing.rows import DOSE_COLUMNS
from caseload.db.failures import violated
from caseload.db.tables.caseload import guest_stay
from caseload.db.tables.dosing import dose as dose_table
from caseload.db.tables.medication import medication_record
from caseload.db.tables.second_look import dose_waiting
from caseload.domain.access import Act, Role
from caseload.domain.client import ClientUnknown
from caseload.domain.dosing import (
    Amendment,
    BroughtInDose,
    Correction,
    Dose,
    DoseMoved,
    DoseRefused,
    DoseUnknown,
    Entry,
    Giving,
    Kind,
    Missing,
    NotGivenReason,
    OrderChanged,
    OwnDose,
    Rule,
    WasGiven,
    amend,
    correct_as_not_given,
    give,
    record_not_given,
)
from caseload.domain.errors import Invalid
from caseload.domain.ids import CorrectionId, DoseId, OrderId, StaffId, new_id
from caseload.domain.medication import (
    HoldReason,
    HoldUnknown,
    NothingToDecide,
    OrderUnknown,
    clear_hold,
    stop_order,
)
from caseload.domain.medication.hold import DecisionId
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.people import Staff
from tests.factories import people
from tests.factories.window import MORNING, TODAY, Window, clinician, proof, window, wish

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def broken(refused: pytest.ExceptionInfo[DoseRefused]) -> list[Rule]:
    return [refusal.rule for refusal in refused.value.refusals]


async def correct(here: Window, dose: Dose, *, by: Staff | None = None, at: datetime = MORNING) -> Correction:
    signer = by or here.colleague
    return await correct_as_not_given(
        dose.id,
        dose.version,
        "Poured away before it was given.",
        as_id=CorrectionId(new_id()),
        by=signer,
        proof=proof(signer, at),
        now=at,
        doses=here.doses(at),
        journal=here.journal,
    )


async def change(here: Window, dose: Dose, *, by: Staff | None = None, at: datetime = MORNING, **said: Any) -> Dose:
    made = Amendment(
        medicine=dose.medicine,
        form=dose.form,
        amount_mg=dose.amount_mg,
        given_at=dose.given_at or MORNING,
        supervised=True,
        reason="Misread the measure.",
    )
    return await amend(
        dose.id,
        dose.version,
        replace(made, **said),
        by=by or here.nurse,
        now=at,
        doses=here.doses(at),
        journal=here.journal,
    )


async def test_a_dose_under_an_order_in_force_is_recorded(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    dose = await here.give(order)
    assert (dose.kind, dose.dosing_day, dose.version, dose.given_by) == (Kind.ORDINARY, TODAY, 1, here.nurse.id)
    assert (dose.profile_label, dose.entry) == ("UK-1", Entry.WINDOW)
    assert "dose.recorded" in here.journal.names()
    assert (here.client, "dose") in here.journal.seen
    assert await here.doses().dose(dose.id, by=here.nurse, act=Act.SEE_MEDICATION) == dose


async def test_a_second_dose_of_the_same_part_is_refused_and_says_who_gave_the_first(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    order = await here.order()
    first = await here.give(order)
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, by=here.colleague, at=MORNING + timedelta(minutes=5))
    assert broken(refused) == [Rule.ALREADY_GIVEN]
    assert refused.value.refusals[0].facts["dose"] == str(first.id)
    assert "Nora Quill" in refused.value.detail


async def test_the_parts_of_a_day_are_given_apart_and_never_beside_a_whole_one(connection: AsyncConnection) -> None:
    here = await window(connection)
    parts = {DosePart.MORNING: Decimal(40), DosePart.EVENING: Decimal(20)}
    order = await here.order(wish(amounts_mg=parts))
    await here.give(order, part=DosePart.MORNING)
    await here.give(order, part=DosePart.EVENING, at=MORNING + 9 * HOUR)
    whole = await here.order(wish(replaces=order.id), now=MORNING + 10 * HOUR)
    with pytest.raises(DoseRefused) as refused:
        await here.give(whole, at=MORNING + 10 * HOUR)
    assert Rule.ALREADY_GIVEN in broken(refused)


async def test_a_day_is_the_home_programmes_whatever_the_order_and_the_medicine(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    await here.give(order)
    other = await here.order(
        wish(
            medicine=Medicine.BUPRENORPHINE_NALOXONE,
            form=Form.SUBLINGUAL_FILM,
            amount_mg="8",
            replaces=order.id,
        )
    )
    with pytest.raises(DoseRefused) as refused:
        await here.give(other)
    assert broken(refused) == [Rule.ALREADY_GIVEN]


async def test_a_guest_is_dosed_by_the_host_on_the_days_of_home(connection: AsyncConnection) -> None:
    here = await window(connection, time_zone="Europe/London")
    host = await people.programme(connection, time_zone="America/New_York", profile="US")
    visitor = await clinician(connection, host, Role.NURSE, "Nia Host")
    order = await here.order()
    with pytest.raises(ClientUnknown):
        await here.give(order, by=visitor)
    await connection.execute(
        insert(guest_stay).values(
            id=new_id(),
            client_id=here.client,
            host_programme_id=host,
            period=Range(MORNING - DAY, MORNING + DAY),
            reason="holiday",
            recorded_by=here.nurse.id,
            recorded_at=MORNING - DAY,
        )
    )
    evening_there = MORNING + 17 * HOUR  # one in the morning at home, eight in the evening where the host is
    dose = await here.give(order, by=visitor, at=evening_there)
    assert (dose.programme, dose.dosing_day) == (host, TODAY + DAY)
    raised = await here.hold(by=visitor, at=evening_there)
    at_home = await here.doses(MORNING + 2 * DAY).in_force(
        here.programme, by=here.prescriber, act=Act.DECIDE_MEDICATION
    )
    assert (raised.programme, [hold.id for hold in at_home]) == (host, [raised.id])
    over = MORNING + 2 * DAY
    with pytest.raises(ClientUnknown):
        await here.give(order, by=visitor, at=over)
    with pytest.raises(DoseUnknown):
        await here.doses(over).dose(dose.id, by=visitor, act=Act.SEE_MEDICATION)
    assert await here.doses(over).in_force(host, by=visitor, act=Act.RAISE_HOLD) == []


async def test_nobody_outside_the_reach_learns_that_there_is_such_a_client(connection: AsyncConnection) -> None:
    here = await window(connection)
    elsewhere = await clinician(connection, await people.programme(connection), Role.NURSE)
    order = await here.order()
    dose = await here.give(order)
    with pytest.raises(ClientUnknown):
        await here.give(order, by=elsewhere)
    with pytest.raises(DoseUnknown):
        await here.doses().dose(dose.id, by=elsewhere, act=Act.SEE_MEDICATION)
    with pytest.raises(OrderUnknown):
        await here.doses().order(order.id, by=elsewhere, act=Act.SEE_MEDICATION)


async def test_what_cannot_be_a_dose_is_refused_field_by_field(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    said = Giving(
        client=here.client,
        order=order.id,
        medicine=Medicine.METHADONE,
        form=Form.SUBLINGUAL_FILM,
        amount_mg=Decimal(0),
        part=DosePart.WHOLE,
        given_at=MORNING.replace(year=1999),
        supervised=True,
        less_reason=" ",
    )
    with pytest.raises(Invalid) as refused:
        await give(said, as_id=DoseId(new_id()), by=here.nurse, now=MORNING, doses=here.doses(), journal=here.journal)
    assert [fault.field for fault in refused.value.faults] == ["amount_mg", "form", "given_at", "less_reason"]


async def test_less_than_is_due_needs_a_reason(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    with pytest.raises(Invalid, match="less_reason"):
        await here.give(order, amount_mg="30")
    dose = await here.give(order, amount_mg="30", less_reason="Sleepy after the night.")
    assert dose.less_reason == "Sleepy after the night."


async def test_a_clock_that_runs_a_little_ahead_means_now_and_one_far_ahead_the_future(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    order = await here.order()
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, given_at=MORNING + timedelta(seconds=31))
    assert broken(refused) == [Rule.FUTURE]
    dose = await here.give(order, given_at=MORNING + timedelta(seconds=30))
    assert dose.given_at == MORNING


async def test_what_was_given_long_ago_is_asked_to_be_recorded_late(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    with pytest.raises(Invalid, match="late entry"):
        await here.give(order, given_at=MORNING - timedelta(minutes=61))


async def test_after_midnight_yesterdays_dose_is_not_given_on_top_of_todays(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order(wish(starts_on=TODAY))
    midnight = MORNING + 16 * HOUR
    await here.give(order, at=midnight + timedelta(minutes=4))
    with pytest.raises(DoseRefused) as refused:
        await here.give(
            order,
            by=here.colleague,
            at=midnight + timedelta(minutes=5),
            given_at=midnight - timedelta(minutes=1),
        )
    assert broken(refused) == [Rule.TOO_SOON]
    assert "The dose of a later day was given at 2026-11-23 00:04." in refused.value.detail


async def test_a_dose_names_an_order_of_this_client(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    theirs = await here.order(client=await here.another_client())
    with pytest.raises(OrderUnknown):
        await here.give(replace(order, id=theirs.id))
    with pytest.raises(OrderUnknown):
        await here.late(replace(order, id=theirs.id), given_at=MORNING)
    with pytest.raises(OrderUnknown):
        await here.give(replace(order, id=OrderId(new_id())))


async def test_a_draft_is_no_order_in_force(connection: AsyncConnection) -> None:
    here = await window(connection)
    with pytest.raises(DoseRefused) as refused:
        await here.give(await here.draft())
    assert broken(refused) == [Rule.NO_ORDER_IN_FORCE]


async def test_a_stopped_or_replaced_order_has_changed_since_it_was_displayed(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    fresh = await here.order(wish(amount_mg="50", replaces=order.id))
    with pytest.raises(OrderChanged) as changed:
        await here.give(order)
    assert changed.value.facts["replaced_by"] == str(fresh.id)
    await stop_order(
        fresh.id,
        "Side effects.",
        by=here.prescriber,
        proof=proof(here.prescriber, MORNING),
        now=MORNING + HOUR,
        orders=here.doses(),
        journal=here.journal,
    )
    # The clock of this request is behind that of the stop: what was committed counts all the same.
    with pytest.raises(OrderChanged) as changed:
        await here.give(fresh, at=MORNING)
    assert changed.value.facts["standing"] == "stopped"


async def test_an_order_replaced_from_tomorrow_is_still_given_today(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    fresh = await here.order(wish(amount_mg="50", replaces=order.id, starts_on=TODAY + DAY))
    assert (await here.give(order)).order == order.id
    with pytest.raises(OrderChanged):
        await here.give(order, at=MORNING + DAY)
    assert (await here.give(fresh, at=MORNING + DAY)).order == fresh.id


async def test_an_order_that_ends_at_midnight_is_given_until_then(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order(wish(ends_on=TODAY))
    midnight = MORNING.replace(hour=0) + DAY
    before = midnight - timedelta(seconds=1)
    dose = await here.give(order, at=before)
    assert dose.dosing_day == TODAY
    await correct(here, dose, at=before)
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, at=midnight)
    assert Rule.NO_ORDER_IN_FORCE in broken(refused)
    # Swallowed before midnight and recorded just after it, the dose belongs to the day that ended.
    assert (await here.give(order, at=midnight + timedelta(minutes=5), given_at=before)).dosing_day == TODAY


# Holds and decisions


async def test_a_hold_stops_every_dose_until_a_prescribers_signed_decision(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    hold = await here.hold(at=MORNING + HOUR)
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, at=MORNING)
    assert broken(refused) == [Rule.CLIENT_HELD]
    with pytest.raises(HoldUnknown):
        await clear_hold(
            hold.id,
            "Awake and well.",
            as_id=DecisionId(new_id()),
            by=here.nurse,
            proof=proof(here.nurse, MORNING),
            now=MORNING,
            holds=here.doses(),
            journal=here.journal,
        )
    decision = await clear_hold(
        hold.id,
        "Awake and well.",
        as_id=DecisionId(new_id()),
        by=here.prescriber,
        proof=proof(here.prescriber, MORNING),
        now=MORNING + 2 * HOUR,
        holds=here.doses(),
        journal=here.journal,
    )
    assert (await here.doses().hold(hold.id, by=here.nurse, act=Act.SEE_MEDICATION)).cleared_by == decision.id
    assert (await here.give(order, at=MORNING + 2 * HOUR)).kind is Kind.ORDINARY


async def test_three_missed_doses_are_refused_until_a_prescriber_has_decided(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    await here.give(order)
    back = MORNING + 4 * DAY
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, at=back)
    assert refused.value.refusals[0].facts["missed"] == 3
    assert refused.value.refusals[0].policy == "uk.missed.3 of UK-1"
    decision = await here.allow(back.date(), at=back)
    assert (decision.missed, decision.last_taken_on, decision.rules) == (3, TODAY, ("uk.missed.3",))
    dose = await here.give(order, at=back)
    assert dose.decision == decision.id


async def test_a_decision_counts_once_and_only_on_the_days_it_names(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    await here.give(order)
    back = MORNING + 4 * DAY
    await here.allow((back + DAY).date(), (back + 5 * DAY).date(), at=back)
    with pytest.raises(DoseRefused):
        await here.give(order, at=back)
    await here.give(order, at=back + DAY)
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, at=back + 5 * DAY)
    assert broken(refused) == [Rule.MISSED_DOSES]


async def test_a_decision_is_about_the_days_before_it_and_not_about_those_missed_later(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    order = await here.order()
    await here.give(order)
    back = MORNING + 4 * DAY
    await here.allow(back.date(), (back + 6 * DAY).date(), at=back)
    await here.allow(back.date(), (back + 6 * DAY).date(), at=back)
    await here.give(order, at=back)
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, at=back + 6 * DAY)
    assert broken(refused) == [Rule.MISSED_DOSES]


async def test_a_decision_used_by_a_dose_that_was_not_given_allows_the_one_instead(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    order = await here.order()
    await here.give(order)
    back = MORNING + 4 * DAY
    decision = await here.allow(back.date(), at=back)
    await correct(here, await here.give(order, at=back), at=back)
    again = await here.give(order, at=back)
    assert again.decision == decision.id
    assert again.freed_by is not None


async def test_a_decision_limits_the_amount_and_its_amount_needs_no_reason(connection: AsyncConnection) -> None:
    here = await window(connection, profile="AU")
    order = await here.order()
    await here.give(order)
    back = MORNING + 6 * DAY
    with pytest.raises(Invalid, match="at_most_mg"):
        await here.allow(back.date(), at=back)
    decision = await here.allow(back.date(), at=back, at_most_mg="30")
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, at=back)
    assert broken(refused) == [Rule.MORE_THAN_DECIDED]
    dose = await here.give(order, at=back, amount_mg="30")
    assert (dose.decision, dose.less_reason) == (decision.id, None)
    amended = await change(here, dose, at=back, amount_mg=Decimal(35))
    assert (amended.kind, amended.rules) == (Kind.EXCEPTION, ("more_than_decided",))


async def test_there_must_be_something_to_decide(connection: AsyncConnection) -> None:
    here = await window(connection)
    with pytest.raises(NothingToDecide):
        await here.allow(TODAY)
    await here.give(await here.order())
    with pytest.raises(NothingToDecide):
        await here.allow(TODAY)


async def test_nothing_is_decided_about_missed_injections(connection: AsyncConnection) -> None:
    here = await window(connection)
    await here.order(
        wish(medicine=Medicine.NALTREXONE, form=Form.EXTENDED_RELEASE_INJECTION, amount_mg="380", every_days=28)
    )
    with pytest.raises(NothingToDecide):
        await here.allow(TODAY)


@pytest.mark.parametrize("days", [(), (TODAY, TODAY), (TODAY - DAY,), (TODAY + 14 * DAY,)])
async def test_a_decision_names_days_that_can_come(connection: AsyncConnection, days: tuple[Any, ...]) -> None:
    here = await window(connection)
    with pytest.raises(Invalid, match="days"):
        await here.allow(*days)


async def test_days_after_brought_in_history_are_asked_about_before_the_first_dose(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    await brought_in(here, days_ago=3)
    order = await here.order()
    with pytest.raises(DoseRefused) as refused:
        await here.give(order)
    assert broken(refused) == [Rule.DAYS_NOT_KNOWN]
    decision = await here.allow(TODAY)
    assert decision.rules == ("uk.days_not_known",)
    assert (await here.give(order)).decision == decision.id


async def brought_in(here: Window, *, days_ago: int, line: int = 7, amount_mg: str = "60") -> DoseId:
    """A dose of another system's history, which ends on its day."""
    day = TODAY - days_ago * DAY
    made = DoseId(new_id())
    await here.doses().lock(here.client, by=here.nurse, act=Act.RECORD_DOSE)
    await here.connection.execute(
        update(medication_record).where(medication_record.c.client_id == here.client).values(history_until=day)
    )
    await here.connection.execute(
        insert(dose_table).values(
            id=made,
            version=1,
            client_id=here.client,
            programme_id=here.programme,
            dosing_day=day,
            part=DosePart.WHOLE,
            medicine=Medicine.METHADONE,
            form=Form.ORAL_SOLUTION,
            amount_mg=Decimal(amount_mg),
            recorded_at=MORNING,
            recorded_by=here.nurse.id,
            kind=Kind.BROUGHT_IN,
            entry=Entry.SOURCE,
            profile="UK",
            profile_version=1,
            source_id=await here.source(),
            source_line=line,
        )
    )
    return made


async def test_a_brought_in_dose_of_today_counts_as_given(connection: AsyncConnection) -> None:
    here = await window(connection)
    await brought_in(here, days_ago=0)
    await brought_in(here, days_ago=0, line=8)
    with pytest.raises(DoseRefused) as refused:
        await here.give(await here.order())
    assert broken(refused) == [Rule.ALREADY_GIVEN]
    assert refused.value.refusals[0].facts["given_by"] is None
    assert here.nurse.printed_name not in refused.value.detail
    assert "The history from former system" in refused.value.detail


@pytest.mark.parametrize("amounts", [("60", "90"), ("90", "60")])
async def test_of_two_brought_in_doses_of_the_last_day_a_restart_rests_on_the_smaller(
    connection: AsyncConnection, amounts: tuple[str, str]
) -> None:
    here = await window(connection, profile="AU")
    order = await here.order()
    for line, amount_mg in enumerate(amounts, start=7):
        await brought_in(here, days_ago=5, line=line, amount_mg=amount_mg)
    record = await here.doses().lock(here.client, by=here.nurse, act=Act.RECORD_DOSE)
    last = await here.doses().last_taken(record, order.medicine, order.form, TODAY)
    assert last is not None
    assert last.amount_mg == Decimal(60)


async def test_nobody_here_gave_a_brought_in_dose_and_somebody_gave_every_other(connection: AsyncConnection) -> None:
    here = await window(connection)
    made = await brought_in(here, days_ago=1)
    assert (await here.doses().dose(made, by=here.nurse, act=Act.SEE_MEDICATION)).given_by is None
    dose = await here.give(await here.order())
    for changed, constraint in (
        ({"given_by": None}, "dose_given_by_somebody_check"),
        ({"version": 2, "given_by": None}, "dose_amendment_keeps"),
    ):
        row = (await connection.execute(select(*DOSE_COLUMNS).where(dose_table.c.id == dose.id))).mappings().one()
        fresh = {"id": new_id(), "dosing_day": TODAY + DAY} if "version" not in changed else {}
        with pytest.raises(IntegrityError) as refused:
            async with connection.begin_nested():
                await connection.execute(insert(dose_table).values({**row, **fresh, **changed}))
        assert violated(refused.value) == constraint


async def test_a_brought_in_dose_stays_as_its_source_recorded_it(connection: AsyncConnection) -> None:
    here = await window(connection)
    seen = await here.doses().dose(await brought_in(here, days_ago=0), by=here.nurse, act=Act.SEE_MEDICATION)
    assert (seen.given_at, seen.supervised, seen.source_line) == (None, None, 7)
    with pytest.raises(BroughtInDose):
        await change(here, seen)
    with pytest.raises(BroughtInDose):
        await correct(here, seen)


# What has already happened


async def test_a_late_entry_within_the_rules_is_an_ordinary_dose_with_both_times(connection: AsyncConnection) -> None:
    """Worked example 87: given at 08:00, recorded at 15:30 the next day."""
    here = await window(connection)
    order = await here.order()
    told = MORNING + DAY + 7 * HOUR + timedelta(minutes=30)
    dose = await here.late(order, given_at=MORNING, now=told)
    assert (dose.kind, dose.entry, dose.given_at, dose.recorded_at) == (Kind.ORDINARY, Entry.LATE, MORNING, told)
    assert dose.dosing_day == TODAY
    assert here.journal.names()[-1] == "dose.recorded_late"
    with pytest.raises(DoseRefused):
        await here.give(order, at=MORNING + timedelta(minutes=1))


async def test_a_late_entry_needs_a_reason_and_cannot_lie_in_the_future(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    with pytest.raises(Invalid) as refused:
        await here.late(order, given_at=MORNING + timedelta(seconds=1), reason=" ")
    assert [fault.field for fault in refused.value.faults] == ["late_reason", "given_at"]


async def test_a_late_entry_can_name_the_colleague_who_gave_it(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    dose = await here.late(order, given_at=MORNING, given_by=here.colleague)
    assert (dose.given_by, dose.recorded_by) == (here.colleague.id, here.nurse.id)
    stranger = replace(here.nurse, id=StaffId(new_id()))
    with pytest.raises(Invalid, match="nobody of the staff"):
        async with connection.begin_nested():
            await here.late(order, given_at=MORNING - DAY, given_by=stranger)


async def test_what_was_swallowed_against_a_rule_is_kept_as_an_exception_that_holds_the_next(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    order = await here.order()
    dose = await here.late(order, given_at=MORNING, amount_mg="90")
    assert (dose.kind, dose.rules) == (Kind.EXCEPTION, ("more_than_ordered",))
    assert here.journal.names()[-3:] == ["dose.recorded_late", "dose.exception_recorded", "hold.raised"]
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, at=MORNING + DAY)
    assert broken(refused) == [Rule.CLIENT_HELD]
    waiting = await here.doses().in_force(here.programme, by=here.prescriber, act=Act.DECIDE_MEDICATION)
    assert [(hold.reason, hold.dose) for hold in waiting] == [(HoldReason.EXCEPTION, dose.id)]


async def test_a_dose_that_was_given_twice_is_kept_twice(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    await here.give(order)
    second = await here.late(order, given_at=MORNING + timedelta(minutes=10), now=MORNING + HOUR)
    assert (second.kind, second.rules) == (Kind.EXCEPTION, ("already_given",))


async def test_a_dose_without_any_order_is_kept(connection: AsyncConnection) -> None:
    here = await window(connection)
    dose = await here.late(None, given_at=MORNING)
    assert (dose.order, dose.kind, dose.rules) == (None, Kind.EXCEPTION, ("no_order_in_force",))
    amended = await change(here, dose, amount_mg=Decimal(80))
    assert (amended.kind, amended.rules) == (Kind.EXCEPTION, ("no_order_in_force",))


async def test_an_exception_counts_at_once_for_the_day_the_interval_and_the_missed_days(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    order = await here.order()
    await here.give(order)
    back = MORNING + 5 * DAY
    exception = await here.late(order, given_at=back - HOUR, now=back)
    assert exception.rules == ("missed_doses",)
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, at=back)
    assert broken(refused) == [Rule.ALREADY_GIVEN, Rule.CLIENT_HELD]
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, at=back + DAY)
    assert broken(refused) == [Rule.CLIENT_HELD]


@pytest.mark.parametrize(("hours", "rules"), [(7, ("too_soon",)), (8, ())])
async def test_a_late_entry_too_near_the_dose_of_the_next_day_is_an_exception(
    connection: AsyncConnection, hours: int, rules: tuple[str, ...]
) -> None:
    here = await window(connection)
    order = await here.order()
    after_midnight = MORNING + 17 * HOUR
    await here.give(order, at=after_midnight)
    dose = await here.late(order, given_at=after_midnight - hours * HOUR, now=after_midnight)
    assert dose.rules == rules


async def test_a_dose_given_before_the_hold_and_the_stop_broke_no_rule(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order(now=MORNING - HOUR)
    await here.hold(at=MORNING + HOUR)
    await stop_order(
        order.id,
        "Moved away.",
        by=here.prescriber,
        proof=proof(here.prescriber, MORNING),
        now=MORNING + HOUR,
        orders=here.doses(),
        journal=here.journal,
    )
    assert (await here.late(order, given_at=MORNING, now=MORNING + 2 * HOUR)).kind is Kind.ORDINARY


async def test_a_dose_given_before_its_order_was_signed_is_an_exception(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    dose = await here.late(order, given_at=MORNING - HOUR)
    assert dose.rules == ("no_order_in_force",)


# Not given


async def test_a_dose_that_is_not_given_has_a_reason_and_no_amount(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    said = Missing(client=here.client, order=order.id, part=DosePart.WHOLE, reason=NotGivenReason.REFUSED)

    async def record(missing: Missing) -> Any:
        return await record_not_given(
            missing, as_id=DoseId(new_id()), by=here.nurse, now=MORNING, doses=here.doses(), journal=here.journal
        )

    kept = await record(said)
    assert (kept.dosing_day, kept.reason) == (TODAY, NotGivenReason.REFUSED)
    assert await here.doses().not_given(kept.id, by=here.nurse, act=Act.RECORD_DOSE) == kept
    assert (await here.give(order)).kind is Kind.ORDINARY
    with pytest.raises(WasGiven):
        await record(said)
    said = replace(said, client=await here.another_client(), order=None)
    for fault, missing in (
        ("note", replace(said, reason=NotGivenReason.OTHER)),
        ("note", replace(said, note="x" * 4001)),
        ("order_id", replace(said, order=OrderId(new_id()))),
    ):
        with pytest.raises(Invalid, match=fault):
            async with connection.begin_nested():
                await record(missing)
    with pytest.raises(DoseUnknown):
        await here.doses().not_given(DoseId(new_id()), by=here.nurse, act=Act.RECORD_DOSE)


# Putting a record right


async def test_an_amendment_is_a_new_version_and_the_former_stays(connection: AsyncConnection) -> None:
    """Worked example 48: a signed dose is edited."""
    here = await window(connection)
    dose = await here.give(await here.order())
    amended = await change(here, dose, amount_mg=Decimal(55))
    assert (amended.version, amended.amount_mg, amended.kind) == (2, Decimal(55), Kind.ORDINARY)
    assert amended.amendment_reason == "Misread the measure."
    rows = await connection.execute(
        select(dose_table.c.version, dose_table.c.amount_mg)
        .where(dose_table.c.id == dose.id)
        .order_by(dose_table.c.version)
    )
    assert [tuple(row) for row in rows] == [(1, Decimal(60)), (2, Decimal(55))]


async def test_an_amendment_is_never_refused_for_a_rule_and_a_broken_one_holds_the_next_dose(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    order = await here.order()
    dose = await here.give(order)
    amended = await change(here, dose, amount_mg=Decimal(65))
    assert (amended.kind, amended.rules) == (Kind.EXCEPTION, ("more_than_ordered",))
    again = await change(here, amended, amount_mg=Decimal(70))
    assert again.rules == ("more_than_ordered",)
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, at=MORNING + DAY)
    assert broken(refused) == [Rule.CLIENT_HELD]
    holds = await here.doses().holds_of(here.client)
    assert [(hold.dose, hold.dose_version) for hold in holds] == [(dose.id, 2)]


async def test_an_amendment_keeps_the_day_and_happens_before_it_is_told(connection: AsyncConnection) -> None:
    here = await window(connection)
    dose = await here.give(await here.order())
    with pytest.raises(Invalid, match="stay on the dosing day"):
        await change(here, dose, given_at=MORNING - DAY)
    with pytest.raises(Invalid, match="future"):
        await change(here, dose, given_at=MORNING + HOUR)
    with pytest.raises(Invalid, match="reason"):
        await change(here, dose, reason="")


async def test_only_the_newest_version_can_be_amended(connection: AsyncConnection) -> None:
    here = await window(connection)
    dose = await here.give(await here.order())
    await change(here, dose, amount_mg=Decimal(55))
    with pytest.raises(DoseMoved):
        await change(here, dose, amount_mg=Decimal(50))


async def test_not_given_signed_by_a_colleague_frees_the_day(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    dose = await here.give(order)
    correction = await correct(here, dose)
    assert await here.doses().correction_of(dose.id) == correction
    again = await here.give(order)
    assert again.freed_by == correction.id
    await correct(here, again)
    assert (await here.give(order)).freed_by not in {None, correction.id}


async def test_nobody_frees_a_day_for_their_own_second_dose(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    dose = await here.give(order)
    with pytest.raises(OwnDose):
        await correct(here, dose, by=here.nurse)
    amended = await change(here, dose, by=here.colleague, amount_mg=Decimal(50))
    with pytest.raises(OwnDose):
        await correct(here, amended, by=here.colleague)


async def test_a_corrected_dose_is_corrected_once_and_counts_no_longer(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    await here.give(order)
    yesterday = await here.give(order, at=MORNING + DAY)
    await correct(here, yesterday, at=MORNING + DAY)
    with pytest.raises(DoseMoved):
        await correct(here, yesterday, at=MORNING + DAY)
    with pytest.raises(DoseMoved):
        await change(here, yesterday, at=MORNING + DAY)
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, at=MORNING + 4 * DAY)
    assert refused.value.refusals[0].facts["missed"] == 3
    left = await connection.execute(select(dose_waiting.c.dose_id).where(dose_waiting.c.dose_id == yesterday.id))
    assert left.first() is None
