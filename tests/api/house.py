"""A programme with its counsellor, and clients whose check-ins are planned as if they had begun some days ago."""

from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from caseload.db.checkin import Plans
from caseload.domain.access import Role
from caseload.domain.checkin import Mode, plan_check_ins, usual_terms
from caseload.domain.ids import ClientId, PlanId, ProgrammeId, new_id
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme
from caseload.domain.schedule import Recurrence, Unit
from tests.api.conftest import Clinic, Person
from tests.factories import clients
from tests.factories.checkin import Remembered
from tests.factories.clients import InCare

ZONE = ZoneInfo("America/Phoenix")
"""Without a summer time: what is days ago is a multiple of 24 hours on every day on which these tests run."""
DAY = timedelta(days=1)


@dataclass(frozen=True)
class House:
    """A programme with its counsellor, and the clients in care there."""

    clinic: Clinic
    programme: ProgrammeId
    robin: Person

    async def client(self, **options: Any) -> InCare:
        async with self.clinic.service.engine.begin() as connection:
            return await clients.in_care(
                connection, programme=self.programme, counsellor=self.robin.staff.id, **options
            )

    async def planned(self, client: InCare, *, days_ago: int, every: int = 7) -> str:
        """A plan for every 7 (or so many) days that began so many days ago, two minutes from the time it is now; returns its id."""
        started = self.clinic.service.clock() - days_ago * DAY
        first = (started + timedelta(minutes=2)).astimezone(ZONE)
        rule = Recurrence(every=every, unit=Unit.DAYS, at=time(first.hour, first.minute), starts_on=first.date())
        house = Programme(id=self.programme, code="H", name="House", time_zone=ZONE.key, profiles=Selected("US"))
        async with self.clinic.service.engine.begin() as connection:
            journal = Remembered()
            plan = await plan_check_ins(
                client.episode,
                usual_terms(house, rule, mode=Mode.TELEPHONE, now=started, grace_days=1),
                as_id=PlanId(new_id()),
                by=self.robin.staff,
                now=started,
                plans=Plans(connection, journal, now=started),
                journal=journal,
            )
        return str(plan.id)

    async def overdue(self, by: Person | None = None, **query: Any) -> list[dict[str, Any]]:
        answer = await (by or self.robin).get("/overdue-check-ins", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def check_ins(self, client: ClientId) -> list[dict[str, Any]]:
        """Oldest first."""
        answer = await self.robin.get(f"/clients/{client}/check-ins", params={"limit": 200})
        assert answer.status_code == 200, answer.text
        return answer.json()["items"][::-1]


async def open_house(clinic: Clinic, *, profile: str = "US") -> House:
    programme = await clinic.programme(time_zone=ZONE.key, profile=profile)
    return House(clinic, programme, await clinic.person((Role.COUNSELLOR, programme)))
