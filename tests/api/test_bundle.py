"""Exports with proofs over HTTP: asked for once, followed, fetched by whoever asked and by nobody else."""

from typing import Any
from uuid import uuid4

import pytest

from caseload.domain.access import Role
from caseload.domain.ids import new_id
from tests.api.conftest import Clinic, Person
from tests.factories import people

pytestmark = pytest.mark.anyio


async def asked(by: Person, **said: Any) -> Any:
    return await by.post("/audit/bundles", said)


async def test_an_auditor_asks_and_is_told_how_far_it_is(clinic: Clinic) -> None:
    auditor = await clinic.person((Role.AUDITOR, None))
    made = await asked(auditor, event="dose", known_sizes=[5])
    assert made.status_code == 201, made.text
    assert (made.json()["state"], made.json()["written"], made.json()["sha256"]) == ("waiting", 0, None)
    where = f"/audit/bundles/{made.json()['id']}"
    # The service may begin to make it at any moment.
    shown = await auditor.get(where)
    assert (shown.status_code, shown.json() | {"state": "waiting"}) == (200, made.json())
    early = await auditor.get(f"{where}/file")
    assert early.status_code == 409
    assert any(state in early.json()["detail"] for state in ("waiting", "running"))


async def test_nobody_else_sees_it(clinic: Clinic) -> None:
    auditor, other = await clinic.person((Role.AUDITOR, None)), await clinic.person((Role.AUDITOR, None))
    nurse = await clinic.person((Role.NURSE, await clinic.programme()))
    made = (await asked(auditor)).json()
    for end in ("", "/file"):
        assert (await other.get(f"/audit/bundles/{made['id']}{end}")).status_code == 404
        assert (await nurse.get(f"/audit/bundles/{made['id']}{end}")).status_code == 403
    assert (await asked(nurse)).status_code == 403
    assert (await auditor.get(f"/audit/bundles/{new_id()}")).status_code == 404


async def test_whoever_lost_their_access_meanwhile_is_not_given_it(clinic: Clinic) -> None:
    auditor = await clinic.person((Role.AUDITOR, await clinic.programme()))
    async with clinic.service.engine.begin() as connection:
        held = await people.grant(
            connection, to=auditor.staff.id, role=Role.AUDITOR, programme=await people.programme(connection)
        )
    administrator = await clinic.person((Role.ADMINISTRATOR, None))
    made = (await asked(auditor)).json()
    where = f"/audit/bundles/{made['id']}"
    assert (await auditor.get(where)).status_code == 200
    revoked = await administrator.post(f"/roles/{held}/revocation", {"reason": "Moved to another site."})
    assert revoked.is_success, revoked.text
    for end in ("", "/file"):
        assert (await auditor.get(f"{where}{end}")).status_code == 404


async def test_whom_the_entries_are_about_is_a_privacy_officers(clinic: Clinic) -> None:
    auditor, officer = await clinic.person((Role.AUDITOR, None)), await clinic.person((Role.PRIVACY_OFFICER, None))
    assert (await asked(auditor, lay_open="clients")).status_code == 403
    assert (await asked(officer, lay_open="clients")).status_code == 201


async def test_what_cannot_be_asked_for_is_refused_at_once(clinic: Clinic) -> None:
    auditor = await clinic.person((Role.AUDITOR, None))
    assert (await asked(auditor, event="!")).status_code == 422
    assert (await asked(auditor, known_sizes=[0])).status_code in {400, 422}
    assert (await asked(auditor, client_id=str(uuid4()))).status_code == 404
