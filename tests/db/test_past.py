"""The chart at a past moment: what was known then never changes, whatever comes later; what had happened does."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.api.medication.past import PastChartOut
from caseload.db.dosing.past import Pasts
from caseload.db.observation import KeptObservations
from caseload.db.window.doses import LostDoses
from caseload.domain import signoff
from caseload.domain.access import Act
from caseload.domain.dosing import (
    Dose,
    Missing,
    NotGivenReason,
    Sedation,
    Seen,
    observe_before_dose,
    record_not_given,
)
from caseload.domain.errors import CaseloadError
from caseload.domain.ids import DecisionId, DoseId, OrderId, PreDoseId, VomitId, new_id
from caseload.domain.medication import Hold, Order, Spoken, Step, clear_hold, stop_order, take_order
from caseload.domain.medicines import DosePart
from caseload.domain.signature import Meaning
from caseload.domain.signoff import sign_off
from caseload.domain.window import record_vomited
from tests.db.test_dosing import change, correct
from tests.factories.window import MORNING, TODAY, Window, proof, window, wish

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


@dataclass
class Tale:
    """A few days at the window, act by act, on a clock of its own."""

    here: Window
    now: datetime = MORNING
    orders: list[Order] = field(default_factory=list[Order])
    doses: list[Dose] = field(default_factory=list[Dose])
    holds: list[Hold] = field(default_factory=list[Hold])
    done: set[str] = field(default_factory=set[str])
    refused: dict[str, Exception] = field(default_factory=dict[str, Exception])

    async def chart(self, at: datetime) -> PastChartOut:
        contents, day = await Pasts(self.here.connection, self.here.journal, now=self.now).contents(
            self.here.client, at, by=self.here.nurse, act=Act.SEE_MEDICATION
        )
        return PastChartOut.of(self.here.client, contents, at, day)

    async def known(self, at: datetime) -> bytes:
        return msgspec.json.encode((await self.chart(at)).known)

    async def act(self, name: str) -> None:
        """Do it if it can be done now; what is refused leaves nothing."""
        try:
            async with self.here.connection.begin_nested():
                await self.acts()[name]()
                self.done.add(name)
        except (CaseloadError, IndexError) as refused:
            self.refused[name] = refused

    def acts(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {
            "order": self.order, "replace": self.replace, "stop": self.stop, "speak": self.speak, "give": self.give,
            "give_less": self.give_less, "late": self.late, "not_given": self.not_given, "hold": self.hold,
            "clear": self.clear, "allow": self.allow, "amend": self.amend, "correct": self.correct,
            "sign": self.sign, "reject": self.reject, "see": self.see, "sleep": self.sleep, "vomit": self.vomit,
        }  # fmt: skip

    async def order(self) -> None:
        steps = (Step(from_on=self.now.date() + timedelta(days=2), amounts_mg={DosePart.WHOLE: Decimal(65)}),)
        wanted = replace(wish(starts_on=self.now.date()), steps=steps)
        self.orders.append(await self.here.order(wanted, now=self.now))

    async def replace(self) -> None:
        wanted = wish(starts_on=self.now.date(), amount_mg="50", replaces=self.orders[-1].id)
        self.orders.append(await self.here.order(wanted, now=self.now))

    async def stop(self) -> None:
        by = self.here.prescriber
        await stop_order(
            self.orders[-1].id,
            "No longer needed.",
            by=by,
            proof=proof(by, self.now),
            now=self.now,
            orders=self.here.doses(self.now),
            journal=self.here.journal,
        )

    async def speak(self) -> None:
        wanted = wish(starts_on=self.now.date(), amount_mg="30")
        spoken = Spoken(wish=wanted, prescriber=self.here.prescriber.id, read_back=True)
        taken = await take_order(
            spoken,
            self.here.client,
            as_id=OrderId(new_id()),
            by=self.here.nurse,
            now=self.now,
            orders=self.here.doses(self.now),
            journal=self.here.journal,
        )
        self.orders.append(taken)

    async def give(self) -> None:
        self.doses.append(await self.here.give(self.orders[-1], at=self.now))

    async def give_less(self) -> None:
        dose = await self.here.give(self.orders[-1], at=self.now, amount_mg="20", less_reason="client_wish")
        self.doses.append(dose)

    async def late(self) -> None:
        before = self.now - timedelta(hours=30)
        self.doses.append(await self.here.late(self.orders[-1], given_at=before, now=self.now, amount_mg="40"))

    async def not_given(self) -> None:
        missing = Missing(
            client=self.here.client, order=None, part=DosePart.WHOLE, reason=NotGivenReason.REFUSED, note=""
        )
        await record_not_given(
            missing,
            as_id=DoseId(new_id()),
            by=self.here.nurse,
            now=self.now,
            doses=self.here.doses(self.now),
            journal=self.here.journal,
        )

    async def hold(self) -> None:
        self.holds.append(await self.here.hold(at=self.now))

    async def clear(self) -> None:
        held = [each for each in await self.here.doses(self.now).holds_of(self.here.client) if each.cleared_at is None]
        by = self.here.prescriber
        await clear_hold(
            held[0].id,
            "Awake and well.",
            as_id=DecisionId(new_id()),
            by=by,
            proof=proof(by, self.now),
            now=self.now,
            holds=self.here.doses(self.now),
            journal=self.here.journal,
        )

    async def allow(self) -> None:
        await self.here.allow(self.now.date(), at=self.now, at_most_mg="20")

    async def amend(self) -> None:
        dose = self.doses[-1]
        self.doses[-1] = await change(self.here, dose, at=self.now, amount_mg=dose.amount_mg + 1)

    async def correct(self) -> None:
        await correct(self.here, self.doses[-1], at=self.now)

    async def sign(self) -> None:
        by = self.here.prescriber
        await sign_off(
            {self.doses[-1].id: self.doses[-1].version},
            by=by,
            proof=proof(by, self.now),
            meaning=Meaning.REVIEWED,
            now=self.now,
            sign_offs=self.here.sign_offs(self.now),
            journal=self.here.journal,
        )

    async def reject(self) -> None:
        await signoff.reject(
            self.doses[-1].id,
            self.doses[-1].version,
            "Which bottle?",
            by=self.here.prescriber,
            now=self.now,
            sign_offs=self.here.sign_offs(self.now),
            journal=self.here.journal,
        )

    async def see(self) -> None:
        await observe_before_dose(
            self.here.client,
            Seen(sedation=Sedation.ALERT, intoxicated=False),
            as_id=PreDoseId(new_id()),
            by=self.here.nurse,
            now=self.now,
            doses=self.here.doses(self.now),
            observations=KeptObservations(self.here.connection, self.here.journal),
            journal=self.here.journal,
        )

    async def vomit(self) -> None:
        await record_vomited(
            self.doses[-1].id,
            5,
            "In the yard.",
            witnessed=True,
            as_id=VomitId(new_id()),
            by=self.here.nurse,
            now=self.now + 5 * MINUTE,
            doses=LostDoses(self.here.connection, self.here.journal, now=self.now),
            journal=self.here.journal,
        )
        self.now += 5 * MINUTE

    async def sleep(self) -> None:
        self.now += timedelta(hours=20)


ACTS = (
    "order", "replace", "stop", "speak", "give", "give_less", "late", "not_given", "hold", "clear", "allow", "amend",
    "correct", "sign", "reject", "see", "sleep", "vomit",
)  # fmt: skip


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(names=st.lists(st.sampled_from(ACTS), min_size=3, max_size=16))
async def test_whatever_comes_later_what_was_known_stays_byte_for_byte(
    connection: AsyncConnection, names: list[str]
) -> None:
    async with connection.begin_nested() as nested:
        tale = Tale(await window(connection, profile="US"))
        answers: dict[datetime, bytes] = {}
        for name in ("order", *names):
            await tale.act(name)
            answers[tale.now] = await tale.known(tale.now)
            tale.now += 7 * MINUTE
        for at, answer in answers.items():
            assert await tale.known(at) == answer, f"what was known at {at} has changed"
        await nested.rollback()


async def test_every_kind_of_act_leaves_what_was_known_before_it(connection: AsyncConnection) -> None:
    tale = Tale(await window(connection, profile="US"))
    order = (
        "order", "see", "give", "vomit", "amend", "reject", "amend", "sign", "correct", "not_given", "clear", "give_less", "sleep", "late",
        "clear", "hold", "clear", "replace", "give", "stop", "speak", "sleep", "sleep", "sleep", "sleep", "sleep",
        "allow",
    )  # fmt: skip
    answers: dict[datetime, bytes] = {}
    for name in order:
        before = await tale.known(tale.now)
        tale.now += MINUTE
        await tale.act(name)
        assert name in tale.done, f"{name}: {tale.refused.get(name)}"
        assert name == "sleep" or await tale.known(tale.now) != before, f"{name} is not in what is known"
        answers[tale.now] = await tale.known(tale.now)
    for at, answer in answers.items():
        assert await tale.known(at) == answer


async def test_a_late_entry_is_in_what_had_happened_and_not_in_what_was_known(connection: AsyncConnection) -> None:
    tale = Tale(await window(connection))
    await tale.order()
    noon = MORNING + timedelta(hours=4)
    tale.now = MORNING + timedelta(hours=28)
    late = await tale.here.late(tale.orders[0], given_at=noon, now=tale.now)
    for at, known, happened in (
        (noon - MINUTE, [], []),
        (noon, [], [late.id]),
        (tale.now - MINUTE, [], [late.id]),
        (tale.now, [late.id], [late.id]),
    ):
        chart = await tale.chart(at)
        assert [each.id for each in chart.known.doses] == known
        assert [each.id for each in chart.happened.doses] == happened


async def test_an_amendment_shows_the_version_that_was_known_and_what_was_in_fact_given(
    connection: AsyncConnection,
) -> None:
    tale = Tale(await window(connection))
    await tale.order()
    await tale.give()
    given_at = tale.now
    tale.now += timedelta(hours=1)
    await tale.sign()
    tale.now += timedelta(hours=1)
    await tale.amend()
    first = await tale.chart(given_at + MINUTE)
    [known], [happened] = first.known.doses, first.happened.doses
    assert (known.version, known.amount_mg, known.standing, known.reviewed) == (1, "60", "waiting", None)
    assert (happened.version, happened.amount_mg) == (2, "61")
    signed = await tale.chart(given_at + timedelta(hours=1))
    assert [(each.version, each.standing) for each in signed.known.doses] == [(1, "signed")]
    now = await tale.chart(tale.now)
    assert [(each.version, each.standing) for each in now.known.doses] == [(2, "waiting"), (1, "signed")]
    assert len(now.known.signatures) == len(signed.known.signatures) == 2
    assert len(first.known.signatures) == 1
    assert (await tale.chart(given_at - MINUTE)).happened.doses == []


async def test_that_a_dose_came_back_is_known_when_it_is_recorded_and_happened_when_it_did(
    connection: AsyncConnection,
) -> None:
    tale = Tale(await window(connection))
    await tale.order()
    await tale.give()
    given_at = tale.now
    tale.now += timedelta(hours=1)
    await tale.vomit()
    for at, known, happened in (
        (given_at + 4 * MINUTE, False, False),
        (given_at + 5 * MINUTE, False, True),
        (tale.now - MINUTE, False, True),
        (tale.now, True, True),
    ):
        chart = await tale.chart(at)
        assert (chart.known.doses[0].vomited is not None) is known
        assert (chart.happened.doses[0].vomited is not None) is happened


async def test_what_was_in_fact_not_given_was_known_and_had_not_happened(connection: AsyncConnection) -> None:
    tale = Tale(await window(connection))
    await tale.order()
    await tale.give()
    given_at = tale.now
    tale.now += timedelta(hours=1)
    await tale.correct()
    before = await tale.chart(given_at)
    assert [each.standing for each in before.known.doses] == ["waiting"]
    assert before.happened.doses == []
    assert [each.standing for each in (await tale.chart(tale.now)).known.doses] == ["not_given"]


async def test_an_order_stands_as_it_stood(connection: AsyncConnection) -> None:
    tale = Tale(await window(connection))
    drafted = await tale.here.draft(now=MORNING)
    tale.now = MORNING + timedelta(hours=1)
    signed = await tale.here.sign(drafted, now=tale.now, confirmed={"uk.first_day": "Transferred."})
    tale.orders.append(signed)
    tale.now = MORNING + timedelta(hours=2)
    await tale.replace()
    tale.now = MORNING + timedelta(hours=3)
    await tale.stop()
    stood: list[list[tuple[str, int]]] = []
    for hours in range(4):
        at = MORNING + timedelta(hours=hours)
        orders = (await tale.chart(at)).known.orders
        stood.append(sorted((each.standing.value, len(each.confirmed)) for each in orders))
    assert stood == [
        [("draft", 0)],
        [("in_force", 1)],
        [("in_force", 1), ("replaced", 1)],
        [("replaced", 1), ("stopped", 1)],
    ]
    assert (await tale.chart(MORNING - MINUTE)).known.orders == []


async def test_a_brought_in_day_had_happened_once_it_was_over(connection: AsyncConnection) -> None:
    tale = Tale(await window(connection))
    await tale.order()
    dose = await tale.here.give(tale.orders[0])
    contents, _ = await Pasts(connection, tale.here.journal, now=MORNING).contents(
        tale.here.client, MORNING, by=tale.here.nurse, act=Act.SEE_MEDICATION
    )
    timeless = replace(contents.doses[0], dose=replace(dose, given_at=None))
    contents = replace(contents, doses=[timeless])
    late_evening = MORNING + timedelta(hours=15)
    for at, day, there in ((late_evening, TODAY, 0), (late_evening, TODAY + timedelta(days=1), 1)):
        assert len(PastChartOut.of(tale.here.client, contents, at, day).happened.doses) == there
