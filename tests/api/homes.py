"""What the tests of take-homes ask for: a dispensary that hands out, and days that pass."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import asyncpg
import httpx

from caseload.domain.access import Role
from caseload.domain.ids import ClientId
from tests.api.conftest import Clinic, Person
from tests.api.days import move_order_days
from tests.api.dispensary import PASSWORD, Dispensary, dispensary, fresh

PASSED = (
    (
        "update clinic.medication_order set starts_on = starts_on - $2::int, ends_on = ends_on - $2::int,"
        " written_at = written_at - $2::int * interval '1 day',"
        " step_from = (select array_agg(day - $2::int) from unnest(step_from) day) where client_id = $1"
    ),
    (
        "update clinic.medication_order_signature set signed_at = signed_at - $2::int * interval '1 day'"
        " where order_id in (select id from clinic.medication_order where client_id = $1)"
    ),
    (
        "update clinic.dose set dosing_day = dosing_day - $2::int, given_at = given_at - $2::int * interval '1 day',"
        " recorded_at = recorded_at - $2::int * interval '1 day' where client_id = $1"
    ),
    (
        "update clinic.take_home_decision set decided_on = decided_on - $2::int, review_on = review_on - $2::int,"
        " first_dose_on = first_dose_on - $2::int, decided_at = decided_at - $2::int * interval '1 day'"
        " where client_id = $1"
    ),
    (
        "update clinic.take_home_dispense set dispensed_on = dispensed_on - $2::int,"
        " dispensed_at = dispensed_at - $2::int * interval '1 day' where client_id = $1"
    ),
    (
        "update clinic.take_home_unit set for_on = for_on - $2::int, dispensed_on = dispensed_on - $2::int"
        " where client_id = $1"
    ),
    (
        "update clinic.medication_decision set days = (select array_agg(day - $2::int) from unnest(days) day),"
        " last_taken_on = last_taken_on - $2::int, decided_at = decided_at - $2::int * interval '1 day'"
        " where client_id = $1"
    ),
    (
        "update clinic.episode set admitted_on = admitted_on - $2::int, period = tstzrange(lower(period)"
        " - $2::int * interval '1 day', upper(period) - $2::int * interval '1 day') where client_id = $1"
    ),
)
"""What a client's record is after so many days in which nothing happened: everything in it that much longer ago."""

FAR = 9000
"""More days than anybody's record has."""

MET: dict[str, Any] = {
    criterion: {"met": True}
    for criterion in (
        "no_condition_that_endangers",
        "attends_regularly",
        "no_behaviour_that_endangers",
        "no_known_diversion",
        "stores_safely",
        "otherwise_safe",
    )
}
BUPRENORPHINE: dict[str, Any] = {
    "medicine": "buprenorphine_naloxone",
    "form": "sublingual_film",
    "strength_mg": "8",
    "amounts_mg": {"whole": "16"},
}


@dataclass
class Homes:
    """A dispensary that hands out take-homes."""

    here: Dispensary
    administrator: Person
    supervisor: Person

    @property
    def clinic(self) -> Clinic:
        return self.here.clinic

    def day(self, number: int) -> date:
        return self.here.today + timedelta(days=number)

    async def days_pass(self, days: int, *, client: ClientId | None = None) -> None:
        for statement in PASSED:
            if "clinic.dose " in statement or "take_home_unit" in statement:
                # By way of days that nobody has: each day is somebody's until the other has left it.
                await self.as_owner(statement, client or self.here.client, days + FAR)
                await self.as_owner(statement, client or self.here.client, -FAR)
            else:
                await self.as_owner(statement, client or self.here.client, days)
        owner = await asyncpg.connect(self.clinic.addresses.owner)
        await move_order_days(owner, client or self.here.client, days)
        await owner.close()

    async def as_owner(self, statement: str, *given: Any) -> None:
        """What only the owner of the database can do, without its triggers: the past is made so."""
        owner = await asyncpg.connect(self.clinic.addresses.owner)
        try:
            await owner.execute("set session_replication_role = replica")
            await owner.execute(statement, *given)
        finally:
            await owner.close()

    async def allow(self) -> None:
        """The prescriber lets the dose of today be given in spite of the days that passed."""
        said = {"days": [str(self.here.today)], "reason": "Seen.", "at_most_mg": "60", "password": PASSWORD}
        kept = await self.here.prescriber.post(f"/clients/{self.here.client}/dosing-decisions", said)
        assert kept.status_code == 201, kept.text

    async def suspend(
        self, decision: dict[str, Any], *, by: Person | None = None, key: str | None = None, **said: Any
    ) -> httpx.Response:
        wanted = {"reason": "Sold one.", "review_on": str(self.day(14)), "password": PASSWORD, **said}
        path = f"/take-home-decisions/{decision['id']}/suspension"
        return await (by or self.here.prescriber).post(path, wanted, key=key)

    async def decide(
        self, days: int, *, by: Person | None = None, key: str | None = None, **said: Any
    ) -> httpx.Response:
        wish: dict[str, Any] = {
            "medicine": "methadone",
            "days": days,
            "answers": MET,
            "rationale": "Steady at work, locked box seen.",
            "review_on": str(self.day(90)),
            "password": PASSWORD,
        }
        path = f"/clients/{self.here.client}/take-home-decisions"
        return await (by or self.here.prescriber).post(path, {**wish, **said}, key=key)

    async def may_take(self, days: int, **said: Any) -> dict[str, Any]:
        kept = await self.decide(days, **said)
        assert kept.status_code == 201, kept.text
        return kept.json()

    async def hand_out(
        self, *days: int, by: Person | None = None, key: str | None = None, amount_mg: str = "60", **said: Any
    ) -> httpx.Response:
        """Hand out a unit for each of the days, counted from today."""
        units = [{"for_on": str(self.day(number)), "amount_mg": amount_mg} for number in days]
        wanted = {"units": units, "educated": True, "collected_by_client": "collected_by" not in said, **said}
        return await (by or self.here.nurse).post(f"/clients/{self.here.client}/take-homes", wanted, key=key or fresh())

    async def handed(self, *days: int, **said: Any) -> list[dict[str, Any]]:
        kept = await self.hand_out(*days, **said)
        assert kept.status_code == 201, kept.text
        return kept.json()["units"]

    async def report(
        self, *units: dict[str, Any], state: str = "empty", taken: bool = True, by: Person | None = None, **said: Any
    ) -> httpx.Response:
        """Say the same of several units."""
        reason = {"reason": said.pop("reason")} if "reason" in said else {}
        told = [{"unit_id": unit["id"], "state": state, "taken": taken, **reason} for unit in units]
        key = said.pop("key", None)
        path = f"/clients/{self.here.client}/take-home-returns"
        return await (by or self.here.nurse).post(path, {"units": told, **said}, key=key)

    async def close(self, *days: int) -> None:
        said = {"days": [str(self.day(number)) for number in days], "reason": "Closed"}
        kept = await self.supervisor.post(f"/programmes/{self.here.programme}/closure-days", said)
        assert kept.status_code == 201, kept.text

    async def read(self, by: Person | None = None) -> dict[str, Any]:
        answer = await (by or self.here.nurse).get(f"/clients/{self.here.client}/take-homes")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def stops(self) -> list[str]:
        """The rules in the way of today's dose by the chart, which the dispensing list says too."""
        due = (await self.here.chart())["due"]
        listed = await self.here.nurse.get(f"/programmes/{self.here.programme}/dispensing")
        [line] = [each for each in listed.json()["items"] if each["client_id"] == str(self.here.client)]
        assert line["due"] == due
        return [each["rule"] for each in due["in_the_way"]]


async def homes(clinic: Clinic, *, profile: str = "US", time_zone: str = "America/New_York", **order: Any) -> Homes:
    here = await dispensary(clinic, profile=profile, time_zone=time_zone)
    administrator = await clinic.person((Role.ADMINISTRATOR, None))
    supervisor = await clinic.person((Role.SUPERVISOR, here.programme))
    made = Homes(here=here, administrator=administrator, supervisor=supervisor)
    said = {"address": "1 Quay Street, Springfield", "telephone": "555 0100"}
    kept = await administrator.post(f"/programmes/{here.programme}/premises", said, key=fresh())
    assert kept.status_code == 201, kept.text
    return made


async def begun(clinic: Clinic, *, day_of_treatment: int = 31, **options: Any) -> tuple[Homes, dict[str, Any]]:
    """A client who is on that day of treatment: the first dose so long ago, and yesterday's, if it was not the first."""
    order = options.pop("order", {})
    made = await homes(clinic, **options)
    written = await made.here.order(**order)
    amount = next(iter(written["amounts_mg"].values()))
    assert (await made.here.give(written, amount_mg=amount)).status_code == 201
    if day_of_treatment > 2:
        await made.days_pass(day_of_treatment - 2)
        second = await made.here.give(written, amount_mg=amount)
        assert second.status_code in {201, 409}, second.text
        if second.status_code == 409:
            await made.allow()
            assert (await made.here.give(written, amount_mg=amount)).status_code == 201
    if day_of_treatment > 1:
        await made.days_pass(1)
    return made, written


def rules_of(refused: httpx.Response) -> list[str]:
    """The rules that a refusal names."""
    assert refused.status_code == 409, refused.text
    return [each["rule"] for each in refused.json()["facts"]["rules"]]
