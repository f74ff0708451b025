"""What is particular about a tale: what stood in the way of a dose, and what became of it."""

from datetime import datetime, timedelta

from caseload.db.dosing.giver import GiversDoses
from caseload.db.downtime import Sheets
from caseload.db.observation import KeptObservations
from caseload.db.stock.acts import Acts
from caseload.demo.stories import Tale, Treatment
from caseload.demo.telling.medicine.dispensary import Dispensary
from caseload.demo.telling.medicine.giving import leave_out
from caseload.demo.telling.medicine.orders import STEP_MG
from caseload.demo.telling.medicine.second_look import put_right, send_back, take_back
from caseload.demo.telling.stage import Life
from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.dosing import Dose, Giving, Late, NotGivenReason, record_late
from caseload.domain.dosing.giver import Word, say_as_giver
from caseload.domain.dosing.giver_left import close_for_giver
from caseload.domain.downtime import GivenOnPaper, PaperLine, Sheet, enter_sheet
from caseload.domain.ids import DecisionId, DoseId, DowntimeId, HoldId, new_id
from caseload.domain.medication import HoldRaised, HoldReason, Order, Words, clear_hold, raise_hold
from caseload.domain.medicines import DosePart

WHO_STAY = 2
"""Nurses who give the doses of every day; whoever else the team has, has left."""
LOCUM_DAYS = 3
"""After what is particular about the tale."""


def is_a_locums(here: Dispensary, treatment: Treatment, ago: int) -> bool:
    """Whether it is the day of the sheet that a nurse wrote who has left since."""
    return len(here.stage.team.nurses) > WHO_STAY and ago == treatment.turning_point - LOCUM_DAYS


async def before_the_dose(here: Dispensary, life: Life, client: Client, treatment: Treatment, ago: int) -> None:
    """What the day before left to be done."""
    if treatment.tale is Tale.LATE_ENTRY and is_a_locums(here, treatment, ago + 1):
        await _type_in(here, life, client, ago + 1, here.stage.moment(ago, 6, 50))
    if ago != treatment.turning_point - 1:
        return
    now = here.stage.moment(ago, 6, 50)
    match treatment.tale:
        case Tale.LATE_ENTRY:
            await _type_in(here, life, client, ago + 1, now)
        case Tale.HELD:
            await _clear(here, life, "Seen this morning: sober, talked it through.", now)
        case Tale.REJECTED_AND_AMENDED if life.dose is not None:
            amended = await put_right(here, life.dose, life.dose.amount_mg - STEP_MG, "Read from the bottle.", now, ago)
            here.to_sign.append(amended)
        case _:
            pass


async def instead_of_the_dose(here: Dispensary, life: Life, client: Client, treatment: Treatment, ago: int) -> bool:
    """Whether something else happened at the window."""
    if treatment.tale is Tale.LATE_ENTRY and is_a_locums(here, treatment, ago):
        return True
    if ago != treatment.turning_point:
        return False
    now = here.stage.moment(ago, 8, 10)
    match treatment.tale:
        case Tale.LATE_ENTRY:
            return True
        case Tale.HELD:
            hold = await raise_hold(
                client.id,
                HoldReason.INTOXICATION,
                Words(note="Unsteady, smells of alcohol."),
                as_id=HoldId(new_id()),
                by=here.nurse(ago),
                now=now,
                holds=here.doses(now),
                journal=here.work.journal,
            )
            life.hold = hold.id
            await leave_out(here, life, client, NotGivenReason.HELD, "", now + timedelta(minutes=2), ago)
            return True
        case Tale.NOT_GIVEN:
            await leave_out(here, life, client, NotGivenReason.REFUSED, "Feels too drowsy for work.", now, ago)
            return True
        case _:
            return False


async def after_the_dose(
    here: Dispensary, life: Life, client: Client, treatment: Treatment, dose: Dose, ago: int
) -> None:
    """What became of a dose on the day itself."""
    tale, turning = treatment.tale, ago == treatment.turning_point
    if tale is Tale.EXCEPTION and turning:
        await _give_twice(here, life, client, dose, ago)
        await _clear(here, life, "Seen and observed for four hours; rota changed.", here.stage.moment(ago, 16, 30))
    elif tale is Tale.EXCEPTION_NOW and ago == 1:
        await _give_twice(here, life, client, dose, ago)
    elif tale is Tale.REJECTED_AND_AMENDED and turning:
        await send_back(here, life, dose, "The label says another strength. Which was it?", ago)
    elif tale is Tale.REJECTED and ago == 2:
        await send_back(here, life, dose, "Recorded as supervised, but the window log says otherwise.", ago)
    elif tale is Tale.CORRECTED and turning:
        await take_back(here, dose, ago)
    elif tale is Tale.AMENDED and ago == 2:
        life.dose = dose
    elif tale is Tale.AMENDED and ago == 1 and life.dose is not None:
        now = here.stage.moment(ago, 11)
        await put_right(here, life.dose, life.dose.amount_mg - STEP_MG, "Part of it was spilled.", now, ago)


async def _type_in(here: Dispensary, life: Life, client: Client, ago: int, now: datetime) -> None:
    """A dose of the day before, given by a colleague while the station was down, entered from the sheet."""
    order = life.order
    if order is None:
        return
    given_at, journal = here.stage.moment(ago, 8), here.work.journal
    by_locum = life.story.treatment is not None and is_a_locums(here, life.story.treatment, ago)
    giver = here.stage.team.nurses[-1] if by_locum else here.nurse(ago)
    await here.doses(now).keep()
    here.memory.eventful.add(client.id)
    store = Sheets(here.work.connection, journal, now=now)
    line = PaperLine(
        number=1,
        client=client.id,
        written_by=giver.id,
        given=GivenOnPaper(giving=_giving(client, order, given_at)),
    )
    sheet = Sheet(
        programme=here.stage.programme.id,
        day=here.stage.day(ago),
        reason="The station was down; typed in from the downtime sheet.",
        lines=(line,),
    )
    entered = await enter_sheet(
        sheet,
        as_id=DowntimeId(new_id()),
        programme=here.stage.programme,
        by=here.other_nurse(ago),
        now=now,
        store=store,
        wastes=Acts(here.work.connection),
        observations=KeptObservations(here.work.connection, journal),
        journal=journal,
    )
    for answer in entered.answers:
        if answer.record is not None:
            dose = await store.dose(DoseId(answer.record), by=here.other_nurse(ago), act=Act.RECORD_DOSE)
            here.memory.last[client.id] = dose
            here.to_sign.append(dose)
            if by_locum:
                here.of_locums.append(dose)
            elif life.story.number % 2:
                await _confirm(here, dose, ago)


async def _confirm(here: Dispensary, dose: Dose, ago: int) -> None:
    """Whoever gave it finds it in their list in the afternoon; of the others nobody has said anything yet."""
    now, journal = here.stage.moment(ago - 1, 15), here.work.journal
    await say_as_giver(
        dose.id,
        dose.version,
        Word.CONFIRMED,
        None,
        by=here.nurse(ago),
        now=now,
        doses=GiversDoses(here.work.connection, journal, now=now),
        journal=journal,
    )


async def close_for_who_left(here: Dispensary) -> None:
    """The supervisor closes the questions that nobody can answer any more, with what was found."""
    now, journal = here.stage.moment(1, 16), here.work.journal
    doses, here.of_locums = here.of_locums, []
    for dose in doses:
        await close_for_giver(
            dose.id,
            dose.version,
            "She has left us. The sheet, the bottle and the client agree.",
            by=here.stage.team.supervisor,
            now=now,
            doses=GiversDoses(here.work.connection, journal, now=now),
            journal=journal,
        )


async def _give_twice(here: Dispensary, life: Life, client: Client, dose: Dose, ago: int) -> None:
    """A second dose at the other window, found out in the afternoon; by the rules it holds the next one."""
    order = life.order
    if order is None or dose.given_at is None:
        return
    now = here.stage.moment(ago, 15)
    await record_late(
        _giving(client, order, dose.given_at + timedelta(minutes=25)),
        Late(reason="Given at the second window before the first record was seen."),
        as_id=DoseId(new_id()),
        by=here.other_nurse(ago),
        now=now,
        doses=here.doses(now),
        journal=here.work.journal,
    )
    raised = next(event for event in reversed(here.work.journal.events) if isinstance(event, HoldRaised))
    life.hold = HoldId(raised.records[0])


async def _clear(here: Dispensary, life: Life, reason: str, now: datetime) -> None:
    if life.hold is not None:
        prescriber = here.stage.team.prescriber
        await clear_hold(
            life.hold,
            reason,
            as_id=DecisionId(new_id()),
            by=prescriber,
            proof=here.stage.proof(prescriber, now),
            now=now,
            holds=here.doses(now),
            journal=here.work.journal,
        )
        life.hold = None


def _giving(client: Client, order: Order, given_at: datetime) -> Giving:
    return Giving(
        client=client.id,
        order=order.id,
        medicine=order.medicine,
        form=order.form,
        amount_mg=order.amounts_mg[DosePart.WHOLE],
        part=DosePart.WHOLE,
        given_at=given_at,
        supervised=True,
    )
