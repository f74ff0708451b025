"""Who lays everything open lays all of it open: what is kept back, or was taken away beside the entries, is seen."""

from pathlib import Path

import pytest

from caseload.audit.bundle import MANIFEST, Manifest, Opened, Scope
from caseload.audit.laying_open import Kept
from caseload.audit.pending import Outcome
from caseload.audit.verify.opened import Laid, Short
from caseload.domain.accesslog import LaidOpen
from tests.audit.verify.conftest import Auditor
from tests.factories.audit import a_pending
from tests.factories.bundles import MadeLog, rewritten

pytestmark = pytest.mark.anyio


async def erase(log: MadeLog, number: int = 1) -> None:
    """Destroy keys, and say so in the log."""
    for client in log.clients[:number]:
        del log.keys[client]
    await log.write(number, [a_pending(event="client.erased") for _ in range(number)])


def test_all_of_it_is_counted(bundle: Path, log: MadeLog, auditor: Auditor) -> None:
    found = auditor.verify(bundle, log.policy())
    assert found.code == 0
    assert found.says("Laid open  1,800 of 1,800 mentions of clients, 600 of 600 facts of requests")


def test_one_who_is_not_laid_open_and_was_not_erased_is_missed(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    del log.keys[log.clients[4]]
    log.export(tmp_path / "out")
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 1
    assert found.says(
        "Of entry 599, 1 of its clients are not laid open, and the log tells of 0 erasures after it (120 entries lack",
        "Laid open  1,680 of 1,800",
    )


async def test_one_who_was_erased_is_left_out_and_the_others_are_proved(
    log: MadeLog, auditor: Auditor, tmp_path: Path
) -> None:
    await erase(log)
    log.export(tmp_path / "out")
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 0
    assert found.says(
        "600 times a client of an entry is not laid open, as when clients were erased: the log tells of 1"
    )
    assert str(log.clients[0]).encode() not in (tmp_path / "out" / "disclosures.jsonl").read_bytes()


async def test_an_erasure_explains_one_client_of_an_entry_and_no_more(
    log: MadeLog, auditor: Auditor, tmp_path: Path
) -> None:
    await erase(log)
    del log.keys[log.clients[1]]
    log.export(tmp_path / "out")
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 1
    assert found.says("Of entry 599, 2 of its clients are not laid open, and the log tells of 1 erasures after it (480")


async def test_an_erasure_that_was_refused_explains_nothing(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    del log.keys[log.clients[0]]
    await log.write(1, [a_pending(event="client.erased", outcome=Outcome.REFUSED, status=409)])
    log.export(tmp_path / "out")
    assert auditor.verify(tmp_path / "out", log.policy()).code == 1


@pytest.mark.parametrize(("erased_at", "explained"), [("12:00:00", True), ("11:50:00", True), ("11:49:59", False)])
def test_an_erasure_explains_what_was_logged_before_it_and_shortly_after(erased_at: str, *, explained: bool) -> None:
    laid = Laid(clients=1, of_clients=2, short={1: Short(1, 7, "2026-11-22T12:00:00.000Z")})
    laid.erased.append(f"2026-11-22T{erased_at}.000Z")
    kinds = [each.verdict.name for each in laid.findings(Opened.CLIENTS, Scope.WHOLE)]
    assert kinds == ["VALID" if explained else "INVALID"]


def test_the_newest_entry_that_lacks_as_many_decides() -> None:
    first = Laid(short={1: Short(2, 3, "2026-11-22T12:00:00.000Z")})
    first.follow(Laid(short={1: Short(1, 9, "2026-11-22T12:00:01.000Z"), 2: Short(1, 8, "2026-11-22T12:00:00.500Z")}))
    assert first.short == {1: Short(3, 9, "2026-11-22T12:00:01.000Z"), 2: Short(1, 8, "2026-11-22T12:00:00.500Z")}


def test_what_an_entry_says_of_its_request_is_never_erased(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    log.kept[17] = log.kept[23] = Kept((), b"")
    log.export(tmp_path / "out", laid_open=LaidOpen.FACTS)
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 1
    assert found.says("What entry 17 says of its request is not laid open as promised (2 entries in all)")


def test_a_part_of_the_log_cannot_tell_who_was_erased(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    del log.keys[log.clients[0]]
    log.export(tmp_path / "out", span=(100, 200))
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 0
    assert found.says("100 times a client of an entry is not laid open", "ask for the whole log")


def test_who_was_promised_nothing_misses_nothing(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    log.export(tmp_path / "out", laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 0
    assert found.says("Laid open  0 of 1,800 mentions of clients, 0 of 600 facts of requests")
    assert not found.says("  - ")


def test_a_line_that_stands_twice_makes_up_for_no_other(bundle: Path, log: MadeLog, auditor: Auditor) -> None:
    lines = (bundle / "disclosures.jsonl").read_bytes().splitlines(keepends=True)
    clients = [at for at, line in enumerate(lines) if b'"of":"clients"' in line]
    twice = [*lines[: clients[0] + 1], lines[clients[0]], *lines[clients[0] + 1 :]]
    rewritten(bundle, "disclosures.jsonl", lambda _: b"".join(twice))
    found = auditor.verify(bundle, log.policy())
    assert found.code == 1
    assert found.says("Line 2 of disclosures.jsonl is not in the order of the log, or there twice.")


def test_what_was_promised_stands_in_the_manifest(bundle: Path) -> None:
    assert Manifest.decode((bundle / MANIFEST).read_bytes()).opened is Opened.CLIENTS
