"""A prescriber suspends a take-home decision; what the profile's rule suspends is in `domain.dosing.at_home`.

Never a drug screen: there is no rule that looks at one, and no way for a profile to say one. A single positive result
takes nothing away by itself (SAMHSA, table of changes to 42 CFR Part 8; domain convention).
"""

from datetime import date, datetime, timedelta

from caseload.domain.access import Act
from caseload.domain.dosing.at_home import TakeHomeSuspended
from caseload.domain.errors import Faults
from caseload.domain.ids import SuspensionId, TakeHomeDecisionId
from caseload.domain.journal import Journal
from caseload.domain.medication.record import check_reason
from caseload.domain.people import Proof, Staff
from caseload.domain.signature import Meaning, sign, signing_role
from caseload.domain.takehome.decision import DecisionReplaced, Suspension, TakeHomeDecisions


async def suspend_take_home(
    wanted: TakeHomeDecisionId,
    reason: str,
    review_on: date,
    *,
    as_id: SuspensionId,
    by: Staff,
    proof: Proof,
    now: datetime,
    decisions: TakeHomeDecisions,
    journal: Journal,
) -> Suspension:
    """End a decision before its time, with the date by which it is looked at again. What is out stays out.

    Raises `TakeHomeDecisionUnknown`, `DecisionReplaced`, `NotPermitted`, `Invalid`, and what `sign` raises.
    """
    seen = await decisions.take_home_decision(wanted, by=by, act=Act.DECIDE_MEDICATION)
    record = await decisions.lock(seen.client, by=by, act=Act.DECIDE_MEDICATION)
    place = record.place(by, Act.DECIDE_MEDICATION)
    today = record.day_of(now)
    rules = record.rules_on(today)
    faults = Faults()
    check_reason(reason, faults)
    last = today + timedelta(days=rules.take_home.review.within_days)
    faults.check(when=not today < review_on <= last, where="review_on", problem=f"must lie after today, until {last}")
    faults.raise_if_any()
    newest = await decisions.decision_in_force(seen.client, seen.medicine)
    if newest is None or newest.id != wanted or newest.suspension is not None:
        raise DecisionReplaced
    suspension = Suspension(
        id=as_id,
        decision=wanted,
        client=seen.client,
        programme=place,
        reason=reason,
        review_on=review_on,
        suspended_by=by.id,
        suspended_at=now,
        profile=rules.profile,
        profile_version=rules.version,
    )
    role = signing_role(by, Act.DECIDE_MEDICATION, place)
    signature = sign(suspension.as_signed(), by=by, role=role, meaning=Meaning.APPROVED, proof=proof, now=now)
    await decisions.add_suspension(suspension, signature)
    facts: dict[str, str | int] = {"profile": rules.label}
    journal.tell(TakeHomeSuspended(client=seen.client, records=(suspension.id, signature.id), facts=facts))
    return suspension
