"""The named giver's word over HTTP: asked of what a colleague entered, given once of each version, and disputed with a hold."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from tests.api.conftest import Clinic, Person
from tests.api.dispensary import PASSWORD, Dispensary, fresh
from tests.api.test_downtime import Paper, paper

pytestmark = pytest.mark.anyio

DISPUTED: dict[str, Any] = {"word": "disputed", "reason": "I gave 50, and to somebody else."}
CONFIRMED: dict[str, Any] = {"word": "confirmed"}


async def entered(sheet: Paper, **said: Any) -> dict[str, Any]:
    """A dose that the colleague typed in under the nurse's name."""
    answer = await sheet.only(given=sheet.given(await sheet.order(), **said))
    return (await sheet.here.nurse.get(f"/doses/{answer['record_id']}")).json()


async def say(
    by: Person, dose: dict[str, Any], word: dict[str, Any], *, version: int = 1, key: str | None = None
) -> httpx.Response:
    seen = {"If-Match": f'"{version}"'}
    return await by.post(f"/doses/{dose['id']}/giver-word", word, headers=seen, key=key or fresh())


async def waiting(by: Person, **asked: Any) -> list[dict[str, Any]]:
    listed = await by.get("/doses/to-confirm", params=asked)
    assert listed.status_code == 200, listed.text
    return listed.json()["items"]


async def holds(here: Dispensary) -> list[dict[str, Any]]:
    return (await here.chart())["holds"]


async def test_the_giver_confirms_in_their_own_session_what_a_colleague_entered(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    dose = await entered(sheet)
    assert dose["giver"] == {"standing": "waits", "said_at": None, "said_by": None, "reason": None}
    assert [each["id"] for each in await waiting(here.nurse)] == [dose["id"]]
    assert await waiting(here.colleague) == [], "it is nobody else's to say"

    key = fresh()
    said = await say(here.nurse, dose, CONFIRMED, key=key)
    assert (said.status_code, said.json()["giver"]["standing"]) == (201, "confirmed"), said.text
    assert said.headers["audit-entry"]
    assert (await say(here.nurse, dose, CONFIRMED, key=key)).json() == said.json()
    assert await waiting(here.nurse) == []
    assert await holds(here) == []
    [charted] = (await here.chart())["doses"]
    assert charted["giver"] == said.json()["giver"]


async def test_what_is_disputed_counts_on_and_holds_the_next_until_a_prescriber_has_looked(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    dose = await entered(sheet)
    said = await say(here.nurse, dose, DISPUTED)
    assert (said.status_code, said.json()["giver"]["reason"]) == (201, DISPUTED["reason"]), said.text
    [hold] = await holds(here)
    assert (hold["reason"], hold["by_rule"], hold["dose_id"]) == ("exception", "giver_disputes", dose["id"])
    assert hold["policy"] == "caseload.giver_disputes of caseload-1"
    assert "by whom" in hold["clears"]
    chart = await here.chart()
    assert "client_held" in [each["rule"] for each in chart["due"]["in_the_way"]]
    assert chart["due"]["last_taken"]["amount_mg"] == dose["amount_mg"]
    cleared = await here.prescriber.post(
        f"/holds/{hold['id']}/clearance", {"reason": "Asked both: the dose was his.", "password": PASSWORD}
    )
    assert cleared.status_code == 201, cleared.text


async def test_a_disputed_dose_is_signed_by_itself_and_shown_as_disputed(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    dose = await entered(sheet)
    other = await here.another_client()
    second = await sheet.only(client=other, given=sheet.given(await sheet.order(client=other)))
    assert (await say(here.nurse, dose, DISPUTED)).status_code == 201
    listed = (await here.prescriber.get("/sign-off-queue")).json()["doses"]
    assert {each["dose"]["id"]: each["dose"]["giver"]["standing"] for each in listed} == {
        dose["id"]: "disputed",
        second["record_id"]: "waits",
    }
    together = [{"dose_id": each["dose"]["id"], "version": 1} for each in listed]
    key = fresh()
    signed = await here.prescriber.post("/dose-sign-offs", {"doses": together, "password": PASSWORD}, key=key)
    assert [each["dose_id"] for each in signed.json()["signed"]] == [second["record_id"]], signed.text
    [refused] = signed.json()["refused"]
    assert (refused["dose_id"], refused["type"]) == (dose["id"], "urn:caseload:problem:signed-alone")
    again = await here.prescriber.post("/dose-sign-offs", {"doses": together, "password": PASSWORD}, key=key)
    assert again.json()["refused"] == signed.json()["refused"]
    alone = {"doses": [{"dose_id": dose["id"], "version": 1}], "password": PASSWORD}
    assert (await here.prescriber.post("/dose-sign-offs", alone)).status_code == 201


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ({"word": "disputed"}, 422),
        ({"word": "disputed", "reason": " "}, 422),
        ({"word": "confirmed", "reason": "It was so."}, 422),
        ({"word": "perhaps"}, 422),
        ({"word": "closed", "reason": "Nobody else's to close."}, 422),
    ],
)
async def test_only_a_dispute_says_why(clinic: Clinic, word: dict[str, Any], status: int) -> None:
    sheet = await paper(clinic)
    dose = await entered(sheet)
    assert (await say(sheet.here.nurse, dose, word)).status_code == status
    assert len(await waiting(sheet.here.nurse)) == 1


async def test_nobody_speaks_for_the_giver_nor_twice(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    dose = await entered(sheet)
    for other in (here.colleague, here.prescriber):
        refused = await say(other, dose, CONFIRMED)
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:caseload:problem:not-their-dose")
    assert (await here.nurse.post(f"/doses/{dose['id']}/giver-word", CONFIRMED)).status_code == 428
    assert (await say(here.nurse, dose, CONFIRMED, version=2)).status_code == 412
    answers = await asyncio.gather(say(here.nurse, dose, CONFIRMED), say(here.nurse, dose, DISPUTED))
    assert sorted(each.status_code for each in answers) == [201, 409]
    again = await say(here.nurse, dose, CONFIRMED)
    assert (again.status_code, again.json()["type"]) == (409, "urn:caseload:problem:giver-has-spoken")


async def test_nobody_is_asked_about_what_they_entered_themselves(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    [own] = await sheet.answers(sheet.line(given=sheet.given(await sheet.order())), by=here.nurse)
    dose = (await here.nurse.get(f"/doses/{own['record_id']}")).json()
    assert (dose["giver"], await waiting(here.nurse)) == (None, [])
    refused = await say(here.nurse, dose, CONFIRMED)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:own-entry")


async def test_an_amendment_by_somebody_else_asks_the_giver_again(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    dose = await entered(sheet)
    assert (await say(here.nurse, dose, DISPUTED)).status_code == 201
    put_right = {name: dose[name] for name in ("medicine", "form", "given_at", "supervised")}
    amended = await here.colleague.post(
        f"/doses/{dose['id']}/amendments",
        put_right | {"amount_mg": "50", "reason": "Read again: 50."},
        headers={"If-Match": '"1"'},
    )
    assert (amended.status_code, amended.json()["giver"]["standing"]) == (201, "waits"), amended.text
    [asked] = await waiting(here.nurse)
    assert (asked["version"], asked["amount_mg"]) == (2, "50")
    assert (await say(here.nurse, dose, CONFIRMED)).status_code == 412
    assert (await say(here.nurse, dose, CONFIRMED, version=2)).status_code == 201
    newest, first = (await here.nurse.get(f"/doses/{dose['id']}/versions")).json()["items"]
    assert (newest["giver"]["standing"], first["giver"]["standing"]) == ("confirmed", "disputed")


async def test_what_was_in_fact_not_given_needs_no_word(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    dose = await entered(sheet)
    corrected = await here.prescriber.post(
        f"/doses/{dose['id']}/correction",
        {"reason": "It was the line above.", "password": PASSWORD},
        headers={"If-Match": '"1"'},
    )
    assert corrected.status_code == 201, corrected.text
    assert await waiting(here.nurse) == []
    assert (await say(here.nurse, dose, CONFIRMED)).status_code == 409


async def test_the_list_comes_in_pages(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    for number in range(3):
        client = await here.another_client(family_name=f"Page{number}")
        await sheet.only(client=client, given=sheet.given(await sheet.order(client=client)))
    first = (await here.nurse.get("/doses/to-confirm", params={"limit": 2})).json()
    rest = await waiting(here.nurse, after=first["next"], limit=2)
    assert (len(first["items"]), len(rest)) == (2, 1)
    assert len({each["id"] for each in (*first["items"], *rest)}) == 3


async def test_the_database_takes_the_word_of_the_named_giver_alone(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    dose = await entered(sheet)
    owner = await asyncpg.connect(clinic.addresses.owner)
    try:
        for version, by in ((1, sheet.here.colleague), (2, sheet.here.nurse)):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="named giver"):
                await owner.execute(
                    "insert into clinic.dose_giver_word values ($1, $2, 'confirmed', null, $3, now())",
                    dose["id"],
                    version,
                    by.staff.id,
                )
    finally:
        await owner.close()
