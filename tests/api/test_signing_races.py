"""Signing while something else is under way: what was displayed is signed, or refused by name, and nothing else ever is."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from caseload.api.dosing.store import charts
from caseload.db.signed import SignedRecords
from caseload.db.signoff import SignOffs
from caseload.domain.dosing import Amendment, amend, correct_as_not_given
from caseload.domain.ids import CorrectionId, DoseId, new_id
from caseload.domain.medicines import Form, Medicine
from caseload.domain.people import Proof
from caseload.domain.signature import Meaning
from caseload.domain.signature.verifying import verify
from caseload.domain.signoff import reject, sign_off
from caseload.request.work import Work
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import Dispensary, dispensary, fresh
from tests.api.test_signing import REFUSED, batch, given_to_another

pytestmark = pytest.mark.anyio

A_WHILE = 0.3
"""Seconds in which whatever waits for nobody has long been answered."""
Meanwhile = Callable[[Work, dict[str, Any]], Awaitable[object]]


def proof(work: Work) -> Proof:
    return Proof(staff=work.by.id, at=work.now, methods=("password",), sealing=work.service.seals.newest())


def sign_offs(work: Work) -> SignOffs:
    return SignOffs(work.connection, work.journal, now=work.now)


async def is_amended(work: Work, dose: dict[str, Any]) -> object:
    said = Amendment(
        medicine=Medicine.METHADONE,
        form=Form.ORAL_SOLUTION,
        amount_mg=Decimal(55),
        given_at=datetime.fromisoformat(dose["given_at"]),
        supervised=True,
        reason="Misread.",
    )
    wanted = DoseId(UUID(dose["id"]))
    return await amend(wanted, 1, said, by=work.by, now=work.now, doses=charts(work), journal=work.journal)


async def is_corrected(work: Work, dose: dict[str, Any]) -> object:
    return await correct_as_not_given(
        DoseId(UUID(dose["id"])),
        1,
        "It fell.",
        as_id=CorrectionId(new_id()),
        by=work.by,
        proof=proof(work),
        now=work.now,
        doses=charts(work),
        journal=work.journal,
    )


async def is_sent_back(work: Work, dose: dict[str, Any]) -> object:
    wanted = DoseId(UUID(dose["id"]))
    return await reject(
        wanted, 1, "Which bottle?", by=work.by, now=work.now, sign_offs=sign_offs(work), journal=work.journal
    )


async def is_signed(work: Work, dose: dict[str, Any]) -> object:
    ended = await sign_off(
        {DoseId(UUID(dose["id"])): 1},
        by=work.by,
        proof=proof(work),
        meaning=Meaning.REVIEWED,
        now=work.now,
        sign_offs=sign_offs(work),
        journal=work.journal,
    )
    assert not ended.refused, ended.refused
    return ended


async def under_way(
    clinic: Clinic, by: Person, meanwhile: Meanwhile, dose: dict[str, Any], then: Awaitable[Any]
) -> Any:
    """Do something, and before it is committed begin something else, which waits for it."""
    async with clinic.service.work(by=replace(by.staff, registration="NMC 1"), event="dose.race") as work:
        await meanwhile(work, dose)
        waiting = asyncio.ensure_future(then)
        await asyncio.sleep(A_WHILE)
        assert not waiting.done(), "it waits for what is under way"
    return await waiting


async def nothing_covers_anything_else(clinic: Clinic, *doses: dict[str, Any]) -> None:
    """Of these: other tests move what was signed into the past, as the owner of the database only can."""
    async with clinic.service.engine.connect() as connection:
        found = await verify(SignedRecords(connection), clinic.service.seals.is_good, progress=lambda _: None)
    assert not {str(each.record) for each in found.failed} & {each["id"] for each in doses}, found.failed


@pytest.mark.parametrize(
    ("meanwhile", "standing"),
    [(is_amended, "waiting"), (is_corrected, "not_given"), (is_sent_back, "sent_back"), (is_signed, "signed")],
)
async def test_of_a_batch_what_changes_between_display_and_signing_is_refused_by_name_and_the_rest_is_signed(
    clinic: Clinic, meanwhile: Meanwhile, standing: str
) -> None:
    here = await dispensary(clinic)
    first, second = await given_to_another(here), await given_to_another(here)
    by = here.nurse if meanwhile is is_amended else here.prescriber
    answer = await under_way(clinic, by, meanwhile, first, here.colleague.post("/dose-sign-offs", batch(first, second)))
    assert answer.status_code == 201, answer.text
    assert [each["dose_id"] for each in answer.json()["signed"]] == [second["id"]]
    [refused] = answer.json()["refused"]
    assert (refused["dose_id"], refused["type"]) == (first["id"], REFUSED + "dose-moved")
    assert (await here.nurse.get(f"/doses/{first['id']}")).json()["standing"] == standing
    signers = [each["printed_name"] for each in await signatures(here, first)]
    assert signers == ({"signed": ["Dr Ada Osei"], "not_given": ["Dr Ada Osei"]}.get(standing, []))
    await nothing_covers_anything_else(clinic, first, second)


async def test_what_is_amended_while_it_is_being_signed_keeps_the_signature_under_the_old_version(
    clinic: Clinic,
) -> None:
    here = await dispensary(clinic)
    dose = await given_to_another(here)
    said = {
        "medicine": "methadone",
        "form": "oral_solution",
        "amount_mg": "55",
        "given_at": dose["given_at"],
        "supervised": True,
        "reason": "Misread.",
    }
    path = f"/doses/{dose['id']}/amendments"
    answer = await under_way(
        clinic, here.prescriber, is_signed, dose, here.nurse.post(path, said, headers={"If-Match": '"1"'}, key=fresh())
    )
    assert answer.status_code == 201, answer.text
    now = (await here.nurse.get(f"/doses/{dose['id']}")).json()
    assert (now["version"], now["amount_mg"], now["standing"]) == (2, "55", "waiting")
    [under] = await signatures(here, dose)
    assert under["version"] == 1
    await nothing_covers_anything_else(clinic, dose)


async def signatures(here: Dispensary, dose: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await here.nurse.get(f"/doses/{dose['id']}/signatures")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_two_who_sign_the_same_doses_in_another_order_sign_each_once(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    doses = [await given_to_another(here) for _ in range(6)]
    answers = await asyncio.gather(
        here.colleague.post("/dose-sign-offs", batch(*doses)),
        here.prescriber.post("/dose-sign-offs", batch(*reversed(doses))),
    )
    assert [each.status_code for each in answers if each.status_code not in {201, 409}] == []
    for dose in doses:
        assert len(await signatures(here, dose)) == 1
    await nothing_covers_anything_else(clinic, *doses)
