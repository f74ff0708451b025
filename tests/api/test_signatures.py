"""Signatures as they are shown: under whatever can be signed, to whoever may see it, and to nobody else."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest

from caseload.domain.access import Role
from caseload.domain.ids import new_id
from caseload.domain.signature import Subject
from tests.api import test_departure, test_window_lost
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import PASSWORD, dispensary, fresh
from tests.api.homes import begun
from tests.api.storeroom import storeroom
from tests.api.test_signing import batch, given_to_another

pytestmark = pytest.mark.anyio

ADA, IMRAN, NORA = "Dr Ada Osei", "Imran Shah", "Nora Quill"


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A record that was signed, and who should be shown what under it."""

    path: str
    reader: Person
    """Who may see it and did not sign it."""
    before: list[dict[str, Any]]
    """What stood under it before anybody had signed."""
    blind: Person | None = None
    """Somebody of the same programme whose role does not let them see it."""


async def shown(reader: Person, path: str) -> list[dict[str, Any]]:
    answer = await reader.get(f"{path}/signatures")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def an_order(clinic: Clinic) -> Signed:
    here = await dispensary(clinic)
    drafted = await here.draft()
    path = f"/orders/{drafted['id']}"
    before = await shown(here.nurse, path)
    confirmed = (await here.sign(drafted)).json().get("facts", {}).get("rules", [])
    if confirmed:
        assert (await here.sign(drafted, *(each["rule"] for each in confirmed))).status_code == 201
    stopped = await here.prescriber.post(f"{path}/stop", {"reason": "Moves away.", "password": PASSWORD})
    assert stopped.status_code == 201, stopped.text
    return Signed(
        path=path, reader=here.nurse, before=before, blind=await clinic.person((Role.FRONT_DESK, here.programme))
    )


async def a_hold(clinic: Clinic) -> Signed:
    here = await dispensary(clinic)
    hold = await here.hold()
    path = f"/holds/{hold['id']}"
    before = await shown(here.nurse, path)
    cleared = await here.prescriber.post(f"{path}/clearance", {"reason": "Alert.", "password": PASSWORD})
    assert cleared.status_code == 201, cleared.text
    assert await shown(here.nurse, f"/decisions/{cleared.json()['id']}") == await shown(here.nurse, path)
    return Signed(
        path=path, reader=here.nurse, before=before, blind=await clinic.person((Role.INSPECTOR, here.programme))
    )


async def a_dose(clinic: Clinic) -> Signed:
    here = await dispensary(clinic)
    dose = await given_to_another(here)
    path = f"/doses/{dose['id']}"
    before = await shown(here.nurse, path)
    assert (await here.colleague.post("/dose-sign-offs", batch(dose))).status_code == 201
    said, match = {"reason": "It fell.", "password": PASSWORD}, {"If-Match": '"1"'}
    assert (await here.colleague.post(f"{path}/correction", said, headers=match, key=fresh())).status_code == 201
    return Signed(path=path, reader=here.nurse, before=before)


async def a_replacement_decision(clinic: Clinic) -> Signed:
    here = await dispensary(clinic)
    dose = await test_window_lost.given(here)
    await test_window_lost.vomited(here, dose)
    decided = await test_window_lost.decide(here, dose)
    assert decided.status_code == 201, decided.text
    assert await shown(here.nurse, f"/doses/{dose['id']}") == [], "the dose is another record"
    return Signed(path=f"/replacement-decisions/{decided.json()['id']}", reader=here.nurse, before=[])


async def a_spill(clinic: Clinic) -> Signed:
    here = await dispensary(clinic)
    made = (await test_window_lost.spill(here, await here.order())).json()
    path = f"/spills/{made['id']}"
    before = await shown(here.nurse, path)
    assert (await here.colleague.post(f"{path}/witness", {"password": PASSWORD})).status_code == 201
    return Signed(path=path, reader=here.nurse, before=before)


async def a_take_home_decision(clinic: Clinic) -> Signed:
    made, _ = await begun(clinic)
    decision = await made.may_take(6)
    path = f"/take-home-decisions/{decision['id']}"
    before = (await shown(made.here.nurse, path))[1:]
    assert (await made.suspend(decision)).status_code == 201
    return Signed(path=path, reader=made.here.nurse, before=before)


async def a_discharge(clinic: Clinic) -> Signed:
    here, counsellor = await test_departure.in_care(clinic)
    await here.order()
    path = f"/discharges/{await test_departure.waiting(here, counsellor)}"
    before = await shown(counsellor, path)
    assert (await test_departure.decide(here, path.rsplit("/", 1)[1], "stop")).status_code == 201
    # Whoever has left is no longer on the counsellor's caseload.
    return Signed(path=path, reader=here.prescriber, before=before, blind=here.nurse)


async def a_waste(clinic: Clinic) -> Signed:
    store = await storeroom(clinic)
    waste = await store.waste(await store.open_bottle())
    path = f"/stock-wastes/{waste['id']}"
    before = await shown(store.here.nurse, path)
    assert (await store.witness(waste)).status_code == 201
    return Signed(path=path, reader=store.here.nurse, before=before)


async def a_count(clinic: Clinic) -> Signed:
    store = await storeroom(clinic)
    count = (await store.count(await store.open_bottle(), "1000")).json()
    path = f"/stock-counts/{count['id']}"
    before = (await shown(store.here.nurse, path))[1:]
    assert (await store.confirm(count)).status_code == 201
    return Signed(path=path, reader=store.here.nurse, before=before)


SHOWN: Final[dict[Callable[[Clinic], Awaitable[Signed]], list[tuple[Subject, str, str]]]] = {
    an_order: [(Subject.ORDER, "authored", ADA), (Subject.ORDER_STOP, "authored", ADA)],
    a_hold: [(Subject.DECISION, "approved", ADA)],
    a_dose: [(Subject.DOSE, "reviewed", IMRAN), (Subject.DOSE_CORRECTION, "witnessed", IMRAN)],
    a_replacement_decision: [(Subject.DOSE_REPLACEMENT, "approved", ADA)],
    a_spill: [(Subject.DOSE_SPILL, "witnessed", IMRAN)],
    a_take_home_decision: [
        (Subject.TAKE_HOME_DECISION, "approved", ADA),
        (Subject.TAKE_HOME_SUSPENSION, "approved", ADA),
    ],
    a_discharge: [(Subject.DISCHARGE, "authored", ADA)],
    a_waste: [(Subject.STOCK_WASTE, "witnessed", IMRAN)],
    a_count: [(Subject.STOCK_COUNT, "authored", NORA), (Subject.STOCK_COUNT, "witnessed", IMRAN)],
}
"""How each record is made and signed, and what is then shown under it."""


@pytest.mark.parametrize("made", SHOWN, ids=lambda each: each.__name__)
async def test_under_whatever_is_signed_stands_who_signed_it_for_those_who_may_see_it(
    clinic: Clinic, made: Callable[[Clinic], Awaitable[Signed]]
) -> None:
    signed = await made(clinic)
    assert signed.before == [], "nobody had signed yet"
    under = await shown(signed.reader, signed.path)
    assert [(each["kind"], each["meaning"], each["printed_name"]) for each in under] == SHOWN[made]
    for each in under:
        assert each["registration"]
        assert each["proved_by"] == ["password"]
        assert each["seal"], "the service's own seal lies over it"
    stranger = await clinic.person((Role.PRESCRIBER, await clinic.programme()))
    assert (await stranger.get(f"{signed.path}/signatures")).status_code == 404
    kind, _ = signed.path.rsplit("/", 1)
    assert (await signed.reader.get(f"{kind}/{new_id()}/signatures")).status_code == 404
    if signed.blind is not None:
        assert (await signed.blind.get(f"{signed.path}/signatures")).status_code == 403


def test_every_kind_that_can_be_signed_is_shown() -> None:
    shown = {kind for under in SHOWN.values() for kind, _, _ in under}
    assert shown == set(Subject) - {Subject.SESSION_NOTE}, (
        "a note has rights of its own, which test_note.py goes through"
    )
