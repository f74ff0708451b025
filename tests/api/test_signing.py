"""Signing over HTTP: fresh proof, two people, batches of what is routine, and signatures that stay (21 CFR part 11)."""

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import insert, select, text

from caseload.db.tables import people as tables
from caseload.domain.access import Role
from caseload.domain.ids import StaffId, new_id
from caseload.domain.people import SecondFactor
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import PASSWORD, Dispensary, dispensary, fresh
from tests.api.storeroom import storeroom
from tests.factories import people
from tests.factories.people import LONG_AGO

pytestmark = pytest.mark.anyio

REFUSED = "urn:caseload:problem:"


def batch(*doses: dict[str, Any], **said: Any) -> dict[str, Any]:
    named = [{"dose_id": each["id"], "version": each.get("version", 1)} for each in doses]
    return {"doses": named, "password": PASSWORD, **said}


async def given_to_another(here: Dispensary) -> dict[str, Any]:
    return (await here.give(await here.order(client=await here.another_client()))).json()


async def an_exception(here: Dispensary) -> dict[str, Any]:
    """A dose that was more than ordered: it happened, and is labelled."""
    order = await here.order()
    late = {"given_by": str(here.nurse.staff.id), "reason": "Entered from the paper sheet."}
    answer = await here.give(order, amount_mg="90", late=late)
    assert (answer.status_code, answer.json()["kind"]) == (201, "exception"), answer.text
    return answer.json()


async def test_whoever_gave_a_dose_cannot_countersign_it(clinic: Clinic) -> None:
    """Worked example 45: the record signed by nurse A, and A tries to countersign."""
    here = await dispensary(clinic)
    dose = (await here.give(await here.order())).json()
    own = await here.nurse.post("/dose-sign-offs", batch(dose))
    assert (own.status_code, own.json()["type"]) == (403, REFUSED + "own-dose")
    assert (await here.colleague.post("/dose-sign-offs", batch(dose))).status_code == 201


async def test_a_signed_dose_that_is_amended_keeps_both_versions_and_waits_again(clinic: Clinic) -> None:
    """Worked example 48: a signed dose of 60 mg is edited to 65 mg."""
    here = await dispensary(clinic)
    dose = (await here.give(await here.order())).json()
    signed = (await here.prescriber.post("/dose-sign-offs", batch(dose))).json()["signed"][0]
    assert (await here.nurse.get(f"/doses/{dose['id']}")).json()["standing"] == "signed"
    change = {
        "medicine": "methadone",
        "form": "oral_solution",
        "amount_mg": "65",
        "given_at": dose["given_at"],
        "supervised": True,
    }
    path, match = f"/doses/{dose['id']}/amendments", {"If-Match": '"1"'}
    for reason in ({}, {"reason": " "}):
        refused = await here.nurse.post(path, change | reason, headers=match, key=fresh())
        assert refused.status_code in {400, 422}, refused.text
    amended = await here.nurse.post(path, change | {"reason": "Misread."}, headers=match, key=fresh())
    assert amended.status_code == 201, amended.text
    now = (await here.nurse.get(f"/doses/{dose['id']}")).json()
    assert (now["amount_mg"], now["version"], now["standing"]) == ("65", 2, "waiting")
    versions = (await here.nurse.get(f"/doses/{dose['id']}/versions")).json()["items"]
    assert sorted((each["version"], each["amount_mg"]) for each in versions) == [(1, "60"), (2, "65")]
    old = next(each for each in versions if each["version"] == 1)
    assert old["reviewed"]["printed_name"] == signed["printed_name"], "the old one stays under the old version"
    stale = await here.prescriber.post("/dose-sign-offs", batch(dose))
    assert (stale.status_code, stale.json()["type"]) == (409, REFUSED + "dose-moved")
    assert (await here.prescriber.post("/dose-sign-offs", batch(now))).status_code == 201


async def test_a_live_session_is_no_signature_and_a_wrong_password_signs_nothing(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    dose = (await here.give(await here.order())).json()
    said = batch(dose)
    del said["password"]
    assert (await here.colleague.post("/dose-sign-offs", said)).status_code == 422
    wrong = await here.colleague.post("/dose-sign-offs", batch(dose, password="guess"))
    assert (wrong.status_code, wrong.json()["type"]) == (403, REFUSED + "wrong-password")
    assert (await here.nurse.get(f"/doses/{dose['id']}")).json()["standing"] == "waiting"


async def test_in_a_batch_what_is_no_routine_dose_is_refused_by_name_and_the_rest_is_signed(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    routine, another = await given_to_another(here), await given_to_another(here)
    odd = await an_exception(here)
    order = await here.draft()
    hold = await here.hold()
    key = fresh()
    said = batch(odd, routine, order, another, {"id": hold["id"], "version": 1})
    answer = await here.colleague.post("/dose-sign-offs", said, key=key)
    assert answer.status_code == 201, answer.text
    assert [each["dose_id"] for each in answer.json()["signed"]] == [routine["id"], another["id"]]
    assert [(each["dose_id"], each["type"]) for each in answer.json()["refused"]] == [
        (odd["id"], REFUSED + "signed-alone"),
        (order["id"], REFUSED + "dose-unknown"),
        (hold["id"], REFUSED + "dose-unknown"),
    ]
    assert (await here.colleague.post("/dose-sign-offs", said, key=key)).json() == answer.json()
    assert (await here.nurse.get(f"/orders/{order['id']}")).json()["signed_at"] is None
    alone = await here.colleague.post("/dose-sign-offs", batch(odd))
    assert alone.status_code == 201, "by itself, with its facts in view"


async def test_two_exceptions_together_are_both_refused_and_nothing_is_signed(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    odd = await an_exception(here)
    unknown = {"id": str(new_id())}
    answer = await here.colleague.post("/dose-sign-offs", batch(odd, unknown))
    assert (answer.json()["signed"], len(answer.json()["refused"])) == ([], 2)


async def test_a_batch_has_one_hundred_doses_at_most(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    for many, status in ((100, 201), (101, 422)):
        answer = await here.colleague.post("/dose-sign-offs", batch(*({"id": str(new_id())} for _ in range(many))))
        assert answer.status_code == status, answer.text
    assert (await here.colleague.post("/dose-sign-offs", batch())).status_code == 422


async def test_a_batch_names_each_dose_once(clinic: Clinic) -> None:
    """Whoever has two versions of a dose on two screens has read one of them at most."""
    here = await dispensary(clinic)
    dose = await given_to_another(here)
    answer = await here.colleague.post("/dose-sign-offs", batch(dose | {"version": 2}, dose))
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"field": "doses.1.dose_id", "problem": "name each dose once"}],
    )
    assert (await here.nurse.get(f"/doses/{dose['id']}")).json()["standing"] == "waiting"


async def test_of_an_amendment_and_a_batch_at_once_the_signature_lies_under_what_was_displayed(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    first, second = await given_to_another(here), await given_to_another(here)
    change = {
        "medicine": "methadone",
        "form": "oral_solution",
        "amount_mg": "55",
        "given_at": first["given_at"],
        "supervised": True,
        "reason": "Misread.",
    }
    amended, signed = await asyncio.gather(
        here.nurse.post(f"/doses/{first['id']}/amendments", change, headers={"If-Match": '"1"'}, key=fresh()),
        here.colleague.post("/dose-sign-offs", batch(first, second)),
    )
    assert (amended.status_code, signed.status_code) == (201, 201), (amended.text, signed.text)
    assert second["id"] in [each["dose_id"] for each in signed.json()["signed"]]
    assert (await here.nurse.get(f"/doses/{first['id']}")).json()["standing"] == "waiting", (
        "the new version is unsigned"
    )
    for each in signed.json()["signed"]:
        assert each["version"] == 1


async def test_an_expired_registration_cannot_sign_and_what_it_signed_stays(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    before, after = await given_to_another(here), await given_to_another(here)
    assert (await here.colleague.post("/dose-sign-offs", batch(before))).status_code == 201
    await expire(clinic, here.colleague.staff.id)
    refused = await here.colleague.post("/dose-sign-offs", batch(after))
    assert refused.status_code == 403, refused.text
    assert (await here.nurse.get(f"/doses/{before['id']}")).json()["standing"] == "signed"
    assert (await here.nurse.get(f"/doses/{after['id']}")).json()["standing"] == "waiting"


async def test_the_signatures_of_somebody_who_was_deactivated_stay_and_show_their_name(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    dose, next_one = await given_to_another(here), await given_to_another(here)
    assert (await here.colleague.post("/dose-sign-offs", batch(dose))).status_code == 201
    async with clinic.service.engine.begin() as connection:
        await connection.execute(
            insert(tables.staff_deactivation).values(
                staff_id=here.colleague.staff.id,
                deactivated_at=clinic.service.clock(),
                deactivated_by=await people.bystander(connection),
                reason="Left the clinic.",
            )
        )
    assert (await here.colleague.post("/dose-sign-offs", batch(next_one))).status_code == 401
    versions = (await here.nurse.get(f"/doses/{dose['id']}/versions")).json()["items"]
    assert versions[0]["standing"] == "signed"
    assert versions[0]["reviewed"]["printed_name"] == "Imran Shah"


async def test_the_queue_of_a_signer_shows_what_is_theirs_to_sign_with_deadline_and_lateness(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    routine, odd = await given_to_another(here), await an_exception(here)
    own = (await here.give(await here.order(client=await here.another_client()), by=here.colleague)).json()
    queue = (await here.colleague.get("/sign-off-queue")).json()
    assert [(line["dose"]["id"], line["risk"]) for line in queue["doses"]] == [
        (odd["id"], "exception"),
        (routine["id"], "routine"),
    ]
    assert own["id"] in [line["dose"]["id"] for line in (await here.prescriber.get("/sign-off-queue")).json()["doses"]]
    line = queue["doses"][1]
    deadline = datetime.fromisoformat(line["sign_by"]) - datetime.fromisoformat(routine["recorded_at"])
    assert (deadline, line["is_late"]) == (timedelta(hours=24), False)
    assert (queue["orders"], queue["holds"], queue["wastes"], queue["counts"], queue["next"]) == ([], [], [], [], None)
    page = (await here.colleague.get("/sign-off-queue?limit=1")).json()
    rest = (await here.colleague.get(f"/sign-off-queue?limit=1&after={page['next']}")).json()
    assert [each["doses"][0]["dose"]["id"] for each in (page, rest)] == [odd["id"], routine["id"]]
    stranger = await clinic.person((Role.COUNSELLOR, here.programme))
    theirs = (await stranger.get("/sign-off-queue")).json()
    assert {name: waits for name, waits in theirs.items() if waits} == {}, "a counsellor signs notes and no doses"
    desk = await clinic.person((Role.FRONT_DESK, here.programme))
    assert (await desk.get("/sign-off-queue")).status_code == 403


async def test_a_prescribers_queue_begins_with_the_orders_they_spoke(clinic: Clinic) -> None:
    here = await dispensary(clinic, profile="US", time_zone="America/New_York")
    said = {
        "prescriber": str(here.prescriber.staff.id),
        "read_back": True,
        "order": here.wish(amounts_mg={"whole": "30"}),
    }
    taken = await here.nurse.post(f"/clients/{here.client}/verbal-orders", said, key=fresh())
    assert taken.status_code == 201, taken.text
    (order,) = (await here.prescriber.get("/sign-off-queue")).json()["orders"]
    assert order["id"] == taken.json()["id"]
    another = await clinic.person((Role.PRESCRIBER, here.programme))
    assert (await another.get("/sign-off-queue")).json()["orders"] == [], "nobody else can countersign it"
    signed = await here.prescriber.post(f"/orders/{order['id']}/signature", {"password": PASSWORD})
    assert signed.status_code == 201, signed.text
    assert (await here.prescriber.get("/sign-off-queue")).json()["orders"] == []


async def test_a_prescribers_queue_has_the_orders_that_nobody_has_signed(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    later = await here.draft(starts_on=str(here.today + timedelta(days=3)))
    draft = await here.draft(client=await here.another_client())
    withdrawn = await here.draft(client=await here.another_client())
    await here.prescriber.post(f"/orders/{withdrawn['id']}/stop", {"reason": "Not now.", "password": PASSWORD})

    async def drafts(by: Person) -> list[str]:
        return [each["id"] for each in (await by.get("/sign-off-queue")).json()["drafts"]]

    assert await drafts(here.prescriber) == [draft["id"], later["id"]], "the first day first"
    assert await drafts(await clinic.person((Role.PRESCRIBER, here.programme))) == [draft["id"], later["id"]]
    assert await drafts(here.nurse) == []
    signed = await here.sign(draft)
    if signed.status_code == 409:
        signed = await here.sign(draft, *[each["rule"] for each in signed.json()["facts"]["rules"]])
    assert signed.status_code == 201, signed.text
    assert await drafts(here.prescriber) == [later["id"]]


async def test_a_prescribers_queue_has_the_holds_that_wait_for_their_decision(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    hold = await here.hold()
    assert [each["id"] for each in (await here.prescriber.get("/sign-off-queue")).json()["holds"]] == [hold["id"]]
    assert (await here.colleague.get("/sign-off-queue")).json()["holds"] == [], "a nurse decides on none"
    cleared = await here.prescriber.post(f"/holds/{hold['id']}/clearance", {"reason": "Alert.", "password": PASSWORD})
    assert cleared.status_code == 201, cleared.text
    assert (await here.prescriber.get("/sign-off-queue")).json()["holds"] == []
    signed = await here.nurse.get(f"/decisions/{cleared.json()['id']}/signatures")
    assert [each["printed_name"] for each in signed.json()["items"]] == ["Dr Ada Osei"]


async def test_every_signature_is_shown_with_name_time_and_meaning_and_can_be_verified_by_anybody(
    clinic: Clinic,
) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    dose = (await here.give(order)).json()
    await here.colleague.post("/dose-sign-offs", batch(dose, meaning="witnessed"))
    (shown,) = (await here.nurse.get(f"/doses/{dose['id']}/signatures")).json()["items"]
    assert (shown["printed_name"], shown["role"], shown["meaning"], shown["version"]) == (
        "Imran Shah",
        "nurse",
        "witnessed",
        1,
    )
    assert shown["registration"].startswith("NMC ")
    assert shown["signed_at"] == (await here.nurse.get(f"/doses/{dose['id']}")).json()["reviewed"]["at"]
    said = shown["signed"].encode()
    assert sha256(said).hexdigest() == shown["digest"]
    key = Ed25519PublicKey.from_public_bytes(clinic.service.seals.numbered(shown["seal_key"]).public)
    key.verify(b64decode(shown["seal"]), said)
    content = json.loads(said)["subject"]["content"]
    assert (content["amount_mg"], content["client"]) == ("60.000", str(here.client))
    corrected = await here.colleague.post(
        f"/doses/{dose['id']}/correction",
        {"reason": "It fell.", "password": PASSWORD},
        headers={"If-Match": '"1"'},
        key=fresh(),
    )
    assert corrected.status_code == 201, corrected.text
    both = (await here.nurse.get(f"/doses/{dose['id']}/signatures")).json()["items"]
    assert [each["kind"] for each in both] == ["dose", "dose_correction"]
    await here.prescriber.post(f"/orders/{order['id']}/stop", {"reason": "Moves away.", "password": PASSWORD})
    under = (await here.nurse.get(f"/orders/{order['id']}/signatures")).json()["items"]
    assert [(each["kind"], each["meaning"]) for each in under] == [("order", "authored"), ("order_stop", "authored")]
    stranger = await clinic.person((Role.NURSE, await clinic.programme()))
    for path in (f"/orders/{order['id']}/signatures", f"/doses/{dose['id']}/signatures"):
        assert (await stranger.get(path)).status_code == 404


async def test_the_witness_of_what_is_gone_is_never_who_handled_it_and_finds_it_in_their_queue(clinic: Clinic) -> None:
    """Worked example 51: both witnesses are user 7. Two different people are needed (21 CFR 1317.95(d))."""
    store = await storeroom(clinic)
    bottle = await store.open_bottle()
    waste = await store.waste(bottle, "5", kind="spill")
    count = (await store.count(bottle, "995")).json()

    async def waits_for(by: Person) -> tuple[list[str], list[str]]:
        queue = (await by.get("/sign-off-queue")).json()
        return [each["id"] for each in queue["wastes"]], [each["id"] for each in queue["counts"]]

    assert await waits_for(store.here.nurse) == ([], []), "their own"
    assert await waits_for(store.here.colleague) == ([waste["id"]], [count["id"]])
    own = await store.witness(waste, by=store.here.nurse)
    assert (own.status_code, own.json()["type"]) == (403, REFUSED + "own-waste")
    assert (await store.confirm(count, by=store.here.nurse)).status_code == 403
    assert (await store.witness(waste)).status_code == 201
    assert (await store.confirm(count)).status_code == 201
    gone = (await store.here.nurse.get(f"/stock-wastes/{waste['id']}/signatures")).json()["items"]
    assert [(each["printed_name"], each["meaning"]) for each in gone] == [("Imran Shah", "witnessed")]
    counted = (await store.here.nurse.get(f"/stock-counts/{count['id']}/signatures")).json()["items"]
    assert [each["meaning"] for each in counted] == ["authored", "witnessed"]
    assert await waits_for(store.here.colleague) == ([], [])


@dataclass
class Codes:
    """A second factor for tests: a list of codes, each good once, for those who have set it up."""

    of: StaffId
    codes: set[str] = field(default_factory=lambda: {"111111", "222222"})

    @property
    def name(self) -> str:
        return "code"

    async def is_set_up_for(self, staff: StaffId) -> bool:
        return staff == self.of

    async def fits(self, staff: StaffId, answer: str, *, now: datetime) -> bool:
        assert staff == self.of
        assert now > LONG_AGO
        fits = answer in self.codes
        self.codes.discard(answer)
        return fits


@asynccontextmanager
async def with_codes(clinic: Clinic, of: Person) -> AsyncGenerator[None]:
    """Somebody has a second factor, for a while."""
    factors: tuple[SecondFactor, ...] = (Codes(of=of.staff.id),)
    object.__setattr__(clinic.service, "second_factors", factors)
    try:
        yield
    finally:
        object.__setattr__(clinic.service, "second_factors", ())


async def test_the_first_signing_of_a_session_needs_every_proof_and_a_later_one_the_password(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    first, second, third = [await given_to_another(here) for _ in range(3)]
    async with with_codes(clinic, here.colleague):
        missing = await here.colleague.post("/dose-sign-offs", batch(first))
        assert (missing.status_code, missing.json()["type"]) == (403, REFUSED + "proof-incomplete")
        assert missing.json()["facts"]["missing"] == ["code"]
        wrong = await here.colleague.post("/dose-sign-offs", batch(first, second_factor="000000"))
        assert (wrong.status_code, wrong.json()["type"]) == (403, REFUSED + "wrong-password"), "which one is not said"
        own = await here.colleague.post(
            "/dose-sign-offs", batch({"id": first["id"], "version": 9}, second_factor="111111")
        )
        assert own.status_code == 409
        again = await here.colleague.post("/dose-sign-offs", batch(first))
        assert again.status_code == 403, "nothing was signed, so the next is the first"
        signed = await here.colleague.post("/dose-sign-offs", batch(first, second_factor="222222"))
        assert signed.status_code == 201, signed.text
        assert (await here.colleague.post("/dose-sign-offs", batch(second))).status_code == 201
        others = await here.prescriber.post("/dose-sign-offs", batch(third))
        assert others.status_code == 201, "their account has no second factor"
    assert await methods_of(clinic, first, second) == [["password", "code"], ["password"]]


async def methods_of(clinic: Clinic, *doses: dict[str, Any]) -> list[list[str]]:
    """How whoever signed had proved themselves."""
    statement = text("select methods from clinic.signature where subject_id = :dose")
    async with clinic.service.engine.connect() as connection:
        return [(await connection.execute(statement, {"dose": each["id"]})).scalar_one() for each in doses]


async def expire(clinic: Clinic, staff: StaffId) -> None:
    """A check of somebody's registrations that finds them expired yesterday."""
    async with clinic.service.engine.begin() as connection:
        found = (
            await connection.execute(select(tables.registration.c.id).where(tables.registration.c.staff_id == staff))
        ).scalars()
        for each in found:
            await connection.execute(
                insert(tables.registration_check).values(
                    registration_id=each,
                    number=2,
                    staff_id=staff,
                    expires_on=date(2020, 1, 2),
                    checked_at=clinic.service.clock(),
                    checked_by=await people.bystander(connection),
                )
            )
