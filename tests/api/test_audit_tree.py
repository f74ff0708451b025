"""The tree over HTTP: what an auditor fetches is checked with nothing but the log's key, and fetching is an entry."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from shutil import copytree
from urllib.parse import quote
from uuid import UUID, uuid4
from zipfile import ZipFile

import asyncpg
import pytest
from msgspec import structs

from caseload.app import Application
from caseload.audit.keystore import FolderOfKeys
from caseload.audit.pace import Pace
from caseload.audit.sequencer import Sequencer
from caseload.audit.tlog import prove
from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.consistency import is_consistent
from caseload.audit.tlog.merkle import includes, leaf_hash, root_of
from caseload.audit.tlog.policy import KnownLog, Policy
from caseload.audit.tlog.proof import Proof
from caseload.audit.tlog.spelling import from_base64
from caseload.audit.tlog.tile import TileName, entries_in, hashes_in
from caseload.domain.access import Role
from caseload.request import bundling
from caseload.request.bundling import make_bundles
from caseload.settings import Secret, Settings
from tests.api.conftest import Clinic, Person
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio

NAME = "log.example/clinic"
STARTED = 5
"""The entry by which the process says that it serves, and one for each of the four keys that it holds."""
PATIENCE_SECONDS = 120.0


@dataclass
class Sequenced:
    """A clinic of the test's own, whose log is put in order when the test says so."""

    clinic: Clinic
    sequencer: Sequencer
    policy: Policy
    owner: asyncpg.Connection

    async def sequence(self) -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(self.sequencer.run(stop))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await self.owner.fetchval(  # noqa: ASYNC110  the database makes it happen
                "select not exists (select from audit.queue) and exists (select from audit.checkpoint_signature"
                " where size = (select max(idx) + 1 from audit.entry))"
            ):
                await asyncio.sleep(0.01)
        stop.set()
        await running

    async def checkpoint(self, by: Person) -> Checkpoint:
        answer = await by.get("/audit/log/checkpoint")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        return self.policy.judge(answer.content).checkpoint


@pytest.fixture
async def log(throwaway_database: Addresses, tmp_path: Path) -> AsyncIterator[Sequenced]:
    application = Application(Settings(database_url=Secret(throwaway_database.service), data_dir=tmp_path))
    keys = FolderOfKeys(tmp_path / "keys", may_make=True)
    owner = await asyncpg.connect(throwaway_database.owner)
    sequencer = Sequencer(
        lambda: asyncpg.connect(throwaway_database.sequencer),
        keys,
        name=NAME,
        organisation="caseload",
        pace=Pace(round_seconds=0.01),
    )
    policy = Policy(logs=tuple(KnownLog(signer.key) for signer in keys.signers(f"{NAME}/1")))
    async with application.litestar.lifespan():
        assert application.service is not None
        yield Sequenced(Clinic(application, application.service, throwaway_database), sequencer, policy, owner)
    await owner.close()


async def test_what_is_fetched_leads_from_the_entries_to_the_signed_root(log: Sequenced) -> None:
    auditor = await log.clinic.person((Role.AUDITOR, None))
    assert (await auditor.get("/audit/log/checkpoint")).status_code == 404
    for _ in range(260):
        await auditor.get("/audit/entries?limit=1")
    await log.sequence()
    newest = await log.checkpoint(auditor)
    assert newest.size == STARTED + 261
    hashes: list[bytes] = []
    for name in (TileName(None, 0), TileName(None, 1, STARTED + 5)):
        answer = await auditor.get(f"/audit/log/{name.path()}")
        assert answer.headers["content-type"] == "application/octet-stream"
        hashes += [leaf_hash(entry) for entry in entries_in(answer.content, width=name.width)]
    assert root_of(hashes) == newest.root
    whole = hashes_in((await auditor.get("/audit/log/tile/0/000")).content, width=256)
    assert whole == hashes[:256]
    assert hashes_in((await auditor.get("/audit/log/tile/0/000.p/7")).content, width=7) == hashes[:7]
    assert hashes_in((await auditor.get("/audit/log/tile/1/000.p/1")).content, width=1) == [root_of(whole)]

    path = [
        from_base64(each)
        for each in (await auditor.get("/audit/log/proofs/inclusion?index=9&size=200")).json()["hashes"]
    ]
    assert includes(root=root_of(hashes[:200]), size=200, index=9, leaf=hashes[9], path=path)
    path = [
        from_base64(each)
        for each in (await auditor.get(f"/audit/log/proofs/consistency?old=77&new={newest.size}")).json()["hashes"]
    ]
    assert is_consistent(old=77, old_root=root_of(hashes[:77]), new=newest.size, new_root=newest.root, path=path)


async def test_an_answer_carries_a_receipt_that_is_found_in_a_later_tree(log: Sequenced) -> None:
    auditor = await log.clinic.person((Role.AUDITOR, None))
    early = await auditor.get("/audit/entries")
    refused = await auditor.get(f"/clients/{uuid4()}")
    assert refused.status_code == 404
    assert "audit-checkpoint" not in early.headers
    for answer in (early, refused):
        pending = await auditor.get(f"/audit/entries/{answer.headers['audit-entry']}/proof")
        assert pending.status_code == 404
    await log.sequence()
    for answer in (early, refused):
        text = await auditor.get(f"/audit/entries/{answer.headers['audit-entry']}/proof")
        proof = Proof.parse(text.content)
        found = log.policy.judge(proof.checkpoint).checkpoint
        assert proof.proves(from_base64(answer.headers["audit-receipt"]), size=found.size, root=found.root)
    async with log.clinic.service.engine.connect() as connection:
        await log.clinic.service.newest.look(connection)
    size, _, prefix = (await auditor.get("/audit/entries")).headers["audit-checkpoint"].partition(";")
    newest = await log.checkpoint(auditor)
    assert int(size) == newest.size
    assert from_base64(prefix) == newest.root[:12]


async def test_beyond_the_signed_tree_there_is_nothing(log: Sequenced) -> None:
    auditor = await log.clinic.person((Role.AUDITOR, None))
    for _ in range(6 - STARTED):
        await auditor.get("/audit/entries")
    await log.sequence()
    await auditor.get("/audit/entries")
    for path in (
        "tile/0/000.p/7", "tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1", "tile/9/000.p/1", "tile/entries/000.p/7",
        "tile/entries/001", "tile/0/x000/000.p/1", "tile/data/000", "tile/0/000.p/0", "tile/" + quote("cafe\u0301"),
        "tile/" + "9" * 300, "tile/%2e%2e/checkpoint", "proofs/inclusion?index=6&size=6",
        "proofs/inclusion?index=0&size=7", "proofs/consistency?old=6&new=2", "proofs/consistency?old=1&new=7",
    ):  # fmt: skip
        answer = await auditor.get(f"/audit/log/{path}")
        assert answer.status_code == 404, (path, answer.text)
        assert "audit-entry" in answer.headers, path
    beyond = 2**53
    for path in (
        "proofs/inclusion?index=-1&size=3",
        "proofs/inclusion?size=3",
        "proofs/consistency?old=0&new=3",
        f"proofs/inclusion?index=0&size={beyond}",
        f"proofs/consistency?old=1&new={beyond**2}",
        f"proofs/consistency?old=1&new={-(beyond**2)}",
    ):
        assert (await auditor.get(f"/audit/log/{path}")).status_code in {400, 422}, path


async def test_reading_the_tree_is_for_who_may_read_the_whole_log_and_is_an_entry(log: Sequenced) -> None:
    programme = await log.clinic.programme()
    auditor = await log.clinic.person((Role.PRIVACY_OFFICER, None))
    of_a_part = await log.clinic.person((Role.AUDITOR, programme))
    nurse = await log.clinic.person((Role.NURSE, programme))
    shown = await auditor.get("/audit/entries")
    await log.sequence()
    paths = (
        "log/checkpoint", "log/tile/0/000.p/1", "log/tile/entries/000.p/1", "log/proofs/inclusion?index=0&size=1",
        "log/proofs/consistency?old=1&new=1", f"entries/{shown.headers['audit-entry']}/proof",
    )  # fmt: skip
    for path in paths:
        for person, status in ((auditor, 200), (of_a_part, 403), (nurse, 403)):
            assert (await person.get(f"/audit/{path}")).status_code == status, path
    entries = (await auditor.get(f"/audit/entries?actor={auditor.staff.id}")).json()["items"]
    read = [entry for entry in entries if entry["event"] == "log_tile.read"]
    assert [entry["about"][-1] for entry in read] == [
        {"asked": {"tile": "/entries/000.p/1"}},
        {"asked": {"tile": "/0/000.p/1"}},
    ]
    assert {entry["event"] for entry in entries} >= {
        "log_checkpoint.read", "log_inclusion.prove", "log_consistency.prove", "audit_entry.prove",
    }  # fmt: skip


async def test_an_export_that_proves_itself_is_asked_for_made_and_fetched(log: Sequenced) -> None:
    auditor = await log.clinic.person((Role.AUDITOR, None))
    asked = (await auditor.post("/audit/bundles", {})).json()
    await log.sequence()
    await make_bundles(log.clinic.service)
    where = f"/audit/bundles/{asked['id']}"
    told = (await auditor.get(where)).json()
    assert (told["state"], told["written"], told["problem"]) == ("done", STARTED + 1, None)
    fetched = await auditor.get(f"{where}/file")
    assert (fetched.status_code, fetched.headers["content-type"]) == (200, "application/zip")
    assert len(fetched.content) == told["octets"]
    with ZipFile(BytesIO(fetched.content)) as archive:
        assert sha256(archive.read("manifest.json")).hexdigest() == told["sha256"]
        assert log.policy.judge(archive.read("checkpoint")).checkpoint.size == STARTED + 1
    assert UUID(fetched.headers["audit-entry"])


async def test_what_one_machine_has_made_is_fetched_from_another(log: Sequenced, tmp_path: Path) -> None:
    here = log.clinic
    auditor, settings = await here.person((Role.AUDITOR, None)), here.service.settings
    asked = (await auditor.post("/audit/bundles", {})).json()
    await log.sequence()
    elsewhere = tmp_path / "elsewhere"
    for brought in ("keys", "secrets"):
        copytree(settings.data_dir / brought, elsewhere / brought)
    there = Application(structs.replace(settings, data_dir=elsewhere))
    async with there.litestar.lifespan():
        assert there.service is not None
        await make_bundles(there.service)
        where = f"/audit/bundles/{asked['id']}/file"
        theirs = Clinic(there, there.service, here.addresses).client(auditor.http.headers["Authorization"].split()[1])
        fetched = [await auditor.get(where), await theirs.get(f"/api/v1{where}")]
    assert [answer.status_code for answer in fetched] == [200, 200]
    assert fetched[0].content == fetched[1].content
    with ZipFile(BytesIO(fetched[0].content)) as archive:
        log.policy.judge(archive.read("checkpoint"))
    assert list(bundling.scratch(here.service).glob("*")) == list(bundling.scratch(there.service).glob("*")) == []
    await log.owner.execute("delete from clinic.bundle_piece")  # as after a restore: backups leave archives out
    assert (await auditor.get(where)).status_code == 404


def test_what_a_proof_needs_is_what_is_asked_for() -> None:
    assert {tile.path() for tile in prove.inclusion_tiles(9, 200)} == {"tile/0/000.p/200"}
