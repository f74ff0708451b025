"""Who is on call, to whom an escalation goes that nobody acknowledges, and which runs of missed doses raise one."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from caseload.domain.access import Role
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.escalation import (
    Acknowledgement,
    Escalation,
    Ground,
    OnCall,
    OnCallOver,
    PassedTo,
    Passing,
    end_on_call,
    holes,
    pass_on,
    plan_on_call,
)
from caseload.domain.escalation.missed import Run, escalate_missed, is_long, runs
from caseload.domain.escalation.passing import due
from caseload.domain.ids import ClientId, EscalationId, OnCallId, ProgrammeId, StaffId, new_id
from caseload.domain.profiles import profile_on
from tests.factories.checkin import Remembered, counsellor

pytestmark = pytest.mark.anyio

HOUSE = ProgrammeId(new_id())
NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)
RULES = profile_on("US", NINE.date())
SAM = StaffId(new_id())


def on_call(*, starts: datetime = NINE, hours: float = 12, **changes: Any) -> OnCall:
    fields: dict[str, Any] = {
        "id": OnCallId(new_id()),
        "programme": HOUSE,
        "staff": SAM,
        "starts_at": starts,
        "ends_at": starts + hours * HOUR,
        "recorded_by": SAM,
        "recorded_at": NINE,
        **changes,
    }
    return OnCall(**fields)


class Rotas:
    """Keeps a rota in memory."""

    def __init__(self, *, may_until: datetime = NINE + 100 * DAY) -> None:
        self.may_until = may_until
        self.kept: list[OnCall] = []

    async def may_acknowledge(self, staff: StaffId, programme: ProgrammeId, /, *, at: datetime) -> bool:
        return at < self.may_until

    async def add(self, on_call: OnCall, /) -> None:
        self.kept.append(on_call)

    async def hold(self, wanted: OnCallId, /) -> OnCall:
        return next(each for each in self.kept if each.id == wanted)

    async def end(self, on_call: OnCall, /, *, by: StaffId, at: datetime) -> None:
        self.kept = [dataclasses.replace(each, ended_at=at) if each.id == on_call.id else each for each in self.kept]

    async def running(self, programme: ProgrammeId, /, *, at: datetime) -> OnCall | None:
        return next((each for each in self.kept if each.is_running(at)), None)


async def plan(wanted: OnCall, rotas: Rotas, *, role: Role = Role.SUPERVISOR) -> OnCall:
    return await plan_on_call(wanted, by=counsellor(HOUSE, role=role), now=NINE, rotas=rotas, journal=Remembered())


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        (on_call(hours=0), "ends_at"),
        (on_call(starts=NINE - DAY, hours=24), "ends_at"),
        (on_call(hours=24 * 14 + 0.01), "ends_at"),
        (on_call(starts=NINE + 100 * DAY), "staff_id"),
        (on_call(starts=NINE + 99 * DAY, hours=24.01), "staff_id"),
    ],
)
async def test_whoever_is_on_call_can_take_an_escalation_on_for_all_of_it(wanted: OnCall, where: str) -> None:
    with pytest.raises(Invalid) as refused:
        await plan(wanted, Rotas())
    assert {fault.field for fault in refused.value.faults} == {where}


async def test_the_longest_and_the_last_possible_are_kept() -> None:
    rotas = Rotas()
    await plan(on_call(hours=24 * 14), rotas)
    await plan(on_call(starts=NINE + 99 * DAY, hours=24), rotas)
    with pytest.raises(NotPermitted):
        await plan(on_call(), rotas, role=Role.COUNSELLOR)
    assert len(rotas.kept) == 2


def test_one_is_on_call_from_the_first_instant_and_not_at_the_last() -> None:
    one = on_call(hours=12)
    assert [one.is_running(NINE + each) for each in (-SECOND, timedelta(), 12 * HOUR - SECOND, 12 * HOUR)] == [
        False, True, True, False,
    ]  # fmt: skip
    ended = dataclasses.replace(one, ended_at=NINE + HOUR)
    assert [ended.is_running(NINE + each) for each in (HOUR - SECOND, HOUR)] == [True, False]
    called_off = dataclasses.replace(one, ended_at=NINE - HOUR)
    assert not called_off.is_running(NINE)


async def test_a_time_on_call_ends_once() -> None:
    rotas, by = Rotas(), counsellor(HOUSE, role=Role.SUPERVISOR)
    kept = await plan(on_call(), rotas)
    await end_on_call(kept.id, by=by, now=NINE + HOUR, rotas=rotas, journal=Remembered())
    with pytest.raises(OnCallOver):
        await end_on_call(kept.id, by=by, now=NINE + 2 * HOUR, rotas=rotas, journal=Remembered())
    other = await plan(on_call(starts=NINE + DAY), rotas)
    with pytest.raises(OnCallOver):
        await end_on_call(other.id, by=by, now=other.ends_at, rotas=rotas, journal=Remembered())


def test_a_rota_says_when_nobody_is_on_call() -> None:
    until = NINE + 2 * DAY
    assert holes([], since=NINE, until=until) == [(NINE, until)]
    assert holes([on_call(starts=NINE - HOUR, hours=49)], since=NINE, until=until) == []
    first, second = on_call(hours=12), on_call(starts=NINE + 20 * HOUR, hours=4)
    called_off = on_call(starts=NINE + 13 * HOUR, ended_at=NINE)
    assert holes([second, called_off, first], since=NINE, until=until) == [
        (NINE + 12 * HOUR, NINE + 20 * HOUR),
        (NINE + DAY, until),
    ]
    assert holes([on_call(starts=until + HOUR)], since=NINE, until=until) == [(NINE, until)]


# Passing on.


def raised(**changes: Any) -> Escalation:
    fields: dict[str, Any] = {
        "id": EscalationId(new_id()),
        "client": ClientId(new_id()),
        "programme": HOUSE,
        "ground": Ground.OVERDOSE,
        "check_in": None,
        "said": "x",
        "raised_by": SAM,
        "raised_at": NINE,
        **changes,
    }
    return Escalation(**fields)


class Recipients:
    """Somebody on call, somebody who supervises, or nobody; and where it went."""

    def __init__(self, on_call: Sequence[StaffId] = (), supervisors: Sequence[StaffId] = ()) -> None:
        self._on_call = on_call
        self._supervisors = supervisors
        self.kept: dict[PassedTo, Passing] = {}

    async def on_call(self, escalation: Escalation, /) -> Sequence[StaffId]:
        return self._on_call

    async def supervisors(self, escalation: Escalation, /) -> Sequence[StaffId]:
        return self._supervisors

    async def add_passing(self, passing: Passing, /) -> bool:
        return self.kept.setdefault(passing.to, passing) is passing


async def passed(one: Escalation, to: Recipients, *, after: timedelta) -> list[PassedTo]:
    journal = Remembered()
    made = await pass_on(one, list(to.kept.values()), RULES, now=NINE + after, recipients=to, journal=journal)
    assert [event.facts["to"] for event in journal.events] == [each.to.value for each in made]
    assert all(event.client == one.client for event in journal.events)
    return [each.to for each in made]


async def test_it_goes_to_the_clinician_on_call_and_then_to_the_supervisors() -> None:
    one, to, kim = raised(), Recipients([SAM], [StaffId(new_id())]), StaffId(new_id())
    assert await passed(one, to, after=15 * MINUTE - SECOND) == []
    assert await passed(one, to, after=15 * MINUTE) == [PassedTo.ON_CALL]
    assert to.kept[PassedTo.ON_CALL].staff == (SAM,)
    assert to.kept[PassedTo.ON_CALL].rule == "us.escalating of US-1"
    assert await passed(one, to, after=30 * MINUTE - SECOND) == []
    assert await passed(one, to, after=30 * MINUTE) == [PassedTo.SUPERVISOR]
    assert await passed(one, to, after=3 * DAY) == []
    assert kim not in to.kept[PassedTo.SUPERVISOR].staff


async def test_with_nobody_on_call_the_supervisors_hear_of_it_at_once() -> None:
    to = Recipients([], [SAM])
    assert await passed(raised(), to, after=15 * MINUTE) == [PassedTo.ON_CALL, PassedTo.SUPERVISOR]
    assert (to.kept[PassedTo.ON_CALL].staff, to.kept[PassedTo.SUPERVISOR].staff) == ((), (SAM,))


async def test_a_job_that_stood_still_passes_it_to_both_in_their_turn() -> None:
    assert await passed(raised(), Recipients([SAM], [SAM]), after=DAY) == [PassedTo.ON_CALL, PassedTo.SUPERVISOR]


async def test_what_is_acknowledged_goes_nowhere_and_whoever_passes_second_passes_nothing() -> None:
    done = raised(acknowledged=Acknowledgement(doing="On my way.", by=SAM, at=NINE))
    assert due(done, (), RULES, now=NINE + DAY) is None
    to, one = Recipients([SAM]), raised()
    await passed(one, to, after=15 * MINUTE)
    journal = Remembered()
    assert await pass_on(one, (), RULES, now=NINE + 16 * MINUTE, recipients=to, journal=journal) == []
    assert journal.events == []


# Missed doses.


def due_to(missed: int, *, given: bool = False, home: ProgrammeId = HOUSE, client: ClientId | None = None) -> Any:
    """As far as anybody asks here what is due."""
    days = tuple(date(2026, 11, 22) - each * DAY for each in range(missed))[::-1]
    part = SimpleNamespace(part="whole", amount_mg=Decimal(60), given=object() if given else None)
    last = None if missed == 6 else SimpleNamespace(day=date(2026, 11, 22) - missed * DAY)
    without = SimpleNamespace(missed=days, last=last)
    return SimpleNamespace(
        client=client or ClientId(new_id()), home=home, due=SimpleNamespace(parts=[part], without=without)
    )


@pytest.mark.parametrize(
    ("missed", "given", "long"), [(2, False, False), (3, False, True), (9, False, True), (3, True, False)]
)
def test_three_missed_in_a_row_are_many_unless_the_client_came_today(*, missed: int, given: bool, long: bool) -> None:
    assert is_long(due_to(missed, given=given).due, RULES) is long


async def test_each_run_is_raised_once_with_what_is_known_of_it() -> None:
    known, never, guest = due_to(3), due_to(6), due_to(4, home=ProgrammeId(new_id()))
    twice = [due_to(4, client=known.client), known]
    found = runs(cast("Any", [*twice, never, guest]), HOUSE)
    assert [(each.client, len(each.missed)) for each in found] == [(known.client, 4), (never.client, 6)]
    assert found[0].says == "4 doses in a row were missed, from 2026-11-19 on; the last dose was taken on 2026-11-18."
    assert found[1].says.endswith("no dose was ever taken.")

    class Missed:
        kept: set[tuple[ClientId, date]] = set()  # noqa: RUF012  one test's own

        async def add_missed(self, escalation: Escalation, since: date, /) -> bool:
            key = (escalation.client, since)
            fresh = key not in self.kept
            self.kept.add(key)
            return fresh

    store, journal = Missed(), Remembered()

    async def again(those: Sequence[Run]) -> int:
        return await escalate_missed(those, HOUSE, by=counsellor(HOUSE), now=NINE, missed=store, journal=journal)

    assert (await again(found), await again(found)) == (2, 0)
    assert [(event.client, event.facts["ground"]) for event in journal.events] == [
        (known.client, "missed_doses"),
        (never.client, "missed_doses"),
    ]
