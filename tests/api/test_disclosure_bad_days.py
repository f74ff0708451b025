"""Bad days of telling: two consents that contradict each other, midnight, clocks that change, and work that dies half way."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from caseload.db.disclosure import KeptDisclosures
from caseload.domain.access import Role
from caseload.domain.disclosure import Disclosure
from caseload.domain.ids import ProgrammeId
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import fresh
from tests.api.test_consent import Chart, chart_in
from tests.api.test_disclosure import DOCUMENT, SPOKEN, given, telling

pytestmark = pytest.mark.anyio

SECOND = timedelta(seconds=1)


@pytest.fixture
async def chart(clinic: Clinic) -> Chart:
    return await chart_in(clinic, "US")


@asynccontextmanager
async def at(clinic: Clinic, chart: Chart, moment: datetime) -> AsyncGenerator[Person]:
    """The service's clock stands there, and a nurse has just signed in."""
    before = clinic.service.clock
    object.__setattr__(clinic.service, "clock", lambda: moment)
    try:
        yield await clinic.person((Role.NURSE, ProgrammeId(UUID(chart.programme))))
    finally:
        object.__setattr__(clinic.service, "clock", before)


async def tried(chart: Chart, by: Person, *categories: str) -> tuple[int, str]:
    """Whether the question is allowed, and how telling the same ends."""
    asked = await by.post(f"{chart.path}/disclosure-questions", chart.question(*categories))
    [answer] = asked.json()["items"]
    told = await by.post(
        f"{chart.path}/disclosures", telling(chart, *categories, check={"method": "in_person"}), key=fresh()
    )
    assert answer["allowed"] is (told.status_code == 201), (answer, told.text)
    return told.status_code, answer["reason"]


async def test_of_two_consents_that_contradict_each_other_the_one_in_force_allows_and_the_other_takes_nothing_away(
    chart: Chart,
) -> None:
    wide = await given(chart, "attendance", "plan")
    narrow = await given(chart, "medication")
    assert await tried(chart, chart.nurse, "attendance") == (201, "consent")
    revoked = await chart.nurse.post(f"{chart.path}/consents/{narrow['id']}/revocation", {"how": "in_writing"})
    assert revoked.status_code == 201, revoked.text
    assert await tried(chart, chart.nurse, "attendance") == (201, "consent")
    assert await tried(chart, chart.nurse, "medication") == (409, "revoked")
    again = await given(chart, "attendance")
    await chart.nurse.post(f"{chart.path}/consents/{wide['id']}/revocation", {"how": "spoken"})
    assert await tried(chart, chart.nurse, "attendance") == (201, "consent")
    lines = (await chart.nurse.get(f"{chart.path}/disclosures")).json()["items"]
    assert [line["consent_id"] for line in lines] == [again["id"], wide["id"], wide["id"]]
    both = await chart.nurse.post(
        f"{chart.path}/disclosures",
        telling(chart, "attendance", "plan", manner="spoken", notice_how="sent"),
        key=fresh(),
    )
    assert (both.status_code, both.json()["facts"]["reason"]) == (409, "revoked")


@pytest.mark.parametrize(
    ("last_day", "midnight"),
    [
        ("2027-01-15", datetime(2027, 1, 16, 5, tzinfo=UTC)),
        ("2027-03-14", datetime(2027, 3, 15, 4, tzinfo=UTC)),
        ("2027-11-07", datetime(2027, 11, 8, 5, tzinfo=UTC)),
    ],
    ids=["any day", "a last day of 23 hours", "a last day of 25 hours"],
)
async def test_a_consent_ends_at_the_midnight_of_the_clinic_also_when_clocks_change_on_its_last_day(
    clinic: Clinic, chart: Chart, last_day: str, midnight: datetime
) -> None:
    await given(chart, "attendance", expiry={"last_day": last_day})
    for moment, expected in (
        (midnight - timedelta(minutes=30), (201, "consent")),
        (midnight - SECOND, (201, "consent")),
        (midnight, (409, "expired")),
        (midnight + timedelta(minutes=30), (409, "expired")),
    ):
        async with at(clinic, chart, moment) as nurse:
            assert await tried(chart, nurse, "attendance") == expected, moment


async def test_a_disclosure_that_dies_half_way_has_told_nothing_and_is_made_once_by_its_retry(
    clinic: Clinic, chart: Chart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row was written and its process is gone before it was kept: nothing left, nothing is in the account."""
    await given(chart, "attendance")
    kept, key = KeptDisclosures.add_disclosure, fresh()

    async def die(self: KeptDisclosures, made: Disclosure) -> None:
        await kept(self, made)
        raise OSError("The machine lost its power.")

    monkeypatch.setattr(KeptDisclosures, "add_disclosure", die)
    died = await chart.nurse.post(f"{chart.path}/disclosures", telling(chart, "attendance"), key=key)
    assert died.status_code >= 500
    assert "Lindqvist" not in died.text
    assert await account(chart) == []
    monkeypatch.undo()
    made = [await chart.nurse.post(f"{chart.path}/disclosures", telling(chart, "attendance"), key=key) for _ in "12"]
    assert [each.status_code for each in made] == [201, 201]
    assert len({each.json()["id"] for each in made}) == 1
    assert [line["id"] for line in await account(chart)] == [made[0].json()["id"]]
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    lines = (await officer.get(f"{chart.path}/confidentiality", params={"matter": "disclosures"})).json()["items"]
    assert [(line["event"], line["result"]) for line in lines] == [
        ("disclosure.made", "done"),
        ("disclosure.make", "failed"),
    ]


async def account(chart: Chart) -> list[dict[str, Any]]:
    return (await chart.nurse.get(f"{chart.path}/disclosures")).json()["items"]


async def test_a_recipient_spelled_another_way_is_refused_and_who_sees_the_consents_is_told_which_to_read(
    clinic: Clinic, chart: Chart
) -> None:
    path = f"{chart.path}/disclosures"
    hospital = {"recipient": {"name": "Saint Marys hospital"}, "name": "The ward", "purpose": "treatment", **SPOKEN}
    otherwise = telling(chart, "attendance", **{**hospital, "check": DOCUMENT})
    pharmacist = await clinic.person((Role.PHARMACIST, ProgrammeId(UUID(chart.programme))))

    async def refused(by: Person = chart.nurse, **said: Any) -> httpx.Response:
        answer = await by.post(path, {**otherwise, **said}, key=fresh())
        assert answer.status_code == 409, answer.text
        return answer

    before = [await refused(), await refused(pharmacist), await refused(check=None)]
    given_to = {"name": "St Mary's Hospital"}
    consent = await given(chart, "attendance", recipients=[given_to], purposes=["treatment"])
    hinted, *same = [await refused(), await refused(pharmacist), await refused(check=None)]

    assert "near_consents" not in before[0].json()["facts"]
    assert hinted.json()["facts"]["near_consents"] == [consent["id"]]
    assert "Did you mean" in hinted.json()["detail"]
    assert "St Mary" not in hinted.text, "a refusal holds no name"
    assert [same_but_the_number(each) for each in same] == [same_but_the_number(each) for each in before[1:]]
    told = await chart.nurse.post(path, {**otherwise, "recipient": given_to}, key=fresh())
    assert told.status_code == 201, told.text
    over = await chart.nurse.post(
        f"{chart.path}/consents/{consent['id']}/revocation",
        {"how": "spoken", "received_at": clinic.service.clock().isoformat()},
    )
    assert over.status_code == 201, over.text
    assert same_but_the_number(await refused()) == same_but_the_number(before[0])


def same_but_the_number(answer: httpx.Response) -> bytes:
    """The bytes of a refusal without the number of its request."""
    return answer.content.replace(answer.json()["request"].encode(), b"")
