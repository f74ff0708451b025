"""How each thing that a line says is brought into the record, by the same functions as at the window."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from caseload.domain.dosing import (
    Charted,
    DoseStanding,
    Kind,
    Late,
    Missing,
    observe_before_dose,
    record_late,
    record_not_given,
)
from caseload.domain.downtime.answer import Answer, Found, HandledByAnother, NobodyOfTheStaff, NothingTaken, Outcome
from caseload.domain.downtime.desk import Desk, answered, check_hand, found_already
from caseload.domain.downtime.paper import (
    GivenOnPaper,
    NotGivenOnPaper,
    PaperLine,
    SeenOnPaper,
    SpilledOnPaper,
    TakenHomeOnPaper,
    VomitedOnPaper,
    What,
)
from caseload.domain.downtime.telling import Aside
from caseload.domain.ids import DispenseId, DoseId, PreDoseId, SpillId, VomitId, new_id
from caseload.domain.takehome import Dispense, HandedOut, record_handed_out
from caseload.domain.window import Spill, record_spill, record_vomited

SAME_WITHIN: Final = timedelta(minutes=5)
"""The same giver, amount and part within so little time are one dose written down twice (product convention)."""


async def bring_in_observed(said: SeenOnPaper, line: PaperLine, desk: Desk, aside: Aside) -> Answer:
    check_hand(line, said.at, desk)
    for kept in await desk.store.seen_on(line.client, desk.sheet.day):
        same = (kept.sedation, kept.intoxicated, kept.note) == (
            said.seen.sedation,
            said.seen.intoxicated,
            said.seen.note,
        )
        if same and abs(kept.happened_at - said.at) <= SAME_WITHIN:
            return found_already(line, What.OBSERVED, Found(record=kept.id, by=kept.recorded_by, at=kept.recorded_at))
    made = await observe_before_dose(
        line.client,
        said.seen,
        as_id=PreDoseId(new_id()),
        by=desk.by,
        now=desk.now,
        doses=desk.store,
        observations=desk.observations,
        journal=aside,
        seen_at=said.at,
    )
    return answered(line, What.OBSERVED, made.id)


async def bring_in_given(said: GivenOnPaper, line: PaperLine, desk: Desk, aside: Aside) -> Answer:
    giving = said.giving
    check_hand(line, giving.given_at, desk)
    if said.observed_by is not None and (said.observed_by, desk.now) not in desk.hands:
        raise NobodyOfTheStaff("Read on the paper again who watched, and choose the name from the staff.")
    for charted in await desk.store.doses_since(line.client, desk.sheet.day, by=desk.by):
        if _is_same(charted, said, line):
            dose = charted.dose
            return found_already(line, What.GIVEN, Found(record=dose.id, by=dose.recorded_by, at=dose.recorded_at))
    dose = await record_late(
        giving,
        Late(reason=desk.sheet.reason, given_by=line.written_by),
        as_id=DoseId(new_id()),
        by=desk.by,
        now=desk.now,
        doses=desk.store,
        journal=aside,
    )
    outcome = Outcome.EXCEPTION if dose.kind is Kind.EXCEPTION else Outcome.RECORDED
    answer = answered(line, What.GIVEN, dose.id, outcome)
    return replace(answer, rules=tuple(sorted(set(dose.rules))), observed_by=said.observed_by)


def _is_same(charted: Charted, said: GivenOnPaper, line: PaperLine) -> bool:
    """Whether this dose is the one on the paper: the same in every word, and by the clock but for a few minutes."""
    dose, giving = charted.dose, said.giving
    if charted.standing is DoseStanding.NOT_GIVEN or dose.given_at is None:
        return False
    return (
        (dose.part, dose.medicine, dose.form, dose.amount_mg, dose.given_by)
        == (giving.part, giving.medicine, giving.form, giving.amount_mg, line.written_by)
    ) and abs(dose.given_at - giving.given_at) <= SAME_WITHIN


async def bring_in_vomited(
    said: VomitedOnPaper, dose: DoseId | None, line: PaperLine, desk: Desk, aside: Aside
) -> Answer:
    if dose is None:
        raise NothingTaken
    found = await desk.store.vomited_of(dose)
    if found is not None:
        return found_already(line, What.VOMITED, found)
    made = await record_vomited(
        dose,
        said.minutes_after,
        said.note,
        witnessed=said.witnessed,
        as_id=VomitId(new_id()),
        by=desk.by,
        now=desk.now,
        doses=desk.store,
        journal=aside,
    )
    return answered(line, What.VOMITED, made.id)


async def bring_in_spilled(
    said: SpilledOnPaper, dose: DoseId | None, line: PaperLine, desk: Desk, aside: Aside
) -> Answer:
    check_hand(line, said.happened_at, desk)
    if line.written_by != desk.by.id:
        raise HandledByAnother
    if line.given is not None and dose is None:
        raise NothingTaken
    for kept in await desk.store.spills_on(line.client, desk.sheet.day):
        same = (kept.order, kept.part, kept.amount_mg, kept.dose) == (said.order, said.part, said.amount_mg, dose)
        if same and abs(kept.happened_at - said.happened_at) <= SAME_WITHIN:
            return found_already(line, What.SPILLED, Found(record=kept.id, by=kept.recorded_by, at=kept.recorded_at))
    spill = Spill(
        client=line.client,
        order=said.order,
        part=said.part,
        amount_mg=said.amount_mg,
        reason=said.reason,
        happened_at=said.happened_at,
        dose=dose,
        container=said.container,
    )
    made = await record_spill(
        spill,
        as_id=SpillId(new_id()),
        by=desk.by,
        now=desk.now,
        spills=desk.store,
        wastes=desk.wastes,
        journal=aside,
    )
    return answered(line, What.SPILLED, made.id)


async def bring_in_not_given(said: NotGivenOnPaper, line: PaperLine, desk: Desk, aside: Aside) -> Answer:
    if (line.written_by, desk.now) not in desk.hands:
        raise NobodyOfTheStaff("Read the name on the paper again, and choose it from the staff.")
    for kept in await desk.store.not_given_on(line.client, desk.sheet.day):
        if (kept.part, kept.reason, kept.order) == (said.part, said.reason, said.order):
            return found_already(line, What.NOT_GIVEN, Found(record=kept.id, by=kept.recorded_by, at=kept.recorded_at))
    missing = Missing(
        client=line.client, order=said.order, part=said.part, reason=said.reason, note=said.note, on=desk.sheet.day
    )
    made = await record_not_given(
        missing, as_id=DoseId(new_id()), by=desk.by, now=desk.now, doses=desk.store, journal=aside
    )
    return answered(line, What.NOT_GIVEN, made.id)


async def bring_in_taken_home(said: TakenHomeOnPaper, line: PaperLine, desk: Desk, aside: Aside) -> Answer:
    check_hand(line, said.at, desk)
    for kept in await desk.store.handed_out_on(line.client, desk.sheet.day):
        if _is_same_dispense(kept, said, line):
            by = kept.dispensed_by if kept.late is None else kept.late.recorded_by
            return found_already(line, What.TAKEN_HOME, Found(record=kept.id, by=by, at=kept.recorded_at))
    handed_out = HandedOut(
        client=line.client,
        units=said.units,
        educated=said.educated,
        education_note=said.education_note,
        collecting=said.collecting,
        at=said.at,
        by=line.written_by,
        reason=desk.sheet.reason,
        station=said.station,
        container=said.container,
    )
    made = await record_handed_out(
        handed_out, as_id=DispenseId(new_id()), by=desk.by, now=desk.now, homes=desk.store, journal=aside
    )
    outcome = Outcome.EXCEPTION if made.rules else Outcome.RECORDED
    return replace(answered(line, What.TAKEN_HOME, made.id, outcome), rules=made.rules)


def _is_same_dispense(kept: Dispense, said: TakenHomeOnPaper, line: PaperLine) -> bool:
    """Whether these units are the ones on the paper: the same days and amounts, from the same hand, at the same time."""
    units = {(unit.for_on, unit.part, unit.amount_mg) for unit in kept.units}
    wanted = {(unit.for_on, unit.part, unit.amount_mg) for unit in said.units}
    return units == wanted and kept.dispensed_by == line.written_by and abs(kept.dispensed_at - said.at) <= SAME_WITHIN
