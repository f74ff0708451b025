"""Who may sign at all: nobody whose registration has expired, nobody who has left, and their signatures stay."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from caseload.db.tables import people as tables
from caseload.domain.access import Role
from caseload.domain.ids import StaffId
from tests.api import test_window_lost
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import PASSWORD, Dispensary, fresh
from tests.api.homes import MET
from tests.api.storeroom import Storeroom, storeroom
from tests.api.test_departure import admit, waiting
from tests.api.test_signing import REFUSED, batch, expire, given_to_another
from tests.factories import people

pytestmark = pytest.mark.anyio

Requests = list[tuple[Person, str, dict[str, Any]]]
Ending = Callable[[Clinic, StaffId], Awaitable[None]]
ONE = {"If-Match": '"1"'}
SIGN = {"password": PASSWORD}
BECAUSE = {"password": PASSWORD, "reason": "Seen, and meant."}


async def leave(clinic: Clinic, staff: StaffId) -> None:
    """The account is closed."""
    async with clinic.service.engine.begin() as connection:
        await connection.execute(
            insert(tables.staff_deactivation).values(
                staff_id=staff,
                deactivated_at=clinic.service.clock(),
                deactivated_by=await people.bystander(connection),
                reason="Left the clinic.",
            )
        )


async def everything_that_is_signed(clinic: Clinic, store: Storeroom) -> Requests:
    """A request for every signature there is, each of which would be made."""
    here, nurse, prescriber = store.here, store.here.colleague, store.here.prescriber
    bottle = await store.open_bottle()
    vomited, spilled = await lost(here, bottle)
    counted = (await store.count(bottle, str(await store.balance(bottle)))).json()
    routine = await given_to_another(here)
    counsellor = await clinic.person((Role.COUNSELLOR, here.programme))
    await admit(here, counsellor)
    leaving = await waiting(here, counsellor)
    hold, client = await here.hold(), f"/clients/{here.client}"
    draft = await here.draft(client=await here.another_client())
    decision = {"medicine": "methadone", "days": 1, "answers": MET, "rationale": "Steady.", **SIGN}
    review = {"review_on": str(here.today + timedelta(days=30))}
    decided = (await prescriber.post(f"{client}/take-home-decisions", decision | review)).json()
    replaced = {"verdict": "replace", "at_most_mg": "30", **BECAUSE}
    [order] = [each for each in (await here.chart())["orders"] if each["standing"] == "in_force"]
    return [
        (prescriber, f"/orders/{draft['id']}/signature", SIGN),
        (prescriber, f"/orders/{order['id']}/stop", BECAUSE),
        (prescriber, f"/holds/{hold['id']}/clearance", BECAUSE),
        (prescriber, f"{client}/dosing-decisions", {"days": [str(here.today)], **BECAUSE}),
        (prescriber, f"{client}/take-home-decisions", decision | review),
        (prescriber, f"/take-home-decisions/{decided['id']}/suspension", review | BECAUSE),
        (prescriber, f"/doses/{vomited}/replacement-decisions", replaced),
        (prescriber, f"/discharges/{leaving}/decision", {"fate": "stop", **BECAUSE}),
        (nurse, "/dose-sign-offs", batch(routine)),
        (nurse, f"/doses/{routine['id']}/correction", BECAUSE),
        (nurse, f"/spills/{spilled}/witness", SIGN),
        (nurse, f"/stock-wastes/{(await store.waste(bottle))['id']}/witness", SIGN),
        (nurse, f"/stock-containers/{bottle}/counts", {"counted_mg": "935", **SIGN}),
        (nurse, f"/stock-counts/{counted['id']}/confirmation", SIGN),
    ]


async def lost(here: Dispensary, bottle: str) -> tuple[str, str]:
    """A dose that came back, and medicine that was spilled."""
    dose = await test_window_lost.given(here)
    await test_window_lost.vomited(here, dose)
    other = await here.another_client()
    order = await here.order(client=other)
    said = {"order_id": order["id"], "amount_mg": "60", "reason": "The cup fell.", "container_id": bottle}
    spilled = await here.nurse.post(f"/clients/{other}/spills", said)
    assert spilled.status_code == 201, spilled.text
    return dose["id"], spilled.json()["id"]


async def signed_by(clinic: Clinic, *signers: Person) -> int:
    statement = text("select count(*) from clinic.signature where signer_id = any(:signers)")
    async with clinic.service.engine.connect() as connection:
        found = await connection.execute(statement, {"signers": [each.staff.id for each in signers]})
        return found.scalar_one()


@pytest.mark.parametrize(
    ("ending", "status", "problem"), [(expire, 403, "registration-expired"), (leave, 401, "session-over")]
)
async def test_whose_registration_has_expired_or_who_has_left_signs_nothing_and_what_they_signed_stays(
    clinic: Clinic, ending: Ending, status: int, problem: str
) -> None:
    store = await storeroom(clinic)
    requests = await everything_that_is_signed(clinic, store)
    signers = (store.here.colleague, store.here.prescriber)
    before = await signed_by(clinic, *signers)
    assert before > 0
    for signer in signers:
        await ending(clinic, signer.staff.id)
    for by, path, said in requests:
        refused = await by.post(path, said, headers=ONE, key=fresh())
        assert (refused.status_code, refused.json()["type"]) == (status, REFUSED + problem), f"{path}: {refused.text}"
    assert await signed_by(clinic, *signers) == before


async def test_who_could_do_it_yesterday_is_told_which_registration_ended_and_what_to_do(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    await expire(clinic, store.here.nurse.staff.id)
    refused = await store.here.nurse.get(f"/clients/{store.here.client}/medication")
    assert (refused.status_code, refused.json()["type"]) == (403, REFUSED + "registration-expired")
    assert refused.json()["facts"] == {"expires_on": "2020-01-02"}
    assert refused.json()["detail"].startswith("NMC ")
    assert refused.json()["detail"].endswith("held until 2020-01-02. Ask the administrator to record its new expiry.")
    another = await store.here.nurse.get("/audit/entries")
    assert another.json()["type"] == REFUSED + "not-permitted", "no registration would let them"
