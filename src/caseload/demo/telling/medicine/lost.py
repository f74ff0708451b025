"""What was lost at the window yesterday, and who was excused: a dose that came back and was replaced, one that was spilled."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from caseload.db.stock.acts import Acts
from caseload.db.window import LostDoses, WindowRecords
from caseload.demo.stories import Tale
from caseload.demo.telling.medicine.dispensary import Dispensary
from caseload.demo.telling.stage import Life
from caseload.domain.dosing import Dose, Giving
from caseload.domain.ids import DoseId, ExcusalId, ReplacementId, SpillId, VomitId, new_id
from caseload.domain.medicines import Form
from caseload.domain.profiles.around import IdentifiedBy
from caseload.domain.window import (
    Absence,
    ExcuseReason,
    Spill,
    Verdict,
    Wished,
    decide_replacement,
    excuse,
    record_spill,
    record_vomited,
    replace_dose,
    witness_spill,
)

_ORDINARY: Final = (Tale.STEADY, Tale.LESS, Tale.NOT_GIVEN, Tale.MISSED_1, Tale.MISSED_2)
_SPILLED_MG: Final = Decimal(5)


async def tell_lost(here: Dispensary) -> None:
    """Each of them once at every programme, where somebody had a dose yesterday."""
    yesterday = _yesterday(here)
    if (found := next(yesterday, None)) is not None:
        await _came_back(here, *found)
    if (found := next(yesterday, None)) is not None:
        await _spilled(here, *found)
    await _excused(here)


def _yesterday(here: Dispensary) -> Iterator[tuple[Life, Dose]]:
    """Whoever had an ordinary dose of a liquid yesterday, of whom nothing else is told now."""
    for life in here.stage.lives:
        treatment, client = life.story.treatment, life.client
        if treatment is None or client is None or treatment.tale not in _ORDINARY or life.hold is not None:
            continue
        dose = here.memory.last.get(client.id)
        if dose is not None and dose.dosing_day == here.stage.day(1) and dose.form is Form.ORAL_SOLUTION:
            yield life, dose


async def _came_back(here: Dispensary, life: Life, dose: Dose) -> None:
    """Vomited before a nurse's eyes; the prescriber lets half of it be given again, and it is."""
    if dose.given_at is None or life.client is None:
        return
    await here.doses(dose.given_at).keep()
    here.memory.eventful.add(life.client.id)
    seen_at, decided_at, again_at = (dose.given_at + timedelta(minutes=minutes) for minutes in (12, 40, 50))
    prescriber, journal = here.stage.team.prescriber, here.work.journal
    await record_vomited(
        dose.id,
        12,
        "In the waiting room.",
        witnessed=True,
        as_id=VomitId(new_id()),
        by=here.nurse(1),
        now=seen_at,
        doses=LostDoses(here.work.connection, journal, now=seen_at),
        journal=journal,
    )
    half = (dose.amount_mg / 2).quantize(Decimal(1), ROUND_HALF_UP)
    await decide_replacement(
        dose.id,
        Wished(verdict=Verdict.REPLACE, at_most_mg=half, reason="Seen: alert, pupils wide.", confirmed=True),
        as_id=ReplacementId(new_id()),
        by=prescriber,
        proof=here.stage.proof(prescriber, decided_at),
        now=decided_at,
        replacements=LostDoses(here.work.connection, journal, now=decided_at),
        journal=journal,
    )
    giving = Giving(
        client=dose.client,
        order=dose.order,
        medicine=dose.medicine,
        form=dose.form,
        amount_mg=half,
        part=dose.part,
        given_at=again_at,
        supervised=True,
        identified_by=IdentifiedBy.PHOTOGRAPH,
    )
    await replace_dose(
        dose.id,
        giving,
        as_id=DoseId(new_id()),
        by=here.nurse(1),
        now=again_at,
        replacements=LostDoses(here.work.connection, journal, now=again_at),
        journal=journal,
    )


async def _spilled(here: Dispensary, life: Life, dose: Dose) -> None:
    """The last of a dose went over the counter; a colleague who saw it signs. Where no stock is kept, no bottle is named."""
    if dose.order is None or dose.given_at is None or life.client is None:
        return
    await here.doses(dose.given_at).keep()
    here.memory.eventful.add(life.client.id)
    now, journal = dose.given_at + timedelta(minutes=3), here.work.journal
    store, acts = LostDoses(here.work.connection, journal, now=now), Acts(here.work.connection)
    if await store.keeps_stock(here.stage.programme.id, dose.dosing_day):
        return
    spill = Spill(
        client=dose.client,
        order=dose.order,
        part=dose.part,
        amount_mg=_SPILLED_MG,
        reason="The cup tipped over with what was left in it.",
        happened_at=now,
        dose=dose.id,
    )
    made = await record_spill(
        spill, as_id=SpillId(new_id()), by=here.nurse(1), now=now, spills=store, wastes=acts, journal=journal
    )
    witness, signed_at = here.other_nurse(1), now + timedelta(minutes=5)
    await witness_spill(
        made.id,
        by=witness,
        proof=here.stage.proof(witness, signed_at),
        now=signed_at,
        spills=LostDoses(here.work.connection, journal, now=signed_at),
        wastes=acts,
        journal=journal,
    )


async def _excused(here: Dispensary) -> None:
    """Whoever stays away lies in hospital, as the ward told us yesterday: attendance changes, tolerance does not."""
    now = here.stage.moment(1, 14, 5)
    for life in here.stage.lives:
        treatment, client = life.story.treatment, life.client
        if treatment is None or client is None or treatment.tale is not Tale.AWAY_NOW or not life.story.in_care(1):
            continue
        absence = Absence(
            reason=ExcuseReason.HOSPITAL,
            first_on=here.stage.day(1),
            last_on=here.stage.day(-3),
            told_by="Ward 4, City Hospital",
            note="Pneumonia. What is given there is still to be verified.",
        )
        await excuse(
            client.id,
            here.stage.programme.id,
            absence,
            as_id=ExcusalId(new_id()),
            today=here.stage.programme.today(now),
            by=here.nurse(1),
            now=now,
            excusals=WindowRecords(here.work.connection, here.work.journal),
            journal=here.work.journal,
        )
        return
