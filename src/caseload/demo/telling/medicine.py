"""Orders, doses at the window, what stood in their way, and the second look at each."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from caseload.db.signoff import SignOffs
from caseload.demo.stories import MISSED, Tale, Treatment
from caseload.demo.telling.stage import Life, Stage, proof
from caseload.demo.telling.window import Memory, Window
from caseload.domain.client import Client
from caseload.domain.dosing import (
    Amendment,
    Dose,
    DoseRefused,
    Giving,
    Late,
    Missing,
    NotGivenReason,
    Wanted,
    allow_dose,
    amend,
    correct_as_not_given,
    give,
    record_late,
    record_not_given,
)
from caseload.domain.ids import CorrectionId, DecisionId, DoseId, HoldId, OrderId, new_id
from caseload.domain.medication import (
    HoldRaised,
    HoldReason,
    Order,
    Wish,
    clear_hold,
    raise_hold,
    sign_order,
    stop_order,
    write_order,
)
from caseload.domain.medicines import LONG_ACTING, DosePart
from caseload.domain.people import Staff
from caseload.domain.signature import Meaning
from caseload.domain.signoff import MOST_AT_ONCE, reject, sign_off
from caseload.request.work import Work

FIRST_DOSE_MG = Decimal(30)
STEP_MG = Decimal(10)
STEP_DAYS = 3
INJECTION_DAYS = 28
AWAY_FOR_DAYS = 4
LEFT_WAITING = range(2, 6)
"""Days ago whose doses nobody has signed yet, where that is the tale."""


@dataclass(slots=True, kw_only=True)
class Medicine:
    """The medication of one programme, told day by day within one piece of work."""

    stage: Stage
    work: Work
    memory: Memory
    to_sign: list[Dose] = field(default_factory=list[Dose])
    """What was recorded on the day that is being told, and nobody has signed yet."""

    async def day(self, life: Life, ago: int) -> None:
        """One day of a client on medicine."""
        treatment, client = life.story.treatment, life.client
        if treatment is None or client is None or not life.story.in_care(ago):
            return
        if life.order is None:
            await self._begin(life, client, treatment, ago)
        elif life.rising_to is not None and (life.risen_on - ago) % STEP_DAYS == 0 and ago != life.risen_on:
            await self._raise_dose(life, client, treatment, ago)
        await self._before_the_dose(life, client, treatment, ago)
        if _is_away(treatment, ago):
            await self._not_given(life, client, NotGivenReason.ABSENT, "", self.stage.moment(ago, 12, 30), ago)
        elif not await self._instead_of_the_dose(life, client, treatment, ago):
            dose = await self._give_todays(life, client, treatment, ago)
            if dose is not None:
                await self._after_the_dose(life, client, treatment, dose, ago)

    async def evening(self, ago: int) -> None:
        """Let somebody other than the giver sign for the day's doses; what is left of yesterday's waits."""
        waiting, self.to_sign = self.to_sign, []
        await self._doses(self.stage.moment(ago, 17)).keep()
        if ago == 1:
            waiting = waiting[: len(waiting) // 2]
        await self._sign(waiting, self.stage.moment(ago, 17))

    async def stop(self, life: Life, ago: int) -> None:
        """End the order of a client who leaves."""
        if life.order is not None:
            now = self.stage.moment(ago, 15, 30)
            await stop_order(
                life.order.id,
                "Discharged.",
                by=self.stage.team.prescriber,
                proof=proof(self.stage.team.prescriber, now),
                now=now,
                orders=self._doses(now),
                journal=self.work.journal,
            )
            life.order = None

    def _doses(self, now: datetime) -> Window:
        return Window(self.work, self.memory, now=now)

    def _nurse(self, ago: int) -> Staff:
        return self.stage.team.nurses[ago % 2]

    def _other_nurse(self, ago: int) -> Staff:
        return self.stage.team.nurses[(ago + 1) % 2]

    # --- orders ---------------------------------------------------------------------------------------------------

    async def _begin(self, life: Life, client: Client, treatment: Treatment, ago: int) -> None:
        """The first order: the full dose of somebody who comes from elsewhere, or a low one that is raised."""
        comes_back = life.story.returned is not None and ago <= life.story.returned
        low = treatment.tale is Tale.TITRATED or comes_back
        first = FIRST_DOSE_MG if low else treatment.dose_mg
        life.order = await self._order(life, client, treatment, first, self.stage.moment(ago, 6, 45))
        if low:
            life.rising_to, life.risen_on = treatment.dose_mg, ago

    async def _raise_dose(self, life: Life, client: Client, treatment: Treatment, ago: int) -> None:
        if life.order is None or life.rising_to is None:
            return
        wanted = min(sum(life.order.amounts_mg.values(), Decimal()) + STEP_MG, life.rising_to)
        life.order = await self._order(life, client, treatment, wanted, self.stage.moment(ago, 6, 45))
        life.risen_on = ago
        if wanted == life.rising_to:
            life.rising_to = None

    async def _order(self, life: Life, client: Client, treatment: Treatment, dose_mg: Decimal, now: datetime) -> Order:
        prescriber = self.stage.team.prescriber
        written = await write_order(
            Wish(
                medicine=treatment.medicine,
                form=treatment.form,
                strength_mg=treatment.strength_mg,
                amounts_mg=_parts(treatment, dose_mg),
                every_days=INJECTION_DAYS if treatment.form in LONG_ACTING else 1,
                starts_on=self.stage.programme.today(now),
                ends_on=None,
                supervised=True,
                note="",
                replaces=life.order.id if life.order is not None else None,
            ),
            client.id,
            as_id=OrderId(new_id()),
            by=prescriber,
            now=now,
            orders=self._doses(now),
            journal=self.work.journal,
        )
        return await sign_order(
            written.id,
            by=prescriber,
            proof=proof(prescriber, now),
            now=now,
            orders=self._doses(now),
            journal=self.work.journal,
        )

    # --- the window -----------------------------------------------------------------------------------------------

    async def _give_todays(self, life: Life, client: Client, treatment: Treatment, ago: int) -> Dose | None:
        order = life.order
        if order is None or not order.is_scheduled(self.stage.day(ago)):
            return None
        dose = None
        for part, amount in order.amounts_mg.items():
            hour, minute = (18, 0) if part is DosePart.EVENING else divmod(7 * 60 + life.story.number * 7 % 150, 60)
            now = self.stage.moment(ago, hour, minute)
            less = treatment.tale is Tale.LESS and ago == treatment.turning_point
            giving = Giving(
                client=client.id,
                order=order.id,
                medicine=order.medicine,
                form=order.form,
                amount_mg=amount - STEP_MG if less else amount,
                part=part,
                given_at=now,
                supervised=True,
                less_reason="Asked for less before a long journey; prescriber told." if less else None,
            )
            dose = await self._give(life, client, treatment, giving, ago)
        return dose

    async def _give(self, life: Life, client: Client, treatment: Treatment, giving: Giving, ago: int) -> Dose:
        """Give a dose; where too many were missed, the prescriber decides, and the dose is built up anew."""
        now = giving.given_at
        try:
            dose = await self._give_once(giving, now, ago)
        except DoseRefused:
            dose = await self._start_again(life, client, treatment, giving, ago)
        if not _is_left_waiting(treatment, ago):
            self.to_sign.append(dose)
        return dose

    async def _start_again(self, life: Life, client: Client, treatment: Treatment, giving: Giving, ago: int) -> Dose:
        """After too many missed doses the prescriber sees the client, decides on a lower one, and orders it."""
        prescriber, now = self.stage.team.prescriber, giving.given_at + timedelta(minutes=20)
        low = max((giving.amount_mg / 2).quantize(Decimal(1), ROUND_HALF_UP), min(FIRST_DOSE_MG, giving.amount_mg))
        await allow_dose(
            Wanted(days=(self.stage.day(ago),), reason="Seen: alert, no sign of other opioids.", at_most_mg=low),
            client.id,
            as_id=DecisionId(new_id()),
            by=prescriber,
            proof=proof(prescriber, now),
            now=now,
            histories=self._doses(now),
            journal=self.work.journal,
        )
        life.order = await self._order(life, client, treatment, low, now)
        life.rising_to, life.risen_on = treatment.dose_mg, ago
        again = now + timedelta(minutes=10)
        return await self._give_once(replace(giving, order=life.order.id, amount_mg=low, given_at=again), again, ago)

    async def _give_once(self, giving: Giving, now: datetime, ago: int) -> Dose:
        return await give(
            giving,
            as_id=DoseId(new_id()),
            by=self._nurse(ago),
            now=now,
            doses=self._doses(now),
            journal=self.work.journal,
        )

    async def _not_given(
        self, life: Life, client: Client, reason: NotGivenReason, note: str, now: datetime, ago: int
    ) -> None:
        order = life.order
        if order is None:
            return
        await record_not_given(
            Missing(client=client.id, order=order.id, part=next(iter(order.amounts_mg)), reason=reason, note=note),
            as_id=DoseId(new_id()),
            by=self._nurse(ago),
            now=now,
            doses=self._doses(now),
            journal=self.work.journal,
        )

    # --- what is particular ---------------------------------------------------------------------------------------

    async def _before_the_dose(self, life: Life, client: Client, treatment: Treatment, ago: int) -> None:
        """What the day before left to be done."""
        if ago != treatment.turning_point - 1:
            return
        now = self.stage.moment(ago, 6, 50)
        match treatment.tale:
            case Tale.LATE_ENTRY:
                await self._type_in(life, client, ago + 1, now)
            case Tale.HELD:
                await self._clear(life, "Seen this morning: sober, talked it through.", now)
            case Tale.REJECTED_AND_AMENDED if life.dose is not None:
                amended = await self._amend(life.dose, life.dose.amount_mg - STEP_MG, "Read from the bottle.", now, ago)
                self.to_sign.append(amended)
            case _:
                pass

    async def _instead_of_the_dose(self, life: Life, client: Client, treatment: Treatment, ago: int) -> bool:
        """Whether something else happened at the window."""
        if ago != treatment.turning_point:
            return False
        now = self.stage.moment(ago, 8, 10)
        match treatment.tale:
            case Tale.LATE_ENTRY:
                return True
            case Tale.HELD:
                hold = await raise_hold(
                    client.id,
                    HoldReason.INTOXICATION,
                    "Unsteady, smells of alcohol.",
                    as_id=HoldId(new_id()),
                    by=self._nurse(ago),
                    now=now,
                    holds=self._doses(now),
                    journal=self.work.journal,
                )
                life.hold = hold.id
                await self._not_given(life, client, NotGivenReason.HELD, "", now + timedelta(minutes=2), ago)
                return True
            case Tale.NOT_GIVEN:
                await self._not_given(life, client, NotGivenReason.REFUSED, "Feels too drowsy for work.", now, ago)
                return True
            case _:
                return False

    async def _after_the_dose(self, life: Life, client: Client, treatment: Treatment, dose: Dose, ago: int) -> None:
        """What became of a dose on the day itself."""
        tale, turning = treatment.tale, ago == treatment.turning_point
        if tale is Tale.EXCEPTION and turning:
            await self._give_twice(life, client, dose, ago)
            await self._clear(life, "Seen and observed for four hours; rota changed.", self.stage.moment(ago, 16, 30))
        elif tale is Tale.EXCEPTION_NOW and ago == 1:
            await self._give_twice(life, client, dose, ago)
        elif tale is Tale.REJECTED_AND_AMENDED and turning:
            await self._send_back(life, dose, "The label says another strength. Which was it?", ago)
        elif tale is Tale.REJECTED and ago == 2:
            await self._send_back(life, dose, "Recorded as supervised, but the window log says otherwise.", ago)
        elif tale is Tale.CORRECTED and turning:
            await self._correct(dose, ago)
        elif tale is Tale.AMENDED and ago == 2:
            life.dose = dose
        elif tale is Tale.AMENDED and ago == 1 and life.dose is not None:
            now = self.stage.moment(ago, 11)
            await self._amend(life.dose, life.dose.amount_mg - STEP_MG, "Part of it was spilled.", now, ago)

    async def _type_in(self, life: Life, client: Client, ago: int, now: datetime) -> None:
        """A dose of the day before, given by a colleague while the station was down."""
        order = life.order
        if order is None:
            return
        given_at = self.stage.moment(ago, 8)
        dose = await record_late(
            _giving(client, order, given_at),
            Late(reason="The station was down; typed in from the downtime sheet.", given_by=self._nurse(ago).id),
            as_id=DoseId(new_id()),
            by=self._other_nurse(ago),
            now=now,
            doses=self._doses(now),
            journal=self.work.journal,
        )
        self.to_sign.append(dose)

    async def _give_twice(self, life: Life, client: Client, dose: Dose, ago: int) -> None:
        """A second dose at the other window, found out in the afternoon; by the rules it holds the next one."""
        order = life.order
        if order is None or dose.given_at is None:
            return
        now = self.stage.moment(ago, 15)
        await record_late(
            _giving(client, order, dose.given_at + timedelta(minutes=25)),
            Late(reason="Given at the second window before the first record was seen."),
            as_id=DoseId(new_id()),
            by=self._other_nurse(ago),
            now=now,
            doses=self._doses(now),
            journal=self.work.journal,
        )
        raised = next(event for event in reversed(self.work.journal.events) if isinstance(event, HoldRaised))
        life.hold = HoldId(raised.records[0])

    async def _clear(self, life: Life, reason: str, now: datetime) -> None:
        if life.hold is not None:
            prescriber = self.stage.team.prescriber
            await clear_hold(
                life.hold,
                reason,
                as_id=DecisionId(new_id()),
                by=prescriber,
                proof=proof(prescriber, now),
                now=now,
                holds=self._doses(now),
                journal=self.work.journal,
            )
            life.hold = None

    async def _amend(self, dose: Dose, amount_mg: Decimal, reason: str, now: datetime, ago: int) -> Dose:
        return await amend(
            dose.id,
            dose.version,
            Amendment(
                medicine=dose.medicine,
                form=dose.form,
                amount_mg=amount_mg,
                given_at=dose.given_at or now,
                supervised=True,
                reason=reason,
            ),
            by=self._nurse(ago),
            now=now,
            doses=self._doses(now),
            journal=self.work.journal,
        )

    async def _send_back(self, life: Life, dose: Dose, reason: str, ago: int) -> None:
        self.to_sign.remove(dose)
        life.dose = dose
        now = self.stage.moment(ago, 16)
        await self._doses(now).keep()
        await reject(
            dose.id,
            dose.version,
            reason,
            by=self._other_nurse(ago),
            now=now,
            sign_offs=SignOffs(self.work.connection, self.work.journal, now=now),
            journal=self.work.journal,
        )

    async def _correct(self, dose: Dose, ago: int) -> None:
        self.to_sign.remove(dose)
        other, now = self._other_nurse(ago), self.stage.moment(ago, 12)
        await correct_as_not_given(
            dose.id,
            dose.version,
            "Recorded on the wrong chart: this client was not here.",
            as_id=CorrectionId(new_id()),
            by=other,
            proof=proof(other, now),
            now=now,
            doses=self._doses(now),
            journal=self.work.journal,
        )

    async def _sign(self, doses: Iterable[Dose], now: datetime) -> None:
        """Each dose is signed by a nurse who had no hand in it, or else by the prescriber."""
        team = self.stage.team
        by_signer: dict[int, list[Dose]] = {}
        signers = (*team.nurses, team.prescriber)
        for dose in doses:
            place = next(place for place, signer in enumerate(signers) if signer.id not in dose.hands)
            by_signer.setdefault(place, []).append(dose)
        for place, theirs in by_signer.items():
            for first in range(0, len(theirs), MOST_AT_ONCE):
                await self._sign_together(signers[place], theirs[first : first + MOST_AT_ONCE], now)

    async def _sign_together(self, signer: Staff, doses: Iterable[Dose], now: datetime) -> None:
        await sign_off(
            {dose.id: dose.version for dose in doses},
            by=signer,
            proof=proof(signer, now),
            meaning=Meaning.WITNESSED,
            now=now,
            sign_offs=SignOffs(self.work.connection, self.work.journal, now=now),
            journal=self.work.journal,
        )


def _parts(treatment: Treatment, dose_mg: Decimal) -> dict[DosePart, Decimal]:
    if treatment.tale is Tale.SPLIT:
        return {DosePart.MORNING: dose_mg / 2, DosePart.EVENING: dose_mg / 2}
    return {DosePart.WHOLE: dose_mg}


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


def _is_away(treatment: Treatment, ago: int) -> bool:
    missed = MISSED.get(treatment.tale, 0)
    return treatment.turning_point >= ago > treatment.turning_point - missed or (
        treatment.tale is Tale.AWAY_NOW and ago <= AWAY_FOR_DAYS
    )


def _is_left_waiting(treatment: Treatment, ago: int) -> bool:
    return treatment.tale is Tale.UNSIGNED and ago in LEFT_WAITING
