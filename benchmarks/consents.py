"""What deciding costs: one question against fifty consents, and what a refusal of somebody known costs beside a stranger's.

python -m benchmarks.consents
"""

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from uuid import UUID, uuid4

import asyncpg
import httpx

from benchmarks.clinic import Clinic
from benchmarks.stage import Stage
from caseload.domain.consent import (
    Category,
    Consent,
    ConsentKind,
    Expiry,
    Purpose,
    Question,
    Recipient,
    Signatory,
    Signature,
    may_tell,
    rules_on,
)
from caseload.domain.ids import ClientId, ConsentId, ProgrammeId, RelatedPersonId, StaffId, new_id

CONSENTS = 50
TIMES = 2_000
MOST_MS = 0.3
ELSEWHERE = 500
"""Clients of a programme that the asker has nothing to do with."""
PAIRS, WARM = 1_000, 100
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PROGRAMME, MOTHER = ProgrammeId(new_id()), RelatedPersonId(new_id())
RULES = rules_on("US", date(2026, 11, 23))


def decisions(said: Callable[[str], None]) -> None:
    """Milliseconds of CPU per decision: allowed, refused to somebody known, to a stranger, and without a check."""
    given = [_consent(number) for number in range(CONSENTS)]
    last = Recipient(name=f"Clinic {CONSENTS - 1}")
    cases = {
        "allowed by the last of them": (last, given, True),
        "refused to a stranger": (Recipient(name="Nobody in particular"), given, True),
        "refused of a client without consents": (last, (), True),
        "without a check of who asks": (last, given, False),
        "without a check, of a client without consents": (last, (), False),
    }
    for name, (recipient, consents, checked) in cases.items():
        took = _milliseconds(recipient, consents, checked=checked)
        said(f"{name}: {took:.3f} ms{'' if took < MOST_MS else f', more than {MOST_MS} ms'}")


def _milliseconds(recipient: Recipient, consents: Sequence[Consent], *, checked: bool) -> float:
    asked = Question(
        programme=PROGRAMME,
        recipient=recipient,
        category=Category.ATTENDANCE,
        purpose=Purpose.FAMILY_INVOLVEMENT,
        checked=checked,
    )
    began = time.process_time()
    for _ in range(TIMES):
        may_tell(asked, at=NOW, consents=consents, rules=RULES)
    return (time.process_time() - began) / TIMES * 1000


def _consent(number: int) -> Consent:
    signed_at = NOW - timedelta(days=100 - number)
    return Consent(
        id=ConsentId(new_id()),
        client=ClientId(new_id()),
        kind=ConsentKind.NAMED,
        form="us-named-2026-02",
        form_digest=bytes(32),
        discloser=PROGRAMME,
        recipients=(
            Recipient(name=f"Clinic {number}"),
            Recipient(name=f"Nurse of clinic {number}"),
            Recipient(person=MOTHER),
        ),
        categories=frozenset({Category.ATTENDANCE}),
        purposes=frozenset({Purpose.FAMILY_INVOLVEMENT}),
        expiry=Expiry(event="discharge"),
        expires_at=None,
        signature=Signature(signatory=Signatory.CLIENT, name="Sam Example", signed_at=signed_at),
        recorded_at=signed_at,
        recorded_by=StaffId(new_id()),
    )


_MOVE = """
with elsewhere as (
  insert into clinic.programme (id, code, name, time_zone, profile, opened_at)
    values ($1, 'ELSEWHERE', 'Elsewhere', 'Etc/UTC', 'US', now() - interval '1 year') returning id
)
update clinic.client set programme_id = elsewhere.id from elsewhere where client.id = any($2::uuid[])
"""


def refusals(stage: Stage, clinic: Clinic, said: Callable[[str], None]) -> None:
    """A question about a client of another programme and one about nobody, in turns: how far apart they are in time."""
    asyncio.run(_move(stage, clinic.clients[-ELSEWHERE:]))
    took: dict[str, list[float]] = {"a client elsewhere": [], "nobody": []}
    with stage.serving() as served, httpx.Client(base_url=served.url, timeout=30) as http:
        http.headers["Authorization"] = f"Bearer {clinic.nurses[0]}"
        clients = cycle(clinic.clients[-ELSEWHERE:])
        for _ in range(PAIRS + WARM):
            for whose, asked in zip(took, (next(clients), uuid4()), strict=True):
                took[whose].append(_refused(http, asked))
    middles = [statistics.median(each[WARM:]) for each in took.values()]
    spread = statistics.median(
        abs(one - other) for one, other in zip(*(each[WARM:] for each in took.values()), strict=True)
    )
    for whose, each in took.items():
        said(
            f"{whose}: {statistics.median(each[WARM:]):.3f} ms p50, {statistics.quantiles(each[WARM:], n=20)[-1]:.3f} p95"
        )
    said(
        f"apart by {abs(middles[0] - middles[1]) * 1e3:.0f} us in the middle, where two answers differ by {spread * 1e3:.0f}"
    )


async def _move(stage: Stage, clients: Sequence[UUID]) -> None:
    connection = await asyncpg.connect(stage.owner)
    try:
        await connection.execute(_MOVE, new_id(), clients)
    finally:
        await connection.close()


def _refused(http: httpx.Client, asked: UUID) -> float:
    """Milliseconds until the answer that there is no such client."""
    body = {
        "recipient": {"name": "Nobody in particular"},
        "categories": ["attendance"],
        "purpose": "family_involvement",
        "check": {"method": "in_person"},
    }
    began = time.perf_counter()
    answer = http.post(
        f"/api/v1/clients/{asked}/disclosure-questions", json=body, headers={"Idempotency-Key": str(new_id())}
    )
    took = (time.perf_counter() - began) * 1e3
    if answer.status_code != 404:
        raise SystemExit(answer.text)
    return took


if __name__ == "__main__":
    decisions(print)
