"""The attacker, who has the database and sometimes the key: each attack gives the exit code and the sentence it should.

What is done here to a log in memory is done to a real database in `tests/audit/test_attacker.py`.
"""

import json
import os
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from caseload.audit import canonical
from caseload.audit.bundle import MANIFEST, Manifest
from caseload.audit.epoch import Loss
from caseload.audit.leaf import Act, Leaf, decode, encode, timestamp
from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.merkle import leaf_hash
from caseload.audit.tlog.note import Signature, cosign_text, sign_text, write_note
from caseload.audit.tlog.rotation import hand_over
from caseload.audit.verify import source
from caseload.audit.verify.folder import opened
from caseload.audit.verify.ledger import Ledger
from caseload.audit.verify.segment import ENTRIES as ENTRIES_AT_MOST
from caseload.audit.verify.verdict import Findings
from caseload.domain.accesslog import LaidOpen
from caseload.domain.ids import new_id
from tests.audit.verify.conftest import ENTRIES, SEEN_AT_SIZE, Auditor
from tests.factories.bundles import Change, MadeLog, a_policy, a_signer, a_witness, rewritten

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True, params=["at once", "tile by tile"])
def looked_at(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every attack is met twice: with all entries in one segment, and in as many segments as there are tiles."""
    if request.param == "tile by tile":
        monkeypatch.setattr(source, "_AT_ONCE", 1)


TILE_0 = "tile/0/000"
ENTRIES_0 = "tile/entries/000"


def changed(leaf: bytes) -> bytes:
    """Another event in the entry, spelt as it should be."""
    assert b'"ev":"check_in.listed"' in leaf
    return leaf.replace(b'"ev":"check_in.listed"', b'"ev":"check_in.missed"')


def a_leaf(number: int, *, boot: str = "another-process", milliseconds: int = 0, **fields: Any) -> bytes:
    entry = new_id()
    if milliseconds:
        entry = type(entry)(int=entry.int + (milliseconds << 80))
    said: dict[str, Any] = {
        "act": Act(auth="system", id="system"), "boot": boot, "ctr": number, "ev": "thing.happened", "id": str(entry),
        "op": "E", "org": "clinic-01", "out": 0, "purp": "TREAT", "req": str(new_id()), "route": "caseload test",
        "t": timestamp(entry), "v": 1,
    }  # fmt: skip
    return encode(Leaf(**said | fields))


def a_rotation(number: int, old: str, new: str, signature: str) -> bytes:
    """The entry `key.rotate`, as the sequencer writes it."""
    said = canonical.encode({"new": new, "old": old, "sig": signature})
    return a_leaf(number, ev="key.rotate").replace(b'"op":', b'"key":%b,"op":' % said)


def test_an_honest_log_is_valid_and_says_what_was_looked_at(bundle: Path, log: MadeLog, auditor: Auditor) -> None:
    found = auditor.verify(bundle, log.policy(), log.note(size=300), log.note())
    assert (found.code, found.text.splitlines()[0]) == (0, "VALID")
    assert found.says("all 600 entries", "with 3 other heads", "w0 at 2033-05-18", "views/auditevent.ndjson")
    assert not auditor.evidence.exists()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_several_processes_find_the_same(bundle: Path, log: MadeLog, auditor: Auditor, jobs: str) -> None:
    rewritten(bundle, ENTRIES_0, changed)
    found = auditor.verify(bundle, log.policy(), arguments=("--jobs", jobs, "--json"))
    said = json.loads(found.text)
    assert (found.code, said["exit"], said["verdict"]) == (1, 1, "invalid")
    assert [each for each in said["findings"] if each["kind"] == "changed"]
    assert (said["entries"], said["size"]) == (ENTRIES, ENTRIES)


def test_the_more_is_laid_open_the_fewer_entries_are_looked_at_at_once(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(bundle) as files:
        ledger = Ledger(files, Findings())
        beside = sum(ledger.size(name) for name in ledger.names if name.startswith(("disclosures", "views")))
        for of_all, entries in ((8.0, ENTRIES_AT_MOST), (0.9, 512), (0.5, 256), (0.0, 256)):
            monkeypatch.setattr(source, "_AT_ONCE", int(of_all * beside))
            assert source.entries_at_once(ledger) == entries


# In the database, before the export.


def test_a_changed_leaf_is_named(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    log.leaves[17] = changed(log.leaves[17])
    log.export(tmp_path / "out", laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 1
    assert found.says("Entry 17 has been changed since it was logged.")
    assert found.text.count("  - ") == 1


def test_a_leaf_that_is_no_leaf_any_more_is_named(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    log.leaves[17] = b'{"v":1.0}\n'
    log.export(tmp_path / "out")
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 1
    assert found.says("Entry 17 is not what an entry is: it is not canonical JSON", "Entry 17 has been changed")


def test_entries_that_changed_places_are_named(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    log.leaves[4], log.leaves[300] = log.leaves[300], log.leaves[4]
    log.export(tmp_path / "out", laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 1
    assert found.says("Entries 4 and 300 have changed places.")


def test_an_entry_that_is_gone_is_named_and_the_others_are_found_whole(
    log: MadeLog, auditor: Auditor, tmp_path: Path
) -> None:
    log.leaves[17] = b""
    log.export(tmp_path / "out", laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 1
    assert found.says("Entry 17 is missing: the log has its hash, and the entry is gone.")
    assert "Entry 18" not in found.text


def test_columns_that_say_something_else_are_named(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    log.export(tmp_path / "out", columns=[3])
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 1
    assert found.says("The database's columns for entry 3 say something else than the entry")


def test_a_tail_that_was_cut_off_is_a_rollback_for_whoever_kept_a_checkpoint(
    log: MadeLog, auditor: Auditor, tmp_path: Path
) -> None:
    kept = log.note()
    del log.leaves[500:], log.kept[500:]
    log.rebuild()
    log.export(tmp_path / "out")
    assert auditor.verify(tmp_path / "out", log.policy()).code == 0, "nothing in the bundle itself tells"
    found = auditor.verify(tmp_path / "out", log.policy(), kept)
    assert found.code == 3
    assert found.says("100 entries were taken off the end of the log")
    assert len(list(auditor.evidence.iterdir())) == 2


def test_a_tree_built_again_with_the_stolen_key_is_a_fork(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    kept = log.note(size=SEEN_AT_SIZE)
    log.leaves[17] = changed(log.leaves[17])
    log.rebuild()
    log.export(tmp_path / "out", laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "out", log.policy(), kept)
    assert found.code == 3
    assert found.says("There are two histories", "Both are signed by the log's key.", "Kept as evidence")
    assert {path.read_bytes() for path in auditor.evidence.iterdir()} == {kept, log.note()}


def test_a_tree_built_again_without_the_witness_does_not_meet_the_policy(
    log: MadeLog, auditor: Auditor, tmp_path: Path
) -> None:
    policy = log.policy()
    log.leaves[17] = changed(log.leaves[17])
    log.rebuild()
    log.witnesses = []
    log.export(tmp_path / "out", laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "out", policy)
    assert found.code == 4
    assert found.says("does not have the cosignatures that your policy asks for", "none of them signed")


async def test_last_weeks_dump_that_went_on_is_a_fork(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    kept = log.note()
    del log.leaves[500:], log.kept[500:]
    log.rebuild()
    await log.write(300)
    log.export(tmp_path / "out")
    found = auditor.verify(tmp_path / "out", log.policy(), kept)
    assert found.code == 3
    assert found.says("There are two histories: the log that", "with 600 entries")


async def test_a_clone_with_the_same_key_and_two_auditors_with_two_trees(
    log: MadeLog, auditor: Auditor, tmp_path: Path
) -> None:
    clone = log.copy()
    await log.write(50)
    await clone.write(50)
    log.export(tmp_path / "ours")
    clone.export(tmp_path / "theirs")
    for out in ("ours", "theirs"):
        assert auditor.verify(tmp_path / out, log.policy()).code == 0, "each alone is sound"
    found = auditor.verify(tmp_path / "theirs", log.policy(), log.note())
    assert found.code == 3
    assert found.says("There are two histories")


def test_the_log_itself_signing_two_trees_shows_in_the_older_heads(
    bundle: Path, log: MadeLog, auditor: Auditor
) -> None:
    text = Checkpoint(origin=log.signer.key.name, size=SEEN_AT_SIZE, root=os.urandom(32)).text()
    forged = write_note(text, [sign_text(text, log.signer)])
    rewritten(bundle, f"checkpoints/{SEEN_AT_SIZE}", lambda _: forged)
    found = auditor.verify(bundle, log.policy())
    assert found.code == 3
    assert found.says(f"checkpoints/{SEEN_AT_SIZE}", "There are two histories")


# Signatures.


def test_a_checkpoint_of_another_key_proves_nothing(bundle: Path, log: MadeLog, auditor: Auditor) -> None:
    found = auditor.verify(bundle, a_policy(a_signer()))
    assert found.code == 1
    assert found.says("is not signed as your policy asks", "Nothing in this bundle is proved.")


def test_the_policy_in_the_bundle_is_not_read(bundle: Path, log: MadeLog, auditor: Auditor) -> None:
    forger = a_signer()
    text = Checkpoint(origin=log.signer.key.name, size=ENTRIES, root=log.edge.root()).text()
    rewritten(bundle, "checkpoint", lambda _: write_note(text, [sign_text(text, forger)]))
    rewritten(bundle, "policy.txt", lambda _: a_policy(forger))
    assert auditor.verify(bundle, log.policy()).code == 1


def test_a_cosignature_of_another_log_condemns_the_note(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    policy, witness = log.policy(), log.witnesses[0]
    elsewhere = Checkpoint(origin="other.example/log", size=ENTRIES, root=log.edge.root()).text()
    replayed = cosign_text(elsewhere, witness, at=log.seen_at)
    log.witnesses = []
    log.export(tmp_path / "out", note=log.note(extra=[replayed]))
    found = auditor.verify(tmp_path / "out", policy)
    assert found.code == 1
    assert found.says("The signature of witness.example", "is not good")


def test_signatures_of_keys_nobody_knows_say_nothing(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    stranger = a_witness("stranger.example")
    extra = [Signature(stranger.key.name, stranger.key.key_id, os.urandom(72))]
    log.export(tmp_path / "out", note=log.note(extra=extra), laid_open=LaidOpen.NOTHING)
    assert auditor.verify(tmp_path / "out", log.policy()).code == 0


@pytest.mark.parametrize("forged", [False, True])
def test_a_key_is_handed_over_by_the_key_before_and_by_nobody_else(
    log: MadeLog, auditor: Auditor, tmp_path: Path, *, forged: bool
) -> None:
    new = a_signer()
    old, fresh, signature = hand_over(log.signer, new.key).encode()
    if forged:
        signature = hand_over(a_signer(), new.key).encode()[2]
    log.put([a_rotation(1, old, fresh, signature)])
    log.export(tmp_path / "out", laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "out", log.policy())
    if forged:
        assert found.code == 1
        assert found.says("Entry 600 says that the log has a new key, and the key before did not sign that.")
    else:
        assert found.code == 0
        assert found.says(f"Add it to your policy: log {new.key}")


def test_a_key_that_was_never_the_logs_cannot_hand_over(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    thief, new = a_signer(), a_signer()
    old, fresh, signature = hand_over(thief, new.key).encode()
    log.put([a_rotation(1, old, fresh, signature), a_leaf(2, ev="key.rotate")])
    log.export(tmp_path / "out", laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 1
    assert found.says("Entry 600 says", "the key that signed that was never the log's", "Entry 601 says")


def test_entries_that_were_lost_before_the_log_went_on_under_its_next_name_are_told_of(
    log: MadeLog, auditor: Auditor, tmp_path: Path
) -> None:
    seen = Checkpoint(origin="log.example/1", size=650, root=bytes(range(32)))
    restored = Checkpoint(origin="log.example/1", size=600, root=bytes(32))
    said = Loss(seen=seen, restored=restored, number=2).said
    log.put([a_leaf(1, ev="epoch.opened", route=said)])
    log.export(tmp_path / "out", laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 0
    assert found.says(
        "With entry 600 the log goes on under the name that ends in /2", "seen 650 entries (root 0001020304050607)",
        "600 were there, and 50 are lost",
    )  # fmt: skip
    log.put([a_leaf(2, ev="epoch.opened")])
    log.export(tmp_path / "untold", laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "untold", log.policy())
    assert found.code == 1
    assert found.says("Entry 601 says that the log has a new name, and not after what.")


# Before the log: what never got a place.


def test_numbers_that_never_appear_are_evidence_once_their_process_went_on(
    log: MadeLog, auditor: Auditor, tmp_path: Path
) -> None:
    log.put([a_leaf(1), a_leaf(2), a_leaf(6), a_leaf(7, milliseconds=90_000)])
    log.export(tmp_path / "out", laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 1
    assert found.says("Before entry 602 3 entries are missing: numbers 3 to 5 of process another-process")


def test_numbers_declared_void_or_still_under_way_are_none(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    log.put([a_leaf(1), a_leaf(5, void=((2, 4),)), a_leaf(9), a_leaf(8), a_leaf(10, milliseconds=30_000)])
    log.export(tmp_path / "out", laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 0
    assert found.says("numbers 6 to 7 of process another-process did not appear: under way when it ended")


def test_an_entry_that_stands_twice_is_named(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    log.put([log.leaves[3]])
    log.export(tmp_path / "out", laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 1
    assert found.says("Entry 600 bears number 4 of process")


def a_receipt(leaf: bytes) -> str:
    """What an answer carried: `Audit-Entry` and `Audit-Receipt`."""
    return f"{decode(leaf).id} {b64encode(leaf_hash(leaf)).decode()}\n"


async def test_a_receipt_for_an_entry_that_was_taken_away_is_evidence(
    log: MadeLog, auditor: Auditor, tmp_path: Path
) -> None:
    dropped, recent = a_leaf(9), a_leaf(10, milliseconds=90_000)
    log.put([a_leaf(11, milliseconds=100_000)])
    log.export(tmp_path / "out", laid_open=LaidOpen.NOTHING)
    kept = tmp_path / "receipts"
    kept.write_text(a_receipt(log.leaves[5]) + a_receipt(dropped) + "\n" + a_receipt(recent))
    found = auditor.verify(tmp_path / "out", log.policy(), arguments=("--receipts", str(kept)))
    assert found.code == 1
    assert found.says(
        f"entry {decode(dropped).id} of", "is not in the log: it was taken away.",
        f"entry {decode(recent).id} of", "which may not have had its place yet.",
    )  # fmt: skip
    assert decode(log.leaves[5]).id not in found.text
    log.export(tmp_path / "choice", choice=[5])
    part = auditor.verify(tmp_path / "choice", log.policy(), arguments=("--receipts", str(kept)))
    assert (part.code, part.says("2 of your receipts are not in this part of the log")) == (4, True)
    kept.write_text("nothing of the kind")
    assert auditor.verify(tmp_path / "out", log.policy(), arguments=("--receipts", str(kept))).code == 2


# In the export, by whoever carries it.


@pytest.mark.parametrize(
    ("view", "line", "spot"),
    [
        ("views/entries.csv", 19, (b"check_in.listed", b"check_in.missed")),
        ("views/entries.ndjson", 18, (b"check_in.listed", b"check_in.missed")),
        ("views/auditevent.ndjson", 1, (b"check_in.listed", b"check_in.missed")),
    ],
)
def test_a_changed_line_of_a_view_is_named(
    bundle: Path, log: MadeLog, auditor: Auditor, view: str, line: int, spot: tuple[bytes, bytes]
) -> None:
    def change(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        lines[line - 1] = lines[line - 1].replace(*spot)
        return b"".join(lines)

    rewritten(bundle, view, change)
    found = auditor.verify(bundle, log.policy())
    assert found.code == 1
    assert found.says(f"Line {line} of {view} does not say what the entry in the log says.")
    assert found.text.count("  - ") == 1


OTHER_LINES: list[Change] = [
    lambda data: data + b"one more\r\n",
    lambda data: b"".join(data.splitlines(keepends=True)[:-1]),
    lambda data: b"".join(data.splitlines(keepends=True)[:7] + data.splitlines(keepends=True)[8:]),
    lambda data: data.replace(b"entry,at", b"at,entry", 1),
    lambda _: b"",
]


@pytest.mark.parametrize("change", OTHER_LINES)
def test_lines_put_into_a_view_or_left_out_are_found(
    bundle: Path, log: MadeLog, auditor: Auditor, change: Change
) -> None:
    rewritten(bundle, "views/entries.csv", change)
    found = auditor.verify(bundle, log.policy())
    assert found.code == 1
    assert "views/entries.csv" in found.text


def test_a_view_that_was_taken_out_with_its_line_in_the_manifest_is_no_lie(
    bundle: Path, log: MadeLog, auditor: Auditor
) -> None:
    rewritten(bundle, "views/entries.csv", lambda _: None)
    found = auditor.verify(bundle, log.policy())
    assert found.code == 0
    assert "entries.csv" not in found.text


def test_files_put_in_taken_out_and_changed_are_named(bundle: Path, log: MadeLog, auditor: Auditor) -> None:
    (bundle / "extra.txt").write_text("trust me")
    (bundle / "views" / "entries.csv").unlink()
    (bundle / "checkpoints" / str(SEEN_AT_SIZE)).write_bytes(log.note(size=SEEN_AT_SIZE, extra=[]) + b"")
    (bundle / "disclosures.jsonl").write_bytes(b"")
    found = auditor.verify(bundle, log.policy())
    assert found.code == 1
    assert found.says(
        "extra.txt was put in", "views/entries.csv is missing", "disclosures.jsonl is not the file that was"
    )


@pytest.mark.parametrize("name", ["checkpoint", TILE_0, ENTRIES_0, "tile/1/000.p/2", "tile/entries/002.p/88"])
def test_without_a_file_that_belongs_there_nothing_is_said_to_be_valid(
    bundle: Path, log: MadeLog, auditor: Auditor, name: str
) -> None:
    rewritten(bundle, name, lambda _: None)
    found = auditor.verify(bundle, log.policy())
    assert found.code == 1
    assert found.says(f"{name} belongs to such an export and is not there")


def test_an_entry_taken_out_of_a_bundle_is_told_from_changed_ones(bundle: Path, log: MadeLog, auditor: Auditor) -> None:
    _without_tree(bundle, log, [*log.leaves[:17], *log.leaves[18:256], log.leaves[256]])
    found = auditor.verify(bundle, log.policy())
    assert found.code == 1
    assert found.says("At place 17 an entry has been taken out")


def test_an_entry_put_into_a_bundle_is_told_from_changed_ones(bundle: Path, log: MadeLog, auditor: Auditor) -> None:
    _without_tree(bundle, log, [*log.leaves[:17], a_leaf(1), *log.leaves[17:255]])
    found = auditor.verify(bundle, log.policy())
    assert found.code == 1
    assert found.says("Before place 18 an entry has been put in")


def _without_tree(bundle: Path, log: MadeLog, leaves: list[bytes]) -> None:
    """Other entries in the first bundle, and nothing else changed."""
    data = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)
    rewritten(bundle, ENTRIES_0, lambda _: data)


def test_a_bundle_of_entries_that_is_cut_short_is_named(bundle: Path, log: MadeLog, auditor: Auditor) -> None:
    rewritten(bundle, ENTRIES_0, lambda data: data[:-1])
    found = auditor.verify(bundle, log.policy())
    assert found.code == 1
    assert found.says("The bundle with entries 0 to 255 is damaged")


def test_changed_tiles_are_told_from_changed_entries(bundle: Path, log: MadeLog, auditor: Auditor) -> None:
    rewritten(bundle, TILE_0, lambda data: os.urandom(32) + data[32:])
    found = auditor.verify(bundle, log.policy())
    assert found.code == 1
    assert found.says("The hash tiles were changed; the entries themselves lead to the signed root.")


def test_a_changed_tile_of_an_upper_level_is_named(bundle: Path, log: MadeLog, auditor: Auditor) -> None:
    rewritten(bundle, "tile/1/000.p/2", lambda data: data[:-1] + b"x")
    found = auditor.verify(bundle, log.policy())
    assert found.code == 1
    assert found.says("tile/1/000.p/2 does not hold the hashes of the tiles below it.")


def test_entries_and_tiles_changed_together_do_not_lead_to_the_signed_root(
    log: MadeLog, auditor: Auditor, tmp_path: Path
) -> None:
    note = log.note()
    log.leaves[17] = changed(log.leaves[17])
    log.rebuild()
    log.export(tmp_path / "out", note=note, laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 1
    assert found.says("These 600 entries are not the ones that the log's key signed")


def test_a_manifest_that_speaks_of_another_size_is_not_believed(bundle: Path, log: MadeLog, auditor: Auditor) -> None:
    path = bundle / MANIFEST
    path.write_bytes(Manifest.decode(path.read_bytes())._replace(size=ENTRIES + 1).encode())
    assert auditor.verify(bundle, log.policy()).code == 1


# Disclosures.


def test_what_is_laid_open_has_to_be_what_was_committed_to(bundle: Path, log: MadeLog, auditor: Auditor) -> None:
    rewritten(
        bundle, "disclosures.jsonl", lambda data: data.replace(b'saw\\":[\\"check_in', b'saw\\":[\\"chocolate', 1)
    )
    found = auditor.verify(bundle, log.policy())
    assert found.code == 1
    assert found.says("What is laid open of the clients of entry 0 does not hold")


WRONG_LINES: list[Callable[[list[bytes]], list[bytes]]] = [
    lambda lines: [lines[0].replace(b'"i":0,', b'"i":599,'), *lines[1:]],
    lambda lines: [lines[1], lines[0], *lines[2:]],
    lambda lines: [*lines, lines[0]],
    lambda lines: [b"{}\n", *lines],
    lambda lines: [lines[0].replace(b'"h":[', b'"h":[],"h":['), *lines[1:]],
    lambda lines: [lines[0].replace(b'"of":"clients"', b'"of":"facts"'), *lines[1:]],
    lambda lines: [lines[0].replace(b'"d":[[0,', b'"d":[[1e0,'), *lines[1:]],
]


@pytest.mark.parametrize("change", WRONG_LINES)
def test_a_disclosure_in_the_wrong_place_or_shape_is_found(
    bundle: Path, log: MadeLog, auditor: Auditor, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    rewritten(bundle, "disclosures.jsonl", lambda data: b"".join(change(data.splitlines(keepends=True))))
    assert auditor.verify(bundle, log.policy()).code == 1


def test_one_client_is_shown_without_the_others_on_the_list(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    client, others = log.clients[0], log.clients[1:]
    log.export(tmp_path / "out", choice=[1, 4, 9, 400], only=client, laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 0
    assert found.says(
        "4 entries out of 600; what else there is cannot be seen from them", "Laid open  4 of 13 mentions of clients"
    )
    files = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert str(client).encode() in files
    assert not [other for other in others if str(other).encode() in files]


# Spans and choices.


def test_a_span_proves_that_nothing_in_it_was_left_out(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    for number, span in enumerate([(0, 600), (0, 1), (599, 600), (255, 513), (17, 18), (256, 512)]):
        log.export(tmp_path / f"{number}", span=span, towards=[250])
        found = auditor.verify(tmp_path / f"{number}", log.policy(), log.note(size=250))
        assert found.code == 0, found.text
        assert found.says(f"entries {span[0]} to {span[1] - 1} of 600, with none left out")


@pytest.mark.parametrize("attack", ["changed", "left out", "moved"])
def test_a_span_with_a_hole_or_a_change_proves_nothing(
    log: MadeLog, auditor: Auditor, tmp_path: Path, attack: str
) -> None:
    log.export(tmp_path / "out", span=(100, 400))

    def change(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        if attack == "changed":
            lines[7] = changed(lines[7])
        elif attack == "moved":
            lines[7], lines[8] = lines[8], lines[7]
        else:
            del lines[7]
        return b"".join(lines)

    rewritten(tmp_path / "out", "views/entries.ndjson", change)
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 1
    sentence = "ends with line 299" if attack == "left out" else "These are not the entries 100 to 399 of the log"
    assert found.says(sentence)


def test_an_older_head_is_compared_by_proof_and_a_forged_one_is_a_fork(
    log: MadeLog, auditor: Auditor, tmp_path: Path
) -> None:
    log.export(tmp_path / "out", choice=[5, 6], towards=[SEEN_AT_SIZE])
    assert auditor.verify(tmp_path / "out", log.policy(), log.note(size=SEEN_AT_SIZE)).code == 0
    other = auditor.verify(tmp_path / "out", log.policy(), log.note(size=100))
    assert other.code == 4
    assert other.says("it has no proof towards it")
    text = Checkpoint(origin=log.signer.key.name, size=SEEN_AT_SIZE, root=os.urandom(32)).text()
    forged = auditor.verify(tmp_path / "out", log.policy(), write_note(text, [sign_text(text, log.signer)]))
    assert forged.code == 3


@pytest.mark.parametrize("attack", ["leaf", "proof", "order"])
def test_a_choice_is_proved_line_by_line(log: MadeLog, auditor: Auditor, tmp_path: Path, attack: str) -> None:
    log.export(tmp_path / "out", choice=[5, 6, 300])
    name = "views/entries.ndjson" if attack == "leaf" else "proofs.jsonl"

    def change(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        if attack == "leaf":
            lines[1] = changed(lines[1])
        elif attack == "proof":
            lines[1] = lines[1].replace(b'"i":6', b'"i":7')
        else:
            lines.reverse()
        return b"".join(lines)

    rewritten(tmp_path / "out", name, change)
    found = auditor.verify(tmp_path / "out", log.policy())
    place = 7 if attack == "proof" else 6
    if attack == "order":
        assert (found.code, found.says("not in the order of the log")) == (2, True)
    else:
        assert found.code == 1
        assert found.says(
            f"Entry {place} is not what stands at its place in the log: its inclusion proof does not hold."
        )


def test_the_manifest_is_canonical(bundle: Path) -> None:
    assert canonical.parse((bundle / MANIFEST).read_bytes())


def test_a_copy_is_a_copy(log: MadeLog) -> None:
    again = log.copy()
    again.leaves[0] = b""
    assert log.leaves[0]
    assert replace(log).size == again.size
