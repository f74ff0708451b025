"""What people do with holds: raise one, clear one, and decide; each decision is a prescriber's, and signed.

A hold that is raised or cleared for somebody whom a pharmacy supplies puts a call to it on the list.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from caseload.domain.access import Act
from caseload.domain.errors import Faults
from caseload.domain.ids import ClientId, DecisionId, HoldId, StaffId, TaskId, new_id
from caseload.domain.journal import Journal
from caseload.domain.medication.aim import EVERY_DOSE, Aim, HoldReason, Words
from caseload.domain.medication.hold import (
    HOLD_TELLS_PHARMACY,
    Decision,
    DecisionKind,
    Hold,
    HoldCleared,
    HoldRaised,
    Holds,
    MedicationDecided,
)
from caseload.domain.medication.ordered import Standing, Supply
from caseload.domain.medication.record import MedicationRecord, check_reason
from caseload.domain.medication.task import Task, TaskKind, raise_task
from caseload.domain.medicines import check_milligrams
from caseload.domain.people import Proof, Staff
from caseload.domain.profiles.product import policy_of, product_policy
from caseload.domain.signature import Meaning, sign, signing_role

MOST_NAMED_DAYS: Final = 14


async def raise_hold(
    client: ClientId,
    reason: HoldReason,
    words: Words,
    *,
    as_id: HoldId,
    by: Staff,
    now: datetime,
    holds: Holds,
    journal: Journal,
    aim: Aim = EVERY_DOSE,
) -> Hold:
    """Hold an order, the dose of a day, or (without an aim) every dose of a client from now on.

    Raises `ClientUnknown`, `NotPermitted` and `Invalid`.
    """
    record = await holds.lock(client, by=by, act=Act.RAISE_HOLD)
    faults = Faults()
    words.check(reason, faults)
    aim.check(record.day_of(now), faults)
    if aim.order is not None:
        known = {order.id for order in await holds.orders_of(client)}
        faults.check(when=aim.order not in known, where="order_id", problem="is no order of this client")
    faults.raise_if_any()
    hold = Hold(
        id=as_id,
        client=client,
        programme=record.place(by, Act.RAISE_HOLD),
        reason=reason,
        note=words.note,
        raised_by=by.id,
        raised_at=now,
        aim=aim,
        told=words.told,
        clears=words.clears,
    )
    await keep_hold(hold, record, holds=holds, journal=journal)
    return hold


async def keep_hold(hold: Hold, record: MedicationRecord, *, holds: Holds, journal: Journal) -> None:
    """Keep a hold, with the version of the rule that raised it; what a pharmacy supplies, somebody telephones it about."""
    if hold.by_rule is not None:
        rules = record.rules_on(record.day_of(hold.raised_at))
        hold = replace(hold, policy=policy_of(hold.by_rule, rules.label))
    await holds.add_hold(hold)
    journal.tell(HoldRaised(client=hold.client, records=(hold.id,), facts={"reason": hold.reason}))
    says = "Telephone the pharmacy: the client is held, it must give nothing until a prescriber has cleared the hold."
    await _telephone(hold, record, says, by=hold.raised_by, at=hold.raised_at, holds=holds, journal=journal)


async def _telephone(
    hold: Hold, record: MedicationRecord, says: str, *, by: StaffId, at: datetime, holds: Holds, journal: Journal
) -> None:
    """Put a call to the pharmacy on the list for every order in force that one supplies."""
    today = record.day_of(at)
    for order in await holds.orders_of(hold.client):
        if order.supply is not Supply.PHARMACY or order.standing(today, at) is not Standing.IN_FORCE:
            continue
        if hold.aim.order not in {None, order.id}:
            continue
        task = Task(
            id=TaskId(new_id()),
            client=hold.client,
            programme=order.programme,
            kind=TaskKind.TELEPHONE_PHARMACY,
            says=says,
            policy=product_policy(HOLD_TELLS_PHARMACY),
            facts={"order": str(order.id), "reason": hold.reason.value},
            raised_by=by,
            raised_at=at,
            hold=hold.id,
            order=order.id,
        )
        await raise_task(task, tasks=holds, journal=journal)


async def clear_hold(
    hold_id: HoldId,
    reason: str,
    *,
    as_id: DecisionId,
    by: Staff,
    proof: Proof,
    now: datetime,
    holds: Holds,
    journal: Journal,
) -> Decision:
    """Clear a hold by a prescriber's signed decision.

    Raises `HoldUnknown`, `HoldCleared`, `NotPermitted`, `Invalid`, and what `sign` raises.
    """
    faults = Faults()
    check_reason(reason, faults)
    faults.raise_if_any()
    seen = await holds.hold(hold_id, by=by, act=Act.DECIDE_MEDICATION)
    record = await holds.lock(seen.client, by=by, act=Act.DECIDE_MEDICATION)
    hold = await holds.hold(hold_id, by=by, act=Act.DECIDE_MEDICATION)
    if hold.cleared_at is not None:
        raise HoldCleared("Somebody else cleared it. Read the chart again.", hold=str(hold.id))
    place = record.place(by, Act.DECIDE_MEDICATION)
    rules = record.rules_on(record.day_of(now))
    decision = Decision(
        id=as_id,
        client=hold.client,
        programme=place,
        kind=DecisionKind.CLEAR_HOLD,
        hold=hold.id,
        reason=reason,
        decided_by=by.id,
        decided_at=now,
        profile=rules.profile,
        profile_version=rules.version,
        rules=(hold.by_rule,) if hold.by_rule else (),
    )
    await decide(decision, by=by, proof=proof, holds=holds, journal=journal)
    says = "Telephone the pharmacy: a prescriber has cleared the hold, it may give again what the order says."
    await _telephone(hold, record, says, by=by.id, at=now, holds=holds, journal=journal)
    return decision


async def decide(decision: Decision, *, by: Staff, proof: Proof, holds: Holds, journal: Journal) -> None:
    """Sign and keep a decision; raises what `signing_role` and `sign` raise, and `HoldCleared`."""
    role = signing_role(by, Act.DECIDE_MEDICATION, decision.programme)
    signature = sign(
        decision.as_signed(), by=by, role=role, meaning=Meaning.APPROVED, proof=proof, now=decision.decided_at
    )
    await holds.add_decision(decision, signature)
    journal.tell(
        MedicationDecided(
            client=decision.client,
            records=(decision.id, signature.id),
            facts={"kind": decision.kind, "profile": decision.profile, "profile_version": decision.profile_version},
        )
    )


def check_days(days: Sequence[date], record: MedicationRecord, now: datetime, faults: Faults) -> None:
    """Add faults unless the days can be named in a decision: today or soon, each once."""
    today = record.day_of(now)
    faults.check(when=not 1 <= len(days) <= MOST_NAMED_DAYS, where="days", problem=f"name 1 to {MOST_NAMED_DAYS} days")
    faults.check(when=len(set(days)) != len(days), where="days", problem="name each day once")
    faults.check(
        when=any(not today <= day < today + timedelta(days=MOST_NAMED_DAYS) for day in days),
        where="days",
        problem=f"name days from today on, within {MOST_NAMED_DAYS} days",
    )


def check_at_most(at_most_mg: Decimal | None, faults: Faults) -> None:
    """Add a fault unless the limit is an amount that can be given."""
    if at_most_mg is not None:
        check_milligrams(at_most_mg, "at_most_mg", faults)
