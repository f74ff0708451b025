"""Who saw my record, over HTTP: prepared, looked through, withheld from, released, and read in three forms."""

import csv
import hashlib
import io
import json
from base64 import b64decode
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from caseload.api.accessreport import files
from caseload.audit import canonical
from caseload.audit.item import Disclosure
from caseload.audit.leaf import from_base64url
from caseload.audit.tlog.checkpoint import open_checkpoint
from caseload.audit.tlog.merkle import includes, leaf_hash
from caseload.audit.tlog.proof import Proof
from caseload.domain.access import Role
from caseload.domain.accessreport import Line, grouped
from tests.api.conftest import Clinic, Person
from tests.factories.accesses import NOW, line
from tests.factories.sequenced import SIGNER, sequenced

pytestmark = pytest.mark.anyio

WHY = {"reason": "safety", "note": "She was threatened."}


@dataclass(frozen=True)
class Office:
    """A client whom people have looked at, and the privacy officer whom they ask."""

    clinic: Clinic
    client: str
    other: str
    nurse: Person
    stranger: Person
    officer: Person

    async def sign(self) -> None:
        """Let the log sign what it has."""
        owner = await asyncpg.connect(self.clinic.addresses.owner)
        await sequenced(owner)
        await owner.close()

    async def prepared(self, **asked: Any) -> str:
        await self.sign()
        made = await self.officer.post(f"/clients/{self.client}/access-reports", asked)
        assert made.status_code == 201, made.text
        return f"/access-reports/{made.json()['id']}"

    async def released(self, **asked: Any) -> str:
        report = await self.prepared(**asked)
        assert (await self.officer.post(f"{report}/release")).status_code == 201
        return report

    async def lines(self, report: str, **asked: Any) -> list[dict[str, Any]]:
        answer = await self.officer.get(f"{report}/lines", params={"limit": 200, **asked})
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]


@pytest.fixture
async def office(clinic: Clinic) -> Office:
    programme, elsewhere = await clinic.programme(), await clinic.programme()
    nurse = await clinic.person((Role.NURSE, programme), printed_name="Nora Field")
    stranger = await clinic.person((Role.NURSE, elsewhere), printed_name="=cmd()")
    officer = await clinic.person((Role.PRIVACY_OFFICER, programme), printed_name="Per Oslo")
    name = uuid4().hex
    clients: list[str] = []
    for given in ("Ada", "Eve"):
        identity = {"given_name": given, "family_name": name, "birth_date": "1984-02-29"}
        if given == "Eve":
            identity["birth_date"] = "1990-01-01"
        made = await nurse.post("/clients", {"programme_id": str(programme), "identity": identity})
        assert made.status_code == 201, made.text
        clients.append(made.json()["id"])
    for _ in range(2):
        assert (await nurse.get(f"/clients/{clients[0]}")).status_code == 200
    found = await nurse.post("/clients/search", {"name": name})
    assert len(found.json()["items"]) == 2, found.text
    assert (await stranger.get(f"/clients/{clients[0]}")).status_code == 404
    return Office(clinic, clients[0], clients[1], nurse, stranger, officer)


def check(told: dict[str, Any], checkpoint: str, client: str) -> None:
    """As the client's own expert does, with the file and the log's public key."""
    opened, _ = open_checkpoint(checkpoint.encode(), [SIGNER.key])
    proof, item = told["proof"], told["proof"]["item"]
    leaf = proof["leaf"].encode()
    path = [b64decode(each) for each in proof["hashes"]]
    assert includes(root=opened.root, size=opened.size, index=proof["index"], leaf=leaf_hash(leaf), path=path)
    said: Any = canonical.parse(leaf)
    assert said["id"] == told["entry"]
    hashes = tuple(b64decode(each) for each in item["hashes"])
    shown = Disclosure(item["position"], b64decode(item["salt"]), item["text"].encode(), hashes)
    assert shown.proves(root=from_base64url(said["subj"]["root"]), count=said["subj"]["n"])
    assert json.loads(item["text"])["c"] == client


@pytest.mark.parametrize("at_once", [1, 2, 3, 5, 100])
async def test_groups_are_whole_however_the_lines_come(at_once: int) -> None:
    zone = ZoneInfo("Europe/London")
    days = [0, 0, 1, 1, 1, 4, 5, 5, 9]
    lines = [line(at=NOW + timedelta(days=day, minutes=place)) for place, day in enumerate(days)]

    async def coming() -> AsyncGenerator[list[Line], None]:
        for start in range(0, len(lines), at_once):
            yield lines[start : start + at_once]

    found = [group async for some in files.by_group(coming(), zone) for group in some]
    assert found == grouped(lines, zone)


async def test_a_report_is_looked_through_and_leaves_with_the_proof_of_every_line(office: Office) -> None:
    report = await office.prepared()
    lines = await office.lines(report)
    kinds = [(each["manner"], each["who"], each["roles"]) for each in lines]
    assert kinds == [
        ("not_shown", "=cmd()", ["nurse"]),
        ("listed", "Nora Field", ["nurse"]),
        ("opened", "Nora Field", ["nurse"]),
        ("opened", "Nora Field", ["nurse"]),
        ("changed", "Nora Field", ["nurse"]),
    ]
    assert {each["why"] for each in lines} == {"care and treatment"}
    assert lines[2]["what"] == ["identity"]
    assert office.other not in json.dumps(lines)
    early = await office.officer.get(f"{report}/file", params={"format": "json"})
    assert (early.status_code, early.json()["type"]) == (409, "urn:caseload:problem:not-released")

    assert (await office.officer.post(f"{report}/withheld", {"entries": [lines[1]["entry"]], **WHY})).status_code == 204
    [withheld] = [each["withheld"] for each in await office.lines(report) if each["withheld"]]
    assert (withheld["reason"], withheld["by"]) == ("safety", str(office.officer.staff.id))
    released = await office.officer.post(f"{report}/release")
    assert (released.json()["lines"], released.json()["withheld"]) == (5, 1)
    for late in (
        await office.officer.post(f"{report}/release"),
        await office.officer.post(f"{report}/withheld", {"entries": [lines[0]["entry"]], **WHY}),
    ):
        assert (late.status_code, late.json()["type"]) == (409, "urn:caseload:problem:already-released")

    file = await office.officer.get(f"{report}/file", params={"format": "json"})

    assert file.status_code == 200, file.text
    said = file.json()
    assert (said["lines"], said["withheld"], said["client_id"]) == (5, {"safety": 1}, office.client)
    assert "verifying the whole log" in said["says"]
    groups = said["groups"]
    assert [(group["manner"], len(group["lines"])) for group in groups] == [
        ("changed", 1),
        ("opened", 2),
        ("not_shown", 1),
    ] or sorted((group["manner"], len(group["lines"])) for group in groups) == [
        ("changed", 1),
        ("not_shown", 1),
        ("opened", 2),
    ]
    told = [each for group in groups for each in group["lines"]]
    assert lines[1]["entry"] not in {each["entry"] for each in told}
    for each in told:
        check(each, said["checkpoint"], office.client)
    assert office.other not in file.text
    assert "threatened" not in file.text


async def test_the_file_for_a_spreadsheet_is_safe_and_says_what_is_missing(office: Office) -> None:
    report = await office.prepared()
    lines = await office.lines(report)
    await office.officer.post(f"{report}/withheld", {"entries": [lines[2]["entry"]], **WHY})
    await office.officer.post(f"{report}/release")
    file = await office.officer.get(f"{report}/file", params={"format": "csv"})
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    head, *rows = list(csv.reader(io.StringIO(file.text, newline="")))
    told = [dict(zip(head, row, strict=True)) for row in rows if not row[0].startswith("# ")]
    marked = {row[0]: row[1] for row in rows if row[0].startswith("# ")}
    assert {row["who"] for row in told} == {"'=cmd()", "Nora Field"}
    assert len(told) == 4
    assert (marked["# lines"], marked["# withheld: safety"]) == ("5", "1")
    signed, _ = open_checkpoint(marked["# checkpoint"].encode(), [SIGNER.key])
    assert signed.size > len(told)
    assert all(leaf_hash(row["leaf"].encode()) and row["hashes"] for row in told)


async def test_a_client_can_read_it_on_paper(office: Office) -> None:
    report = await office.released()
    file = await office.officer.get(f"{report}/file", params={"format": "pdf"})
    assert file.status_code == 200, file.text
    assert file.headers["content-type"] == "application/pdf"
    assert file.content.startswith(b"%PDF-")
    assert len(file.content) > 5_000


async def test_preparing_looking_and_sending_are_accesses_too_and_the_file_is_known_by_its_digest(
    office: Office,
) -> None:
    report = await office.released()
    file = await office.officer.get(f"{report}/file", params={"format": "csv"})
    accesses = (await office.officer.get(f"/clients/{office.client}/accesses")).json()["items"]
    events = [each["entry"]["event"] for each in accesses[:4]]
    assert events == [
        "access_report.sent",
        "access_report.send",
        "access_report.released",
        "access_report.prepared",
    ]
    assert {each["entry"]["purpose"] for each in accesses[:4]} == {"PATRQT"}
    facts = accesses[0]["did"][0]["facts"]
    assert facts == {"format": "csv", "octets": len(file.content), "sha256": hashlib.sha256(file.content).hexdigest()}


async def test_one_line_proves_itself_to_any_verifier_of_transparency_logs(office: Office) -> None:
    report = await office.prepared()
    first, *_ = await office.lines(report)
    text = await office.officer.get(f"{report}/lines/{first['entry']}/proof")
    assert text.status_code == 200, text.text
    assert text.headers["content-type"].startswith("text/plain")
    proof = Proof.parse(text.content)
    opened, _ = open_checkpoint(proof.checkpoint, [SIGNER.key])
    assert proof.proves(leaf_hash(first["proof"]["leaf"].encode()), size=opened.size, root=opened.root)
    assert (await office.officer.get(f"{report}/lines/{uuid4()}/proof")).status_code == 404


async def test_the_same_report_shows_the_same_lines_whatever_happens_later(office: Office) -> None:
    report = await office.prepared()
    before = await office.lines(report)
    await office.nurse.get(f"/clients/{office.client}")
    await office.sign()
    assert await office.lines(report) == before
    assert len(await office.lines(await office.prepared())) > len(before)
    pages = await office.lines(report, limit=2)
    pages += await office.lines(report, limit=200, after=pages[-1]["entry"])
    assert pages == before


async def test_reports_are_those_of_ones_own_programme(office: Office) -> None:
    report = await office.prepared(since="2026-01-01T00:00:00Z")
    elsewhere = await office.clinic.person((Role.PRIVACY_OFFICER, await office.clinic.programme()))
    for path in ("", "/lines", "/file?format=csv", f"/lines/{uuid4()}/proof"):
        assert (await elsewhere.get(report + path)).status_code == 404
    assert (await elsewhere.post(f"{report}/release")).status_code == 404
    assert (await elsewhere.post(f"/clients/{office.client}/access-reports", {})).status_code == 404
    assert (await elsewhere.get(f"/clients/{office.client}/access-reports")).status_code == 404
    assert (await office.officer.post(f"/clients/{uuid4()}/access-reports", {})).status_code == 404
    [listed] = (await office.officer.get(f"/clients/{office.client}/access-reports")).json()["items"]
    assert listed == (await office.officer.get(report)).json()
    wrong = await office.officer.post(f"{report}/withheld", {"entries": [str(uuid4())], **WHY})
    assert wrong.status_code == 404
    again = [await office.officer.post(f"/clients/{office.client}/access-reports", {}, key="k") for _ in range(2)]
    assert again[0].json() == again[1].json()
