"""Orders and holds in PostgreSQL: written, signed, replaced, stopped; and states that cannot be stored."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables import hold as holding
from caseload.db.tables import medication as tables
from caseload.db.tables.signature import signature
from caseload.domain.access import Act, Role
from caseload.domain.client import ClientUnknown
from caseload.domain.errors import Invalid
from caseload.domain.ids import DecisionId, HoldId, OrderId, new_id
from caseload.domain.medication import (
    DecisionUnknown,
    Hold,
    HoldCleared,
    HoldReason,
    HoldUnknown,
    Order,
    OrderInTheWay,
    OrderMoved,
    OrderNeedsConfirmation,
    OrderUnknown,
    Standing,
    Stop,
    Words,
    clear_hold,
    raise_hold,
    sign_order,
    stop_order,
    write_order,
)
from caseload.domain.medicines import DosePart
from caseload.domain.people import Staff
from caseload.domain.signature import Meaning, NotRegistered, Signature, Subject, Version
from caseload.domain.signature import sign as sign_version
from tests.factories import people
from tests.factories.window import MORNING, TODAY, Window, clinician, proof, window, wish

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


async def sign(here: Window, order: Order, *, by: Staff | None = None, days: int = 0) -> Order:
    signer, now = by or here.prescriber, MORNING + days * DAY

    async def signed(confirmed: dict[str, str]) -> Order:
        return await sign_order(
            order.id,
            by=signer,
            proof=proof(signer, now),
            now=now,
            orders=here.doses(now),
            journal=here.journal,
            confirmed=confirmed,
        )

    try:
        return await signed({})
    except OrderNeedsConfirmation as asked:
        return await signed(dict.fromkeys(asked.rules, "Transferred."))


async def stop(here: Window, order: Order, reason: str = "Side effects.") -> Order:
    return await stop_order(
        order.id,
        reason,
        by=here.prescriber,
        proof=proof(here.prescriber, MORNING),
        now=MORNING,
        orders=here.doses(),
        journal=here.journal,
    )


async def clear(here: Window, hold: Hold, reason: str = "Awake and well.") -> Any:
    return await clear_hold(
        hold.id,
        reason,
        as_id=DecisionId(new_id()),
        by=here.prescriber,
        proof=proof(here.prescriber, MORNING),
        now=MORNING,
        holds=here.doses(),
        journal=here.journal,
    )


async def test_an_order_is_read_back_as_it_was_written_and_signed(connection: AsyncConnection) -> None:
    here = await window(connection)
    parts = {DosePart.MORNING: Decimal(40), DosePart.EVENING: Decimal("20.5")}
    drafted = await here.draft(wish(amounts_mg=parts, every_days=2, ends_on=TODAY + 9 * DAY))
    store = here.doses()
    assert await store.order(drafted.id, by=here.nurse, act=Act.SEE_MEDICATION) == drafted
    signed = await sign(here, drafted)
    assert await store.orders_of(here.client) == [signed]
    assert signed.standing(TODAY, MORNING) is Standing.IN_FORCE
    assert here.journal.names() == ["order.written", "order.signed"]


async def test_the_exact_content_of_an_order_is_signed_and_kept(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    kept = (await connection.execute(select(*signature.c).where(signature.c.subject_id == order.id))).one()
    assert (kept.printed_name, kept.meaning, kept.role) == ("Dr Ada Osei", "authored", "prescriber")
    assert b'"amounts_mg":{"whole":"60.000"}' in kept.signed_bytes
    other = await clinician(connection, here.programme, Role.MEDICAL_DIRECTOR)
    second = await here.draft(wish(replaces=order.id))
    await sign(here, second, by=other)
    kept = (await connection.execute(select(*signature.c).where(signature.c.subject_id == second.id))).one()
    assert (kept.meaning, kept.role) == (Meaning.APPROVED, "medical_director")


async def test_only_a_prescriber_of_the_programme_writes_and_signs(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.draft()
    with pytest.raises(OrderUnknown):
        await sign(here, order, by=here.nurse)
    with pytest.raises(ClientUnknown):
        await write_order(
            wish(),
            here.client,
            as_id=OrderId(new_id()),
            by=here.nurse,
            now=MORNING,
            orders=here.doses(),
            journal=here.journal,
        )


async def test_a_prescriber_without_a_registration_in_force_cannot_sign(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.draft()
    with pytest.raises(NotRegistered):
        await sign(here, order, by=replace(here.prescriber, registration=None))


async def test_an_order_is_signed_once(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    with pytest.raises(OrderMoved):
        await sign(here, order)


async def test_a_withdrawn_draft_is_never_signed(connection: AsyncConnection) -> None:
    here = await window(connection)
    drafted = await here.draft()
    await stop(here, drafted)
    with pytest.raises(OrderMoved):
        await sign(here, drafted)
    with pytest.raises(OrderMoved):
        await stop(here, drafted)


async def test_a_draft_whose_days_have_passed_is_not_signed(connection: AsyncConnection) -> None:
    here = await window(connection)
    drafted = await here.draft(wish(ends_on=TODAY))
    with pytest.raises(OrderMoved):
        await sign(here, drafted, days=1)


async def test_one_order_at_a_time(connection: AsyncConnection) -> None:
    here = await window(connection)
    first = await here.order(wish(ends_on=TODAY + 5 * DAY))
    beside = await here.draft()
    with pytest.raises(OrderInTheWay) as refused:
        await sign(here, beside)
    assert refused.value.facts["order"] == str(first.id)
    assert (await here.order(wish(starts_on=TODAY + 6 * DAY))).version == 1
    await stop(here, first)
    assert (await here.order(wish(ends_on=TODAY + 5 * DAY))).version == 1


async def test_a_replacement_keeps_the_chain_and_ends_the_former_the_day_before(connection: AsyncConnection) -> None:
    here = await window(connection)
    first = await here.order()
    second = await here.order(wish(amount_mg="50", replaces=first.id, starts_on=TODAY + 2 * DAY))
    third = await here.order(wish(amount_mg="40", replaces=second.id, starts_on=TODAY + 4 * DAY))
    assert (second.chain, second.version, third.chain, third.version) == (first.id, 2, first.id, 3)
    stored = {order.id: order for order in await here.doses().orders_of(here.client)}
    assert (stored[first.id].replaced_by, stored[first.id].replaced_from) == (second.id, TODAY + 2 * DAY)
    standings = [stored[order.id].standing(TODAY + 3 * DAY, MORNING) for order in (first, second, third)]
    assert standings == [Standing.REPLACED, Standing.IN_FORCE, Standing.NOT_BEGUN]


async def test_an_order_is_replaced_once(connection: AsyncConnection) -> None:
    here = await window(connection)
    first = await here.order()
    one, two = await here.draft(wish(replaces=first.id)), await here.draft(wish(replaces=first.id))
    assert (one.version, two.version) == (2, 3)
    await sign(here, one)
    with pytest.raises(OrderMoved):
        await sign(here, two)


async def test_only_a_signed_order_of_this_client_is_replaced(connection: AsyncConnection) -> None:
    here = await window(connection)
    with pytest.raises(OrderUnknown):
        await here.draft(wish(replaces=OrderId(new_id())))
    with pytest.raises(OrderMoved):
        await here.draft(wish(replaces=(await here.draft()).id))
    theirs = await here.order(client=await here.another_client())
    with pytest.raises(OrderUnknown):
        await here.draft(wish(replaces=theirs.id))


async def test_a_stopped_order_cannot_be_replaced_between_draft_and_signature(connection: AsyncConnection) -> None:
    here = await window(connection)
    first = await here.order()
    second = await here.draft(wish(replaces=first.id))
    await stop(here, first)
    with pytest.raises(OrderMoved):
        await sign(here, second)


async def test_a_stop_needs_a_reason(connection: AsyncConnection) -> None:
    here = await window(connection)
    with pytest.raises(Invalid, match="reason"):
        await stop(here, await here.order(), " ")


def signed_again(here: Window, version: Version) -> Signature:
    return sign_version(
        version,
        by=here.prescriber,
        role=Role.PRESCRIBER,
        meaning=Meaning.AUTHORED,
        proof=proof(here.prescriber, MORNING),
        now=MORNING,
    )


async def test_what_happens_once_to_an_order_is_held_by_its_key(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    store = here.doses()
    with pytest.raises(OrderMoved):
        async with connection.begin_nested():
            await store.add_order_signature(order, signed_again(here, order.as_signed()))
    await stop(here, order)
    again = Stop(order=order.id, reason="Again.", stopped_by=here.prescriber.id, stopped_at=MORNING)
    version = replace(order.as_signed(), subject=Subject.ORDER_STOP)
    with pytest.raises(OrderMoved):
        async with connection.begin_nested():
            await store.add_order_stop(again, order, signed_again(here, version))


# Holds


@pytest.mark.parametrize(
    ("reason", "note", "field"),
    [
        (HoldReason.EXCEPTION, "", "reason"),
        (HoldReason.OTHER, " ", "note"),
        (HoldReason.SEDATION, "x" * 4001, "note"),
    ],
)
async def test_a_hold_has_a_reason_that_a_person_may_give(
    connection: AsyncConnection, reason: HoldReason, note: str, field: str
) -> None:
    here = await window(connection)
    with pytest.raises(Invalid) as refused:
        await raise_hold(
            here.client,
            reason,
            Words(note=note),
            as_id=HoldId(new_id()),
            by=here.nurse,
            now=MORNING,
            holds=here.doses(),
            journal=here.journal,
        )
    assert [fault.field for fault in refused.value.faults] == [field]


def test_counselling_can_never_be_a_reason_to_hold() -> None:
    assert not {reason for reason in HoldReason if "counsel" in reason or "attend" in reason or "session" in reason}


async def test_a_hold_is_cleared_once_with_a_reason(connection: AsyncConnection) -> None:
    here = await window(connection)
    hold = await here.hold()
    with pytest.raises(Invalid, match="reason"):
        await clear(here, hold, " ")
    decision = await clear(here, hold)
    assert await here.doses().decision(decision.id, by=here.prescriber, act=Act.DECIDE_MEDICATION) == decision
    assert await here.doses().decisions_of(here.client) == [decision]
    with pytest.raises(HoldCleared):
        await clear(here, hold)
    with pytest.raises(HoldCleared):
        async with connection.begin_nested():
            await here.doses().add_decision(decision, signed_again(here, decision.as_signed()))


async def test_what_is_unknown_is_said_to_be_unknown(connection: AsyncConnection) -> None:
    here = await window(connection)
    store = here.doses()
    with pytest.raises(HoldUnknown):
        await store.hold(HoldId(new_id()), by=here.nurse, act=Act.SEE_MEDICATION)
    with pytest.raises(DecisionUnknown):
        await store.decision(DecisionId(new_id()), by=here.nurse, act=Act.SEE_MEDICATION)


async def test_the_holds_of_a_programme_stand_exceptions_first_then_oldest(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    first = await here.hold(at=MORNING)
    await here.late(order, given_at=MORNING, amount_mg="90", now=MORNING + DAY)
    waiting = await here.doses().in_force(here.programme, by=here.prescriber, act=Act.DECIDE_MEDICATION)
    assert [hold.reason for hold in waiting] == [HoldReason.EXCEPTION, HoldReason.SEDATION]
    await clear(here, first)
    waiting = await here.doses().in_force(here.programme, by=here.prescriber, act=Act.DECIDE_MEDICATION)
    assert [hold.reason for hold in waiting] == [HoldReason.EXCEPTION]


# What the database holds by itself, tried as the service's own role


def an_order(here: Window, **changed: object) -> dict[str, object]:
    made = OrderId(new_id())
    return {
        "id": made,
        "chain_id": made,
        "version": 1,
        "client_id": here.client,
        "programme_id": here.programme,
        "medicine": "methadone",
        "form": "oral_solution",
        "strength_mg": Decimal(1),
        "whole_mg": Decimal(60),
        "every_days": 1,
        "starts_on": TODAY,
        "supervised": True,
        "note": "",
        "written_by": here.prescriber.id,
        "written_at": MORNING,
        **changed,
    }


@pytest.mark.parametrize(
    ("changed", "constraint"),
    [
        ({"medicine": "morphine"}, "medication_order_made_as_check"),
        ({"form": "sublingual_film"}, "medication_order_made_as_check"),
        ({"strength_mg": Decimal(0)}, "medication_order_strength_mg_check"),
        ({"whole_mg": None}, "medication_order_whole_or_parts_check"),
        ({"morning_mg": Decimal(1)}, "medication_order_whole_or_parts_check"),
        ({"whole_mg": Decimal(0)}, "medication_order_amounts_check"),
        ({"whole_mg": Decimal(-1)}, "medication_order_amounts_check"),
        ({"whole_mg": None, "evening_mg": Decimal(-1)}, "medication_order_amounts_check"),
        (
            {"medicine": "naltrexone", "form": "extended_release_injection", "whole_mg": None, "evening_mg": 1},
            "medication_order_injection_is_whole_check",
        ),
        (
            {"medicine": "naltrexone", "form": "extended_release_injection", "supervised": False},
            "medication_order_injection_is_given_here_check",
        ),
        ({"no_opioid_known": "Asked."}, "medication_order_last_opioid_is_answered_once_check"),
        (
            {"medicine": "naltrexone", "form": "tablet", "no_opioid_known": "None.", "last_opioid_on": TODAY},
            "medication_order_last_opioid_is_answered_once_check",
        ),
        (
            {"medicine": "naltrexone", "form": "tablet", "no_opioid_known": " "},
            "medication_order_no_opioid_known_not_blank_check",
        ),
        ({"product": "Not a name"}, "medication_order_product_check"),
        ({"supply": "post"}, "medication_order_supply_check"),
        ({"countersign_by": MORNING + DAY}, "medication_order_verbal_check"),
        ({"read_back": True}, "medication_order_verbal_check"),
        (
            {"medicine": "naltrexone", "form": "extended_release_injection", "supply": "pharmacy"},
            "medication_order_injection_at_our_window_check",
        ),
        ({"step_from": [TODAY + DAY]}, "medication_order_steps_have_the_same_parts_check"),
        ({"step_whole_mg": [40]}, "medication_order_steps_have_the_same_parts_check"),
        (
            {"step_from": [TODAY + DAY], "step_morning_mg": [40]},
            "medication_order_steps_have_the_same_parts_check",
        ),
        ({"step_from": [TODAY + DAY], "step_whole_mg": [40, 50]}, "medication_order_steps_are_complete_check"),
        ({"step_from": [], "step_whole_mg": []}, "medication_order_steps_are_complete_check"),
        ({"step_from": [TODAY + DAY], "step_whole_mg": [None]}, "medication_order_steps_are_complete_check"),
        ({"step_from": [TODAY + DAY], "step_whole_mg": [0]}, "medication_order_step_amounts_check"),
        ({"step_from": [TODAY], "step_whole_mg": [40]}, "medication_order_steps_rise_in_its_days_check"),
        (
            {"step_from": [TODAY + 2 * DAY, TODAY + DAY], "step_whole_mg": [40, 50]},
            "medication_order_steps_rise_in_its_days_check",
        ),
        (
            {"step_from": [TODAY + 2 * DAY], "step_whole_mg": [40], "ends_on": TODAY + DAY},
            "medication_order_steps_rise_in_its_days_check",
        ),
        ({"every_days": 0}, "medication_order_every_days_check"),
        ({"ends_on": date(2020, 1, 1)}, "medication_order_ends_on_check"),
        ({"version": 2}, "medication_order_chain_check"),
        ({"version": 0}, "medication_order_chain_check"),
        ({"chain_id": new_id()}, "medication_order_first_of_chain_check"),
        ({"client_id": new_id()}, "medication_order_client_id_fkey"),
        ({"written_by": new_id()}, "medication_order_written_by_fkey"),
    ],
)
async def test_an_order_that_nobody_can_mean_cannot_be_stored(
    connection: AsyncConnection, changed: dict[str, object], constraint: str
) -> None:
    here = await window(connection)
    with pytest.raises(IntegrityError, match=constraint):
        await connection.execute(insert(tables.medication_order).values(an_order(here, **changed)))


@pytest.mark.parametrize(
    "changed",
    [
        {"read_back": False},
        {"read_back": None},
        {"countersign_by": MORNING},
        {"countersign_by": None},
        {"verbal_by": None},
    ],
)
async def test_a_verbal_order_is_read_back_and_has_a_deadline_or_is_not_stored(
    connection: AsyncConnection, changed: dict[str, object]
) -> None:
    here = await window(connection)
    spoken: dict[str, object] = {
        "verbal_by": here.prescriber.id,
        "written_by": here.nurse.id,
        "countersign_by": MORNING + DAY,
        "read_back": True,
    }
    with pytest.raises(IntegrityError, match="medication_order_verbal_check"):
        async with connection.begin_nested():
            await connection.execute(insert(tables.medication_order).values(an_order(here, **(spoken | changed))))
    own = an_order(here, **(spoken | {"written_by": here.prescriber.id}))
    with pytest.raises(IntegrityError, match="medication_order_verbal_check"):
        async with connection.begin_nested():
            await connection.execute(insert(tables.medication_order).values(own))


async def test_only_its_prescriber_countersigns_a_verbal_order_whatever_the_service_says(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    other = await people.staff(connection, holds=((Role.PRESCRIBER, here.programme),))
    spoken: dict[str, object] = {
        "verbal_by": other.id,
        "written_by": here.nurse.id,
        "countersign_by": MORNING + DAY,
        "read_back": True,
    }
    row = an_order(here, **spoken)
    await connection.execute(insert(tables.medication_order).values(row))
    store = here.doses()
    order = await store.order(OrderId(UUID(str(row["id"]))), by=here.prescriber, act=Act.SEE_MEDICATION)
    with pytest.raises(OrderMoved):
        await store.add_order_signature(order, signed_again(here, order.as_signed()))


async def test_an_order_replaces_only_one_of_the_same_client(connection: AsyncConnection) -> None:
    here = await window(connection)
    theirs = await here.order(client=await here.another_client())
    row = an_order(here, version=2, chain_id=theirs.chain, replaces_id=theirs.id)
    with pytest.raises(IntegrityError, match="medication_order_replaces_fkey"):
        await connection.execute(insert(tables.medication_order).values(row))


async def test_only_a_signed_order_takes_the_place_of_another(connection: AsyncConnection) -> None:
    here = await window(connection)
    first, drafted = await here.order(), await here.draft()
    with pytest.raises(IntegrityError, match="medication_order_replacement_order_id_fkey"):
        await connection.execute(
            insert(tables.medication_order_replacement).values(
                replaced_id=first.id, order_id=drafted.id, from_on=TODAY, replaced_at=MORNING
            )
        )


async def test_an_answer_stands_only_beside_the_signature_it_was_given_with(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    row: dict[str, object] = {
        "order_id": order.id,
        "rule": "uk.rise",
        "profile": "UK",
        "profile_version": 1,
        "reason": "Later.",
        "facts": {},
    }
    answers = insert(tables.medication_order_confirmation)
    wrong: tuple[tuple[dict[str, object], str], ...] = (
        ({"confirmed_at": MORNING + DAY}, "medication_order_confirmation_signature_fkey"),
        ({"reason": " "}, "medication_order_confirmation_reason_not_blank_check"),
        ({"facts": []}, "medication_order_confirmation_facts_check"),
        ({"rule": "uk.first_day"}, "medication_order_confirmation_pkey"),
    )
    for changed, constraint in wrong:
        with pytest.raises(IntegrityError, match=constraint):
            async with connection.begin_nested():
                await connection.execute(answers.values({**row, "confirmed_at": MORNING, **changed}))


async def test_a_signature_covers_the_answers_and_none_that_is_put_beside_it_later(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    made = (
        await connection.execute(select(signature.c.signed_bytes).where(signature.c.subject_id == order.id))
    ).scalar_one()
    assert b"uk.first_day" in made
    kept = await here.doses().order(order.id, by=here.prescriber, act=Act.SEE_MEDICATION)
    assert kept == order
    row: dict[str, object] = {"rule": "uk.rise", "profile": "UK", "profile_version": 1, "reason": "Later.", "facts": {}}
    await connection.execute(
        insert(tables.medication_order_confirmation).values(order_id=order.id, confirmed_at=MORNING, **row)
    )
    kept = await here.doses().order(order.id, by=here.prescriber, act=Act.SEE_MEDICATION)
    assert len(kept.confirmed) == 2
    assert kept.as_signed() != order.as_signed()


async def test_a_signature_stands_only_under_its_own_record(connection: AsyncConnection) -> None:
    here = await window(connection)
    first, second = await here.order(), await here.draft(wish(starts_on=TODAY + DAY))
    made = (await connection.execute(select(signature.c.id).where(signature.c.subject_id == first.id))).scalar_one()
    with pytest.raises(IntegrityError, match="another record"):
        await connection.execute(
            insert(tables.medication_order_signature).values(order_id=second.id, signature_id=made, signed_at=MORNING)
        )


async def test_signed_bytes_that_do_not_fit_their_digest_cannot_be_stored(connection: AsyncConnection) -> None:
    here = await window(connection)
    made = signed_again(here, (await here.draft()).as_signed())
    with pytest.raises(IntegrityError, match="signature_digest_check"):
        await here.doses().add(replace(made, signed_bytes=made.signed_bytes + b" "))


@pytest.mark.parametrize(
    ("changed", "constraint"),
    [
        ({"reason": "missed_a_session"}, "hold_reason_check"),
        ({"reason": "other"}, "hold_other_is_explained_check"),
        ({"reason": "exception"}, "hold_exception_names_its_dose_check"),
        ({"by_rule": "a", "dose_id": new_id(), "dose_version": 1}, "hold_exception_names_its_dose_check"),
    ],
)
async def test_a_hold_that_no_one_may_raise_cannot_be_stored(
    connection: AsyncConnection, changed: dict[str, object], constraint: str
) -> None:
    here = await window(connection)
    row: dict[str, object] = {
        "id": new_id(),
        "client_id": here.client,
        "programme_id": here.programme,
        "reason": "sedation",
        "note": "",
        "raised_by": here.nurse.id,
        "raised_at": MORNING,
    }
    with pytest.raises(IntegrityError, match=constraint):
        await connection.execute(insert(holding.hold).values(row | changed))


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (tables.medication_order, "note"),
        (tables.medication_order_stop, "reason"),
        (tables.medication_order_signature, "signed_at"),
        (tables.medication_order_replacement, "from_on"),
        (holding.hold, "note"),
        (holding.medication_decision, "reason"),
        (signature, "printed_name"),
    ],
)
async def test_the_service_can_neither_change_nor_delete_what_was_kept(
    connection: AsyncConnection, table: Table, column: str
) -> None:
    for statement in (update(table).values({column: None}), delete(table)):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with connection.begin_nested():
                await connection.execute(statement)
