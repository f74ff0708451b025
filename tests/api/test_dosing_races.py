"""Many hands at one window: whatever arrives at the same moment, at most one dose is given."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from caseload.db.dosing.taken import is_taken
from caseload.db.tables.dosing import dose
from caseload.db.tables.second_look import dose_review
from caseload.domain.access import Role
from caseload.domain.ids import ClientId
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import PASSWORD, Dispensary, dispensary, fresh, give_password
from tests.conftest import Counts

pytestmark = pytest.mark.anyio

ATTEMPTS = 64
NURSES = 12


@pytest.fixture
def rounds(counts: Counts) -> range:
    """How often each race is run."""
    return range(counts(2, full=50))


async def nurses(clinic: Clinic, here: Dispensary) -> list[Person]:
    others = [
        await clinic.person((Role.NURSE, here.programme), printed_name=f"Nurse {number}")
        for number in range(NURSES - 2)
    ]
    return [here.nurse, here.colleague, *others]


async def doses_of(clinic: Clinic, client: ClientId | str) -> int:
    async with clinic.service.engine.connect() as connection:
        counted = select(func.count()).select_from(dose).where(dose.c.client_id == client, dose.c.version == 1)
        return (await connection.execute(counted)).scalar_one()


def rules(answer: httpx.Response) -> list[str]:
    return [each["rule"] for each in answer.json()["facts"].get("rules", [])]


async def test_twelve_nurses_at_once_give_one_dose_and_the_others_learn_who_gave_it(
    clinic: Clinic, rounds: range
) -> None:
    here = await dispensary(clinic)
    people = await nurses(clinic, here)
    for _ in rounds:
        order = await here.order(client=await here.another_client())
        answers = await asyncio.gather(*(here.give(order, by=people[number % NURSES]) for number in range(ATTEMPTS)))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: ATTEMPTS - 1}
        winner = next(answer for answer in answers if answer.status_code == 201).json()
        for answer in answers:
            if answer.status_code == 409:
                assert rules(answer) == ["already_given"]
                facts = answer.json()["facts"]["rules"][0]["facts"]
                assert (facts["dose"], facts["given_at"][:19]) == (winner["id"], winner["given_at"][:19])
                assert facts["given_by"].startswith(("Nurse", "Nora", "Imran"))
        assert await doses_of(clinic, order["client_id"]) == 1


async def test_a_hold_that_was_committed_wins_over_every_dose_that_comes_after(clinic: Clinic, rounds: range) -> None:
    here = await dispensary(clinic)
    for _ in rounds:
        client = await here.another_client()
        order = await here.order(client=client)

        async def hold(held: ClientId = client) -> httpx.Response:
            return await here.colleague.post(f"/clients/{held}/holds", {"reason": "intoxication"})

        raised, *answers = await asyncio.gather(hold(), *(here.give(order) for _ in range(ATTEMPTS // 2)))
        after = await asyncio.gather(*(here.give(order) for _ in range(4)))
        assert raised.status_code == 201
        given = [answer for answer in answers if answer.status_code == 201]
        assert len(given) == await doses_of(clinic, client) <= 1
        for answer in answers:
            if answer.status_code != 201:
                assert answer.status_code == 409
                assert set(rules(answer)) <= {"already_given", "client_held"}
        assert all(answer.status_code == 409 and "client_held" in rules(answer) for answer in after)


async def test_a_stop_that_was_committed_wins_over_every_dose_that_comes_after(clinic: Clinic, rounds: range) -> None:
    here = await dispensary(clinic)
    for _ in rounds:
        client = await here.another_client()
        order = await here.order(client=client)

        async def stop(stopped: dict[str, Any] = order) -> httpx.Response:
            said = {"reason": "Side effects.", "password": PASSWORD}
            return await here.prescriber.post(f"/orders/{stopped['id']}/stop", said)

        ended, *answers = await asyncio.gather(stop(), *(here.give(order) for _ in range(ATTEMPTS // 2)))
        after = await asyncio.gather(*(here.give(order) for _ in range(4)))
        assert ended.status_code == 201
        assert sum(answer.status_code == 201 for answer in answers) == await doses_of(clinic, client) <= 1
        refusals = {answer.json()["type"].rpartition(":")[2] for answer in answers if answer.status_code != 201}
        assert refusals <= {"dose-refused", "order-changed"}
        assert {answer.json()["type"] for answer in after} == {"urn:caseload:problem:order-changed"}


async def test_a_retry_that_overtakes_its_first_can_never_double_a_dose(clinic: Clinic, rounds: range) -> None:
    here = await dispensary(clinic)
    for _ in rounds:
        client = await here.another_client()
        order = await here.order(client=client)
        key = fresh()
        answers = await asyncio.gather(*(here.give(order, key=key) for _ in range(16)))
        assert {answer.status_code for answer in answers} <= {201, 409}
        told = [answer.json() for answer in answers if answer.status_code == 201]
        assert told
        assert all(answer == told[0] for answer in told)
        assert await doses_of(clinic, client) == 1
        assert (await here.give(order, key=key)).json() == told[0]


async def test_one_version_is_signed_by_one_of_many(clinic: Clinic, rounds: range) -> None:
    here = await dispensary(clinic)
    second = await clinic.person((Role.MEDICAL_DIRECTOR, here.programme))
    await give_password(clinic, second)
    signers = [here.colleague, here.prescriber, second]
    for _ in rounds:
        given = (await here.give(await here.order(client=await here.another_client()))).json()
        said = {"doses": [{"dose_id": given["id"], "version": 1}], "password": PASSWORD}
        answers = await asyncio.gather(*(signer.post("/dose-sign-offs", said) for signer in signers))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 2}
        async with clinic.service.engine.connect() as connection:
            counted = select(func.count()).select_from(dose_review).where(dose_review.c.dose_id == given["id"])
            assert (await connection.execute(counted)).scalar_one() == 1


async def test_of_two_who_sign_the_same_batch_at_once_each_dose_is_signed_by_one(
    clinic: Clinic, counts: Counts
) -> None:
    """They name the doses in opposite orders: neither may wait for the other for ever."""
    here = await dispensary(clinic)
    for _ in range(counts(3, full=50)):
        given = [(await here.give(await here.order(client=await here.another_client()))).json() for _ in range(6)]
        doses = [{"dose_id": each["id"], "version": 1} for each in given]
        answers = await asyncio.gather(
            here.colleague.post("/dose-sign-offs", {"doses": doses, "password": PASSWORD}),
            here.prescriber.post("/dose-sign-offs", {"doses": doses[::-1], "password": PASSWORD}),
        )
        assert [answer.status_code for answer in answers] == [201, 201], [answer.text for answer in answers]
        signed = [each["dose_id"] for answer in answers for each in answer.json()["signed"]]
        assert sorted(signed) == sorted(each["id"] for each in given)
        refused = [each["type"] for answer in answers for each in answer.json()["refused"]]
        assert refused == ["urn:caseload:problem:dose-moved"] * len(given)


async def swallowed(clinic: Clinic, client: ClientId | str) -> int:
    async with clinic.service.engine.connect() as connection:
        counted = select(func.count()).select_from(dose).where(dose.c.client_id == client, is_taken(dose))
        return (await connection.execute(counted)).scalar_one()


async def test_not_given_frees_the_day_once_and_for_one_dose(clinic: Clinic, rounds: range) -> None:
    here = await dispensary(clinic)
    for _ in rounds:
        client = await here.another_client()
        order = await here.order(client=client)
        path = f"/doses/{(await here.give(order)).json()['id']}/correction"
        said = {"reason": "Poured away.", "password": PASSWORD}

        async def correct(by: Person, path: str = path, said: dict[str, str] = said) -> httpx.Response:
            return await by.post(path, said, headers={"If-Match": '"1"'})

        first, second, *answers = await asyncio.gather(
            correct(here.colleague), correct(here.prescriber), *(here.give(order) for _ in range(8))
        )
        answers += await asyncio.gather(*(here.give(order, by=by) for by in (here.nurse, here.colleague) * 2))
        assert sorted([first.status_code, second.status_code]) == [201, 409]
        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 11}
        assert await swallowed(clinic, client) == 1


async def test_a_version_ends_in_one_way_and_only_what_is_open_waits(clinic: Clinic, rounds: range) -> None:
    here = await dispensary(clinic)
    third = await clinic.person((Role.MEDICAL_DIRECTOR, here.programme))
    await give_password(clinic, third)
    for _ in rounds:
        client = await here.another_client()
        given = (await here.give(await here.order(client=client))).json()
        path, seen = f"/doses/{given['id']}", {"If-Match": '"1"'}
        said = {name: given[name] for name in ("medicine", "form", "given_at", "supervised")}
        signed, sent_back, amended, corrected = await asyncio.gather(
            here.colleague.post(
                "/dose-sign-offs", {"doses": [{"dose_id": given["id"], "version": 1}], "password": PASSWORD}
            ),
            here.prescriber.post(f"{path}/rejection", {"reason": "Which bottle?"}, headers=seen),
            here.nurse.post(f"{path}/amendments", said | {"amount_mg": "55", "reason": "Misread."}, headers=seen),
            third.post(f"{path}/correction", {"reason": "Poured away.", "password": PASSWORD}, headers=seen),
        )
        answers = (signed, sent_back, amended, corrected)
        assert {answer.status_code for answer in answers} <= {201, 204, 409, 412}
        assert [signed.status_code, sent_back.status_code] != [201, 204], "one verdict on one version"
        waiting = (await third.get(f"/programmes/{here.programme}/doses/waiting?limit=200")).json()["items"]
        versions = [each["dose"]["version"] for each in waiting if each["dose"]["id"] == given["id"]]
        is_open = amended.status_code == 201 and corrected.status_code != 201
        assert versions == ([2] if is_open else [])
        assert await swallowed(clinic, client) == (corrected.status_code != 201)


async def test_a_hold_is_cleared_by_one_of_two_prescribers_and_another_still_holds(
    clinic: Clinic, rounds: range
) -> None:
    here = await dispensary(clinic)
    second = await clinic.person((Role.PRESCRIBER, here.programme))
    await give_password(clinic, second)
    for _ in rounds:
        client = await here.another_client()
        order = await here.order(client=client)
        held = await here.nurse.post(f"/clients/{client}/holds", {"reason": "sedation"})
        path, said = f"/holds/{held.json()['id']}/clearance", {"reason": "Seen.", "password": PASSWORD}
        one, other, another, *_ = await asyncio.gather(
            here.prescriber.post(path, said),
            second.post(path, said),
            here.colleague.post(f"/clients/{client}/holds", {"reason": "intoxication"}),
            *(here.give(order) for _ in range(8)),
        )
        assert (sorted([one.status_code, other.status_code]), another.status_code) == ([201, 409], 201)
        after = await here.give(order)
        assert after.status_code == 409
        assert "client_held" in rules(after)
        assert await swallowed(clinic, client) <= 1
