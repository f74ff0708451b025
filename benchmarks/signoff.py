"""Signing fifty doses in one batch, and the queue of a signer with few and with very many past doses behind it."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import httpx

from benchmarks.clinic import Clinic
from benchmarks.stage import Served, Stage
from caseload.domain.people import token_digest
from caseload.request.passwords import Passwords

AT_ONCE = 50
BATCHES = 40
WAITING = 300
READS = 300
WARM = 20
FEW, MANY = 1_000, 1_000_000
_PASSWORD = "several unrelated words"  # noqa: S105  of a clinic that lasts as long as the run

_DOSES = """
insert into clinic.dose (id, version, client_id, programme_id, order_id, dosing_day, part, medicine, form, amount_mg,
    supervised, given_at, given_by, recorded_at, recorded_by, kind, entry, profile, profile_version)
  select uuidv7(), 1, client_id, programme_id, order_id, $1::date - day, 'morning', 'methadone', 'oral_solution', 40, true,
    $1::date - day, $2, $1::date - day, $2, 'ordinary', 'window', 'US', 1
  from generate_series($3::int, $4::int) day, bench_pair order by day, number limit $5
"""
_WAIT = """
insert into clinic.dose_waiting (dose_id, dose_version, programme_id, recorded_by, risk, sign_by)
  select id, version, programme_id, recorded_by, 5, now() + interval '1 day' from clinic.dose
  where dosing_day = $1::date - $2::int limit $3
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """How long something took, in milliseconds."""

    p50: float
    p95: float

    @classmethod
    def of(cls, seconds: list[float]) -> "Taken":
        """From what each took."""
        by_hundredths = statistics.quantiles(seconds, n=100)
        return cls(statistics.median(seconds) * 1000, by_hundredths[94] * 1000)

    def __str__(self) -> str:
        return f"{self.p50:.1f} ms p50, {self.p95:.1f} ms p95"


async def _give(stage: Stage, clinic: Clinic, *, first_day: int, doses: int, waiting: int) -> int:
    """Doses that the second nurse has given on days ago, of which so many of the last such day wait. Returns that day."""
    connection = await asyncpg.connect(stage.owner)
    try:
        giver = await connection.fetchval("select staff_id from bench_nurse where number = 2")
        last = first_day + (doses - 1) // len(clinic.clients)
        today = datetime.now(UTC).date()
        async with connection.transaction():
            # Nobody decided any of these: what the triggers hold was never in question.
            await connection.execute("set local session_replication_role = replica")
            await connection.execute(_DOSES, today, giver, first_day, last, doses)
            await connection.execute(_WAIT, today, first_day, waiting)
        await connection.execute("vacuum analyze clinic.dose, clinic.dose_waiting")
        return last
    finally:
        await connection.close()


async def _set_password(stage: Stage) -> None:
    """The first nurse can sign."""
    passwords = Passwords()
    try:
        hashed = await passwords.hash(_PASSWORD)
    finally:
        passwords.close()
    connection = await asyncpg.connect(stage.owner)
    try:
        await connection.execute(
            "insert into clinic.staff_password (staff_id, number, hash, set_by, set_at)"
            " select staff_id, 1, $1, staff_id, now() from bench_nurse where number = 1",
            hashed,
        )
    finally:
        await connection.close()


async def _signer(stage: Stage, clinic: Clinic) -> str:
    """The token of whoever has the password."""
    connection = await asyncpg.connect(stage.owner)
    try:
        digest = await connection.fetchval(
            "select token_digest from clinic.sign_in_session where staff_id ="
            " (select staff_id from bench_nurse where number = 1)"
        )
    finally:
        await connection.close()
    return next(token for token in clinic.nurses if token_digest(token) == digest)


def timed(do: Callable[[], httpx.Response], expected: int) -> float:
    """How long a request took in seconds; raises `RuntimeError` when it was answered otherwise."""
    began = time.perf_counter()
    answer = do()
    took = time.perf_counter() - began
    if answer.status_code != expected:
        message = f"{answer.status_code}: {answer.text[:300]}"
        raise RuntimeError(message)
    return took


async def batch(stage: Stage, clinic: Clinic, say: Callable[[str], None]) -> None:
    """Fifty doses as displayed, one POST, one proof: each batch of doses that nobody has signed."""
    await _set_password(stage)
    needed = AT_ONCE * (BATCHES + WARM)
    per_day = min(needed, len(clinic.clients))
    for day in range(-(-needed // per_day)):
        await _give(stage, clinic, first_day=day + 1, doses=per_day, waiting=per_day)
    token = await _signer(stage, clinic)
    with stage.serving() as served, _client(served, token) as http:
        waiting: list[UUID] = []
        after = ""
        while len(waiting) < needed:
            page = http.get(f"/api/v1/sign-off-queue?limit=200{after}").json()
            waiting += [line["dose"]["id"] for line in page["doses"]]
            after = f"&after={page['next']}"

        def sign(number: int) -> httpx.Response:
            doses = waiting[number * AT_ONCE : (number + 1) * AT_ONCE]
            said = {"doses": [{"dose_id": each, "version": 1} for each in doses], "password": _PASSWORD}
            return http.post("/api/v1/dose-sign-offs", json=said)

        took = [timed(lambda number=number: sign(number), 201) for number in range(BATCHES + WARM)][WARM:]
        alone = [
            timed(lambda: http.post("/api/v1/dose-sign-offs", json={"doses": [], "password": _PASSWORD}), 422)
            for _ in range(BATCHES)
        ]
    say(f"{AT_ONCE} in one batch, one after another: {Taken.of(took)}; the proof alone: {Taken.of(alone)}")


async def queue(stage: Stage, clinic: Clinic, say: Callable[[str], None]) -> None:
    """What waits for a signer, fifty lines of it, with a thousand and with a million past doses."""
    p50: list[float] = []
    day, behind = 100, 0
    for past in (FEW, MANY):
        day = 1 + await _give(stage, clinic, first_day=day, doses=past - behind, waiting=WAITING if behind == 0 else 0)
        behind = past
        token = await _signer(stage, clinic)
        with stage.serving() as served, _client(served, token) as http:
            took = [timed(lambda: http.get("/api/v1/sign-off-queue"), 200) for _ in range(READS + WARM)][WARM:]
        p50.append(Taken.of(took).p50)
        say(f"queue of {WAITING} with {past:,} past doses: {Taken.of(took)}")
    say(f"queue: p50 grows {p50[1] / p50[0]:.2f}-fold")


def _client(served: Served, token: str) -> httpx.Client:
    return httpx.Client(base_url=served.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
