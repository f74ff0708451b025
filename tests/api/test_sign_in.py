"""Signing in over HTTP: who may come in, what guessing costs, and what nobody may learn from it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from caseload.db.tables import people as tables
from caseload.domain.people import COMMAND_LINE
from tests.api.conftest import Clinic
from tests.factories import people

pytestmark = pytest.mark.anyio

PASSWORD = "unremarkable teapot voyage"
ANOTHER = "nineteen velvet harpoons"


async def colleague(clinic: Clinic, *, password: str = PASSWORD, one_time_for: timedelta | None = None) -> str:
    """Somebody who can sign in; returns their user name."""
    async with clinic.service.engine.begin() as connection:
        made = await people.staff(connection)
        now = clinic.service.clock()
        await connection.execute(
            insert(tables.staff_password).values(
                staff_id=made.id,
                number=1,
                set_at=now,
                set_by=COMMAND_LINE if one_time_for else made.id,
                hash=await clinic.service.door.passwords.hash(password),
                one_time_until=now + one_time_for if one_time_for else None,
            )
        )
    return made.user_name


def station(clinic: Clinic, address: str) -> httpx.AsyncClient:
    """Somebody at the door, coming from that address."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(clinic.application, raise_app_exceptions=False, client=(address, 40000)),
        base_url="http://caseload.test",
    )


async def sign_in(at: httpx.AsyncClient, user_name: str, password: str = PASSWORD, **more: Any) -> httpx.Response:
    return await at.post("/api/v1/sign-in", json={"user_name": user_name, "password": password, **more})


async def test_the_right_password_opens_a_session_that_knows_who_it_is(clinic: Clinic) -> None:
    user_name = await colleague(clinic)
    answer = await sign_in(clinic.client(), user_name.upper())
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    me = await clinic.client(answer.json()["token"]).get("/api/v1/me")
    assert me.json()["user_name"] == user_name
    assert me.json() == answer.json()["me"]


async def test_after_signing_out_the_token_is_nobody(clinic: Clinic) -> None:
    token = (await sign_in(clinic.client(), await colleague(clinic))).json()["token"]
    http = clinic.client(token)
    assert (await http.post("/api/v1/sign-out")).status_code == 204
    assert (await http.get("/api/v1/me")).status_code == 401
