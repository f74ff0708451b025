"""The published rules, for whoever was refused by one."""

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic

pytestmark = pytest.mark.anyio


async def test_every_rule_can_be_read_with_its_source(clinic: Clinic) -> None:
    anybody = await clinic.person((Role.FRONT_DESK, await clinic.programme()))
    listed = (await anybody.get("/profiles")).json()["items"]
    assert [each["profile"] for each in listed] == ["AU", "UK", "US", "US-CA-BRIDGE"]
    one = await anybody.get("/profiles/AU/versions/1")
    assert one.json() == listed[0]
    rung = one.json()["missed_doses"][0]["rungs"][3]
    assert (rung["rule"], rung["proposal"]["at_most_mg"]) == ("au.missed.4", "40")
    assert "2003" in rung["source"]


@pytest.mark.parametrize("path", ["/profiles/UK/versions/99", "/profiles/FR/versions/1", "/profiles/UK/versions/one"])
async def test_an_unknown_version_is_not_found(clinic: Clinic, path: str) -> None:
    anybody = await clinic.person((Role.FRONT_DESK, await clinic.programme()))
    assert (await anybody.get(path)).status_code == 404


async def test_a_stranger_is_asked_to_sign_in(clinic: Clinic) -> None:
    async with clinic.client() as stranger:
        assert (await stranger.get("/api/v1/profiles")).status_code == 401
