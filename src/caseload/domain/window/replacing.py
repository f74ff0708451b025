"""Giving a dose in the place of one that was vomited or spilled, as a clinician decided (`replacement`).

It is a dose of its own beside the one it replaces, on the same dosing day, at most what the decision says, once.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import ClassVar

from caseload.domain.access import Act
from caseload.domain.dosing import EVERYTHING_COMMITTED, Dose, DoseRefused, Giving, Kind, Refusal, Rule, judge
from caseload.domain.dosing.correction import newest_dose
from caseload.domain.dosing.guest import against_guest
from caseload.domain.dosing.identity import against_identity
from caseload.domain.dosing.refusal import policy, text
from caseload.domain.dosing.rules import against_decision
from caseload.domain.dosing.steps import in_step
from caseload.domain.dosing.window import check_giving, check_volume, ordinary_dose
from caseload.domain.ids import DoseId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.profiles import Profile
from caseload.domain.window.replacement import Loss, Replacements


class DoseReplaced(Event):
    """A dose was given in the place of one that was lost."""

    name: ClassVar[str] = "dose.replaced"


async def replace_dose(
    dose_id: DoseId,
    giving: Giving,
    *,
    as_id: DoseId,
    by: Staff,
    now: datetime,
    replacements: Replacements,
    journal: Journal,
) -> Dose:
    """Give a dose in the place of one that was lost, as a clinician decided, and record it.

    `giving` says what is given now; which dose it replaces says the rest. Every rule of the window counts but one: the
    part of the day has been given here, and the decision lets it be given once more.
    Raises `DoseUnknown`, `DoseMoved`, `Invalid`, `NotPermitted`, `RegistrationClosed`, and `DoseRefused` with everything in
    the way.
    """
    check_giving(giving)
    record, lost = await newest_dose(dose_id, by=by, act=Act.RECORD_DOSE, doses=replacements)
    record.require_open()
    place = record.place(by, Act.RECORD_DOSE)
    giving = replace(giving, client=lost.client, order=lost.order, part=lost.part)
    day = record.day_of(giving.given_at)
    facts = in_step(await replacements.facts(record, giving, day, at=EVERYTHING_COMMITTED), day)
    check_volume(giving, facts.order)
    rules = record.rules_on(day)
    loss = await replacements.loss_of(lost.id)
    elsewhere = await replacements.covered_on(record, day)
    given = next((each for each in elsewhere if each.part.meets(giving.part)), None)
    judgement = judge(giving, day, replace(facts, given=given), record, at=EVERYTHING_COMMITTED, now=now)
    broken = (
        *_against_replacing(giving, lost, day, loss, rules),
        *judgement.broken,
        *against_guest(facts.guests, day, at=EVERYTHING_COMMITTED, place=place, order=giving.order, record=record),
        *against_identity(giving.identified_by, rules),
    )
    if broken or loss.decision is None:
        raise DoseRefused(broken, rules.label)
    dose = replace(
        ordinary_dose(
            giving, as_id=as_id, place=place, day=day, facts=facts, judgement=judgement, rules=rules, by=by, now=now
        ),
        kind=Kind.REPLACEMENT,
        freed_by=None,
        replacement=loss.decision.id,
    )
    sign_by = now + timedelta(hours=rules.sign_off.deadline_hours)
    await replacements.add_dose(dose, sign_by=sign_by, station=giving.station)
    if giving.identified_by is not None:
        await replacements.add_identity_check(dose.id, giving.identified_by)
    journal.tell(DoseReplaced(client=dose.client, records=(dose.id, lost.id), facts={"profile": rules.label}))
    return dose


def _against_replacing(giving: Giving, lost: Dose, day: date, loss: Loss, rules: Profile) -> Sequence[Refusal]:
    """What stands in the way of giving anything in the place of a dose."""
    if loss.replaced_by is not None:
        return [
            Refusal(
                rule=Rule.ALREADY_GIVEN,
                says="It has been replaced. Do not give it again.",
                facts={"dose": str(loss.replaced_by), "replaces": str(lost.id)},
            )
        ]
    decision = loss.decision
    if decision is None or decision.at_most_mg is None:
        said = rules.around_the_dose.vomited
        when = None if decision is None else text(decision.decided_at)
        return [
            Refusal(
                rule=Rule.NOT_DECIDED,
                says="Nothing is given in its place: a clinician must decide first."
                if decision is None
                else "A clinician has decided that nothing is given in its place.",
                policy=policy(said.rule, rules),
                facts={"dose": str(lost.id), "decided_at": when, "minutes_after": loss.minutes_after},
            )
        ]
    found: list[Refusal] = []
    if day != lost.dosing_day:
        found.append(
            Refusal(
                rule=Rule.NOT_DECIDED,
                says="The decision was about another day. What is due today is given as ever.",
                facts={"decision": str(decision.id), "dosing_day": str(lost.dosing_day)},
            )
        )
    return [*found, *against_decision(giving, decision.at_most_mg, decision.id)]
