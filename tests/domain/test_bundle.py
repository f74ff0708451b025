"""Exports that are made beside the requests: how far they are, and when they can be fetched."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from caseload.domain.accesslog import LaidOpen, LogFilter, LogScope, Proof
from caseload.domain.bundle import KEPT_FOR, Bundle, BundleNotDone, BundleUnknown, Result, State, ask_for_bundle
from caseload.domain.ids import BundleId, StaffId, new_id

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WANTED = Proof(filter=LogFilter(), scope=LogScope(programmes=None), laid_open=LaidOpen.FACTS)


def a_bundle() -> Bundle:
    return Bundle(id=BundleId(new_id()), request=new_id(), wanted=WANTED, asked_by=StaffId(new_id()), asked_at=NOW)


@pytest.mark.parametrize(
    ("held_until", "result", "state"),
    [
        (None, None, State.WAITING),
        (NOW + SECOND, None, State.RUNNING),
        (NOW, None, State.WAITING),
        (NOW + SECOND, Result(at=NOW), State.DONE),
        (None, Result(at=NOW, problem="No."), State.FAILED),
    ],
)
def test_how_far_an_export_is(held_until: datetime | None, result: Result | None, state: State) -> None:
    bundle = replace(a_bundle(), held_until=held_until, result=result)
    assert bundle.state(NOW) is state
    if state is State.DONE:
        assert bundle.check_done(NOW) is result
    else:
        with pytest.raises(BundleNotDone, match=state.value):
            bundle.check_done(NOW)


def test_a_file_is_kept_for_a_day() -> None:
    bundle = replace(a_bundle(), result=Result(at=NOW))
    assert bundle.check_done(NOW + KEPT_FOR - SECOND)
    with pytest.raises(BundleUnknown):
        bundle.check_done(NOW + KEPT_FOR)


@dataclass
class Kept:
    bundles: list[Bundle] = field(default_factory=list[Bundle])

    async def add(self, new: Bundle) -> None:
        self.bundles.append(new)

    async def get(self, wanted: BundleId, *, by: StaffId) -> Bundle:
        raise AssertionError

    async def take(self, *, now: datetime) -> Bundle | None:
        raise AssertionError

    async def hold(self, held: Bundle, *, written: int, of: int, now: datetime) -> bool:
        raise AssertionError

    async def end(self, held: Bundle, result: Result) -> None:
        raise AssertionError


async def test_what_is_asked_for_is_kept_as_it_was_allowed() -> None:
    kept, by, request = Kept(), StaffId(new_id()), new_id()
    made = await ask_for_bundle(BundleId(new_id()), WANTED, request=request, by=by, now=NOW, bundles=kept)
    assert kept.bundles == [made]
    assert (made.asked_by, made.request, made.wanted, made.state(NOW)) == (by, request, WANTED, State.WAITING)
