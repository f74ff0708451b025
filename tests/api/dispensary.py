"""A dispensary as its people meet it: a programme, nurses and a prescriber with passwords, a client with an order."""

import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from sqlalchemy import insert

from caseload.db.tables import people as people_tables
from caseload.db.tables.caseload import client as client_table
from caseload.domain.access import Role
from caseload.domain.ids import ClientId, ProgrammeId, new_id
from tests.api.conftest import Clinic, Person
from tests.factories import clients
from tests.factories.people import LONG_AGO

PASSWORD = "correct horse battery staple"
_hashes: list[str] = []
"""The hash of the password, made once: argon2id is slow on purpose."""


def fresh() -> str:
    """An Idempotency-Key."""
    return str(uuid.uuid4())


@dataclass
class Dispensary:
    """A programme that dispenses."""

    clinic: Clinic
    programme: ProgrammeId
    zone: ZoneInfo
    nurse: Person
    colleague: Person
    prescriber: Person
    client: ClientId
    others: list[ClientId] = field(default_factory=list[ClientId])

    @property
    def today(self) -> date:
        return self.clinic.service.clock().astimezone(self.zone).date()

    async def order(self, **said: Any) -> dict[str, Any]:
        """An order that the prescriber has signed, with a reason for whatever the profile asks."""
        written = await self.draft(**said)
        signed = await self.sign(written)
        if signed.status_code == 409 and "rules" in signed.json()["facts"]:
            asked = [each["rule"] for each in signed.json()["facts"]["rules"]]
            signed = await self.sign(written, *asked)
        assert signed.status_code == 201, signed.text
        return signed.json()

    async def sign(self, order: dict[str, Any], *rules: str, reason: str = "Seen, and meant.") -> httpx.Response:
        """Sign an order, confirming these rules."""
        confirmed = [{"rule": rule, "reason": reason} for rule in rules]
        return await self.prescriber.post(
            f"/orders/{order['id']}/signature", {"password": PASSWORD, "confirmed": confirmed}
        )

    async def draft(self, *, client: ClientId | None = None, **said: Any) -> dict[str, Any]:
        answer = await self.prescriber.post(f"/clients/{client or self.client}/orders", self.wish(**said))
        assert answer.status_code == 201, answer.text
        return answer.json()

    def wish(self, **said: Any) -> dict[str, Any]:
        return {
            "medicine": "methadone",
            "form": "oral_solution",
            "strength_mg": "1",
            "amounts_mg": {"whole": "60"},
            "starts_on": str(self.today),
            **said,
        }

    async def give(
        self, order: dict[str, Any], *, by: Person | None = None, key: str | None = None, **said: Any
    ) -> httpx.Response:
        """Record a dose at the window; an injection goes where the last one did not, as far as the caller says nothing."""
        if order["form"] == "extended_release_injection":
            said = {"injection": {"site": "buttock_left"}, **said}
        return await (by or self.nurse).post(
            f"/clients/{order['client_id']}/doses",
            {
                "order_id": order["id"],
                "medicine": order["medicine"],
                "form": order["form"],
                "amount_mg": order["amounts_mg"].get(said.get("part", "whole"), "60"),
                **said,
            },
            key=key or fresh(),
        )

    async def hold(self, by: Person | None = None) -> dict[str, Any]:
        answer = await (by or self.nurse).post(
            f"/clients/{self.client}/holds", {"reason": "sedation", "note": "Drowsy."}
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def chart(self, by: Person | None = None) -> dict[str, Any]:
        answer = await (by or self.nurse).get(f"/clients/{self.client}/medication")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def another_client(self, *, family_name: str = "Second") -> ClientId:
        return await register(self.clinic, self.programme, self.nurse, family_name=family_name)


async def register(clinic: Clinic, programme: ProgrammeId, by: Person, *, family_name: str = "Example") -> ClientId:
    made = ClientId(new_id())
    async with clinic.service.engine.begin() as connection:
        await connection.execute(
            insert(client_table).values(
                id=made, programme_id=programme, registered_by=by.staff.id, recorded_at=LONG_AGO
            )
        )
        await clients.name(connection, made, by=by.staff.id, family_name=family_name)
    return made


async def give_password(clinic: Clinic, *people: Person) -> None:
    if not _hashes:
        _hashes.append(await clinic.service.door.passwords.hash(PASSWORD))
    async with clinic.service.engine.begin() as connection:
        for person in people:
            await connection.execute(
                insert(people_tables.staff_password).values(
                    staff_id=person.staff.id,
                    number=1,
                    set_at=LONG_AGO,
                    set_by=person.staff.id,
                    hash=_hashes[0],
                )
            )


async def dispensary(clinic: Clinic, *, profile: str = "UK", time_zone: str = "Europe/London") -> Dispensary:
    programme = await clinic.programme(profile=profile, time_zone=time_zone)
    nurse = await clinic.person((Role.NURSE, programme), printed_name="Nora Quill")
    colleague = await clinic.person((Role.NURSE, programme), printed_name="Imran Shah")
    prescriber = await clinic.person((Role.PRESCRIBER, programme), printed_name="Dr Ada Osei")
    await give_password(clinic, nurse, colleague, prescriber)
    return Dispensary(
        clinic=clinic,
        programme=programme,
        zone=ZoneInfo(time_zone),
        nurse=nurse,
        colleague=colleague,
        prescriber=prescriber,
        client=await register(clinic, programme, nurse),
    )


def days_ago(here: Dispensary, days: int) -> str:
    """The same time some days ago, as it goes over the wire."""
    return (here.clinic.service.clock() - timedelta(days=days)).isoformat()
