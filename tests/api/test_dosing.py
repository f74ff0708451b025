"""A morning at the window over HTTP."""

from typing import Any

import pytest

from tests.api.conftest import Clinic
from tests.api.dispensary import PASSWORD, dispensary, fresh

pytestmark = pytest.mark.anyio


def rules(answer: Any) -> list[str]:
    return [each["rule"] for each in answer.json()["facts"]["rules"]]


async def test_a_nurse_gives_a_dose_and_the_prescriber_signs_for_it(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    given = await here.give(order)
    assert given.status_code == 201, given.text
    dose = given.json()
    assert (dose["amount_mg"], dose["kind"], dose["standing"]) == ("60", "ordinary", "waiting")
    waiting = await here.prescriber.get(f"/programmes/{here.programme}/doses/waiting")
    assert [line["dose"]["id"] for line in waiting.json()["items"]] == [dose["id"]]
    signed = await here.prescriber.post(
        "/dose-sign-offs", {"doses": [{"dose_id": dose["id"], "version": 1}], "password": PASSWORD}
    )
    assert signed.status_code == 201, signed.text
    assert signed.json()["signed"][0]["printed_name"] == "Dr Ada Osei"
    read = (await here.nurse.get(f"/doses/{dose['id']}")).json()
    assert (read["standing"], read["reviewed"]["meaning"]) == ("signed", "reviewed")


async def test_recording_a_dose_needs_an_idempotency_key(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    answer = await here.nurse.post(
        f"/clients/{here.client}/doses",
        {"order_id": order["id"], "medicine": "methadone", "form": "oral_solution", "amount_mg": "60"},
    )
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:caseload:problem:key-missing"


async def test_a_retry_with_the_same_key_gets_the_first_answer_and_no_second_dose(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    key = fresh()
    first, again = await here.give(order, key=key), await here.give(order, key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


async def test_another_key_is_refused_and_says_who_gave_it_when(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    first = (await here.give(order)).json()
    second = await here.give(order, by=here.colleague)
    assert second.status_code == 409
    assert rules(second) == ["already_given"]
    facts = second.json()["facts"]["rules"][0]["facts"]
    assert (facts["dose"], facts["given_by"]) == (first["id"], "Nora Quill")
