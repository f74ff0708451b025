"""The register of a group of twelve, taken in one call and one transaction."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from benchmarks.clinic import PER_COUNSELLOR, Clinic
from benchmarks.signoff import Taken, timed
from benchmarks.stage import Stage

GROUP = 12
REGISTERS = 200
WARM = 20


def registers(stage: Stage, clinic: Clinic, say: Callable[[str], None]) -> None:
    """One register after another, each of another group of twelve clients of one counsellor."""
    with stage.serving() as served, httpx.Client(base_url=served.url, timeout=30) as http:
        http.headers["Authorization"] = f"Bearer {clinic.counsellors[0]}"
        groups = [_planned(http, clinic, number) for number in range(REGISTERS + WARM)]

        def take(session: str, lines: list[dict[str, Any]]) -> httpx.Response:
            return http.post(f"/api/v1/sessions/{session}/register", json={"lines": lines, "note": "Triggers"})

        took = [timed(lambda group=group: take(*group), 201) for group in groups][WARM:]
    say(f"register of {GROUP}: {Taken.of(took)}")


def _planned(http: httpx.Client, clinic: Clinic, number: int) -> tuple[str, list[dict[str, Any]]]:
    """A group that is over, and the lines of its register."""
    clients = http.get("/api/v1/caseload", params={"limit": PER_COUNSELLOR}).json()["items"][:GROUP]
    starts_at = datetime.now(UTC) - timedelta(hours=3 + number)
    named = [each["client_id"] for each in clients]
    made = http.post(
        f"/api/v1/programmes/{clinic.programme}/sessions",
        json={
            "kind": "group",
            "title": "Group",
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
            "clients": named,
        },
    )
    made.raise_for_status()
    lines = [{"client_id": each, "status": "attended"} for each in named]
    lines[0] |= {"status": "attended_late", "late_minutes": 10}
    return made.json()["session"]["id"], lines
