"""Whatever is sent, the answer is a clear refusal: nothing breaks, nothing is half done, nothing is said back."""

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic

pytestmark = pytest.mark.anyio

PROBLEM = "application/problem+json"


async def test_an_unknown_route_and_a_wrong_method_are_problems(clinic: Clinic) -> None:
    async with clinic.client() as stranger:
        unknown = await stranger.get("/api/v1/nothing")
        wrong = await stranger.delete("/api/v1/clients")

    assert (unknown.status_code, unknown.headers["content-type"]) == (404, PROBLEM)
    assert (wrong.status_code, wrong.headers["content-type"], wrong.headers["allow"]) == (405, PROBLEM, "OPTIONS, POST")


async def test_every_invalid_field_is_named_at_once(clinic: Clinic) -> None:
    nurse = await clinic.person((Role.NURSE, await clinic.programme()))

    answer = await nurse.post("/clients", {"programme_id": 4, "colour": "red", "identity": {"given_name": None}})

    assert answer.status_code == 422
    assert {each["field"] for each in answer.json()["errors"]} == {
        "colour",
        "programme_id",
        "identity.given_name",
        "identity.family_name",
        "identity.birth_date",
    }
