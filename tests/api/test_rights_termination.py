"""A programme ends by itself what it agreed not to tell (45 CFR 164.522(a)(2)(iii)): over HTTP, and what may be told then."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.api.test_attendance_relatives import KNOWN, Family

pytestmark = pytest.mark.anyio


class Office(Family):
    """A client who allows their mother to be told of sessions, and what was agreed beside that."""

    officer: Person

    async def restriction(self, client: str, **changes: Any) -> dict[str, Any]:
        asked = {
            "kind": "restriction",
            "says": "Not when I come.",
            "received_at": self.clinic.service.clock().isoformat(),
            "check": KNOWN,
            **changes,
        }
        taken = await self.robin.post(f"/clients/{client}/rights-requests", asked)
        assert taken.status_code == 201, taken.text
        restricts = {"categories": ["attendance", "presence"]}
        answer = {"outcome": "granted", "says": "Told in person.", "restricts": restricts}
        granted = await self.officer.post(f"/rights-requests/{taken.json()['id']}/answer", answer)
        assert granted.status_code == 201, granted.text
        return granted.json()

    async def terminate(self, request: dict[str, Any], told_at: datetime, says: str = "Told by letter.") -> Any:
        body = {"told_at": told_at.isoformat(), "says": says}
        return await self.officer.post(f"/rights-requests/{request['id']}/restriction-termination", body)

    async def may_tell(self, client: str, person: str, *categories: str, since: datetime | None = None) -> Any:
        body = {
            "recipient": {"person_id": person},
            "categories": categories,
            "purpose": "family_involvement",
            "check": KNOWN,
            "since": None if since is None else since.isoformat(),
        }
        return await self.robin.post(f"/clients/{client}/disclosure-questions", body)


@pytest.fixture
async def office(clinic: Clinic) -> Office:
    programme = await clinic.programme(time_zone="America/New_York", profile="US")
    made = Office(clinic, programme, await clinic.person((Role.COUNSELLOR, programme)))
    made.officer = await clinic.person((Role.PRIVACY_OFFICER, programme))
    return made


async def test_only_what_came_after_the_client_was_told_may_be_told(office: Office) -> None:
    ada = await office.client()
    mother = await office.relative(ada)
    await office.consent(ada, mother, categories=["attendance", "presence"])
    agreed = await office.restriction(ada)
    told_at = office.clinic.service.clock()

    for wrong, says in ((told_at + timedelta(days=1), "Told."), (told_at - timedelta(days=1), "Told."), (told_at, " ")):
        assert (await office.terminate(agreed, wrong, says)).status_code == 422
    ended = await office.terminate(agreed, told_at)
    assert ended.status_code == 201, ended.text
    assert (await office.terminate(agreed, told_at)).status_code == 409
    now = ended.json()["restriction"]
    assert (now["is_over"], datetime.fromisoformat(now["covers_until"])) == (False, told_at)

    [before] = (await office.may_tell(ada, mother, "attendance")).json()["items"]
    [earlier] = (await office.may_tell(ada, mother, "attendance", since=told_at - timedelta(seconds=1))).json()["items"]
    [after] = (await office.may_tell(ada, mother, "attendance", since=told_at)).json()["items"]
    assert [each["reason"] for each in (before, earlier, after)] == [
        "agreed_restriction",
        "agreed_restriction",
        "consent",
    ]
    assert (await office.may_tell(ada, mother, "presence", since=told_at)).status_code == 422
    assert (await office.may_tell(ada, mother, "attendance", since=told_at + timedelta(days=1))).status_code == 422


async def test_a_document_with_a_bound_holds_only_what_is_of_later(office: Office) -> None:
    ada = await office.client()
    mother = await office.relative(ada)
    await office.consent(ada, mother, categories=["attendance"])
    session = await office.plan(ada)
    taken = await office.take(session, {"client_id": ada, "status": "attended"}, relatives=[])
    assert taken.status_code == 201, taken.text
    agreed = await office.restriction(ada)
    told_at = office.clinic.service.clock()
    assert (await office.terminate(agreed, told_at)).status_code == 201
    making = {
        "recipient": {"person_id": mother},
        "name": "Rosa Lindqvist",
        "categories": ["attendance"],
        "manner": "written",
        "purpose": "family_involvement",
        "check": KNOWN,
    }

    refused = await office.robin.post(f"/clients/{ada}/disclosures", making)
    made = await office.robin.post(f"/clients/{ada}/disclosures", {**making, "since": told_at.isoformat()})

    assert (refused.status_code, made.status_code) == (409, 201), made.text
    assert made.json()["content"]["attendance"] == []
    assert datetime.fromisoformat(made.json()["since"]) == told_at


async def test_what_was_paid_for_in_full_stands(office: Office) -> None:
    paid = await office.restriction(await office.client(), is_self_paid=True)
    refused = await office.terminate(paid, office.clinic.service.clock())
    assert refused.status_code == 409
    assert "give it up" in refused.json()["detail"]
