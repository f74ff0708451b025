"""A dispensary that keeps its stock: a station, a bottle in the safe and a dispenser in use."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx

from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import PASSWORD, Dispensary, dispensary, fresh, give_password

SUPPLIER = {"supplier_name": "North Wholesale", "supplier_address": "1 Quay Street, Hull", "document": "INV-1"}


@dataclass
class Storeroom:
    """What the tests ask of a stock."""

    here: Dispensary
    pharmacist: Person
    station: str

    @property
    def clinic(self) -> Clinic:
        return self.here.clinic

    def bottle(self, label: str, **said: Any) -> dict[str, Any]:
        return {
            "label": label,
            "medicine": "methadone",
            "form": "oral_solution",
            "strength_mg": "1",
            "lot": "L-77",
            "expires_on": str(self.here.today + timedelta(days=400)),
            "amount_mg": "1000",
            **said,
        }

    async def receive(self, *bottles: dict[str, Any], by: Person | None = None, **said: Any) -> list[str]:
        answer = await (by or self.pharmacist).post(
            f"/programmes/{self.here.programme}/stock-receipts", {**SUPPLIER, "bottles": bottles, **said}
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["container_ids"]

    async def dispenser(self, label: str = "Pump 1", **said: Any) -> str:
        wanted = {"label": label, "medicine": "methadone", "form": "oral_solution", "strength_mg": "1", **said}
        answer = await self.here.nurse.post(f"/programmes/{self.here.programme}/dispensers", wanted)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def read(self, container: str, *, by: Person | None = None) -> httpx.Response:
        answer = await (by or self.here.nurse).get(f"/stock-containers/{container}")
        assert answer.status_code == 200, answer.text
        return answer

    async def balance(self, container: str) -> Decimal:
        return Decimal((await self.read(container)).json()["balance_mg"])

    async def move(
        self, container: str, what: str, json: Any = None, *, by: Person | None = None, **said: Any
    ) -> httpx.Response:
        """Do something with a container as it is now."""
        seen = said.pop("seen", None) or (await self.read(container)).headers["etag"]
        return await (by or self.here.nurse).post(
            f"/stock-containers/{container}/{what}", json, headers={"If-Match": seen}, **said
        )

    async def use(self, container: str, station: str | None = None) -> None:
        answer = await self.move(container, "uses", {"station_id": station or self.station})
        assert answer.status_code == 201, answer.text

    async def pour(self, source: str, target: str, amount_mg: str) -> httpx.Response:
        return await self.move(source, "pours", {"target_id": target, "amount_mg": amount_mg})

    async def open_bottle(self, label: str = "B-1", **said: Any) -> str:
        """A bottle that has come, in use at the station."""
        [bottle] = await self.receive(self.bottle(label, **said))
        await self.use(bottle)
        return bottle

    async def waste(
        self, container: str, amount_mg: str = "5", *, by: Person | None = None, key: str | None = None, **said: Any
    ) -> Any:
        answer = await (by or self.here.nurse).post(
            f"/stock-containers/{container}/wastes",
            {"kind": "spill", "amount_mg": amount_mg, "reason": "The cup fell.", **said},
            key=key,
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def witness(self, waste: dict[str, Any], *, by: Person | None = None, **said: Any) -> httpx.Response:
        return await (by or self.here.colleague).post(
            f"/stock-wastes/{waste['id']}/witness", {"password": PASSWORD}, **said
        )

    async def count(self, container: str, counted_mg: str, *, by: Person | None = None, **said: Any) -> httpx.Response:
        options = {name: said.pop(name) for name in ("seen", "key") if name in said}
        return await self.move(
            container, "counts", {"counted_mg": counted_mg, "password": PASSWORD, **said}, by=by, **options
        )

    async def confirm(self, count: dict[str, Any], *, by: Person | None = None, **said: Any) -> httpx.Response:
        return await (by or self.here.colleague).post(
            f"/stock-counts/{count['id']}/confirmation", {"password": PASSWORD}, **said
        )

    async def stock(self, *, by: Person | None = None) -> dict[str, Any]:
        answer = await (by or self.here.nurse).get(f"/programmes/{self.here.programme}/stock")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def wrong(self) -> list[tuple[str, str]]:
        """What must be explained, by its kind and amount."""
        return [(each["kind"], each["amount_mg"]) for each in (await self.stock())["discrepancies"]]

    async def give(self, amount_mg: str = "60", **said: Any) -> httpx.Response:
        """A dose to another client, in full."""
        client = await self.here.another_client()
        order = await self.here.order(client=client, amounts_mg={"whole": amount_mg}, **said.pop("order", {}))
        return await self.here.give(order, **said)


async def storeroom(clinic: Clinic, *, profile: str = "UK", time_zone: str = "Europe/London") -> Storeroom:
    here = await dispensary(clinic, profile=profile, time_zone=time_zone)
    pharmacist = await clinic.person((Role.PHARMACIST, here.programme), printed_name="Petra Vale")
    await give_password(clinic, pharmacist)
    begun = await pharmacist.post(f"/programmes/{here.programme}/stock-keeping", {"from_on": str(here.today)})
    assert begun.status_code == 201, begun.text
    station = await pharmacist.post(f"/programmes/{here.programme}/stations", {"name": "Window 1"}, key=fresh())
    assert station.status_code == 201, station.text
    return Storeroom(here=here, pharmacist=pharmacist, station=station.json()["id"])
