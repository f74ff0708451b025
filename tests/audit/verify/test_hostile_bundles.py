"""Bundles that were made to hurt whoever opens them: each ends with exit code 2 and a sentence, and none with a trace."""

import io
import json
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caseload.audit.bundle import MANIFEST, Manifest
from caseload.audit.verify import folder
from caseload.audit.verify.cli import main
from tests.audit.verify.conftest import Auditor
from tests.factories.bundles import MadeLog, rewritten

pytestmark = pytest.mark.anyio

OUTSIDE = 0o120777 << 16
"""The attributes of a symbolic link in a zip archive."""


def packed(bundle: Path, to: Path, *, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(to, "w", compression, compresslevel=1) as archive:
        for path in sorted(bundle.rglob("*")):
            if path.is_file():
                archive.write(path, str(path.relative_to(bundle)))
    return to


def archived(to: Path, *members: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return to


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_an_archive_is_as_good_as_a_folder(
    bundle: Path, log: MadeLog, auditor: Auditor, tmp_path: Path, compression: int
) -> None:
    found = auditor.verify(packed(bundle, tmp_path / "bundle.zip", compression=compression), log.policy(), log.note())
    assert (found.code, found.text.splitlines()[0]) == (0, "VALID")


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "views/../../x",
        "views\\entries.csv",
        "a//b",
        ".hidden",
        "con/" * 9 + "x",
        "ünïcode",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(auditor: Auditor, log: MadeLog, tmp_path: Path, name: str) -> None:
    found = auditor.verify(archived(tmp_path / "b.zip", (name, b"x")), log.policy())
    assert found.code == 2
    assert found.says("is no name that a file of a bundle has")


def test_a_link_is_refused_wherever_it_points(bundle: Path, auditor: Auditor, log: MadeLog, tmp_path: Path) -> None:
    (bundle / "policy.txt").symlink_to("/etc/passwd")
    assert auditor.verify(bundle, log.policy()).says("policy.txt is a link")
    (bundle / "policy.txt").unlink()
    (bundle / "more").symlink_to(bundle / "views")
    found = auditor.verify(bundle, log.policy())
    assert (found.code, found.says("more is a link")) == (2, True)
    link = zipfile.ZipInfo("checkpoint")
    link.external_attr = OUTSIDE
    found = auditor.verify(archived(tmp_path / "b.zip", (link, b"/etc/passwd")), log.policy())
    assert (found.code, found.says("checkpoint is a link or a device")) == (2, True)


def test_a_pipe_that_would_wait_for_ever_is_refused(bundle: Path, auditor: Auditor, log: MadeLog) -> None:
    (bundle / "checkpoint").unlink()
    os.mkfifo(bundle / "checkpoint")
    found = auditor.verify(bundle, log.policy())
    assert (found.code, found.says("checkpoint is neither a file nor a folder")) == (2, True)


def test_a_file_that_becomes_a_link_meanwhile_is_not_followed(bundle: Path) -> None:
    with folder.opened(bundle) as files:
        (bundle / "checkpoint").unlink()
        (bundle / "checkpoint").symlink_to("/etc/passwd")
        with pytest.raises(folder.Unusable, match="checkpoint cannot be read"):
            files.open("checkpoint")


def test_an_archive_that_unpacks_to_many_times_its_size_is_refused_unread(
    auditor: Auditor, log: MadeLog, tmp_path: Path
) -> None:
    found = auditor.verify(archived(tmp_path / "b.zip", (MANIFEST, bytes(50_000_000))), log.policy())
    assert (found.code, found.says("would unpack to more than 200 times its size")) == (2, True)


def test_an_archive_whose_members_lie_over_each_other_is_refused(
    bundle: Path, auditor: Auditor, log: MadeLog, tmp_path: Path
) -> None:
    """Many names for one stretch of the archive: the sum of what is packed is more than there is."""
    path = archived(tmp_path / "b.zip", *((f"f{number}", os.urandom(1000)) for number in range(10)))
    data = bytearray(path.read_bytes())
    start = data.index(b"PK\x01\x02")
    first = int.from_bytes(data[start + 42 : start + 46], "little")
    while (start := data.find(b"PK\x01\x02", start + 4)) > 0:
        data[start + 20 : start + 24] = (900_000).to_bytes(4, "little")
        data[start + 42 : start + 46] = first.to_bytes(4, "little")
    path.write_bytes(data)
    assert auditor.verify(path, log.policy()).code == 2


def test_a_name_that_stands_twice_in_an_archive_is_refused(auditor: Auditor, log: MadeLog, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = archived(tmp_path / "b.zip", ("checkpoint", b"a"), ("checkpoint", b"b"))
    found = auditor.verify(path, log.policy())
    assert (found.code, found.says("checkpoint is there twice")) == (2, True)


def test_a_damaged_archive_ends_in_a_sentence(bundle: Path, auditor: Auditor, log: MadeLog, tmp_path: Path) -> None:
    path = packed(bundle, tmp_path / "b.zip")
    data = bytearray(path.read_bytes())
    for at in range(4000, len(data) // 2, 1000):
        data[at] ^= 0xFF
    path.write_bytes(data)
    found = auditor.verify(path, log.policy())
    assert found.code in {1, 2}
    for size in (0, 3, 1000, len(data) - 5):
        path.write_bytes(data[:size])
        assert auditor.verify(path, log.policy()).code == 2


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"format":"caseload-audit-bundle/1"}',
        b'{"format":"caseload-audit-bundle/1","format":"caseload-audit-bundle/1"}',
        b'{"size":1e400}',
        b'{"size":' + b"9" * 5000 + b"}",
        b'{"size":1.0}',
    ],
)
def test_a_manifest_that_is_none_is_refused(bundle: Path, auditor: Auditor, log: MadeLog, manifest: bytes) -> None:
    (bundle / MANIFEST).write_bytes(manifest)
    found = auditor.verify(bundle, log.policy())
    assert (found.code, found.says("manifest.json is not that of an export")) == (2, True)


PROMISES: list[Callable[[dict[str, Any]], dict[str, Any]]] = [
    lambda said: said | {"size": 2**53 - 1},
    lambda said: said | {"entries": 2**53 - 1, "scope": "span"},
    lambda said: said | {"scope": "everything"},
    lambda said: said | {"size": -1},
    lambda said: said | {"files": [*said["files"], said["files"][0]]},
    lambda said: said | {"files": [["checkpoint", 1, "00"]]},
    lambda said: said | {"files": said["files"] * 1000},
    lambda said: said | {"gone": "all"},
]


@pytest.mark.parametrize("change", PROMISES)
def test_a_manifest_that_promises_too_much_is_refused(
    bundle: Path, auditor: Auditor, log: MadeLog, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    path = bundle / MANIFEST
    said = change(json.loads(path.read_bytes()))
    path.write_bytes(json.dumps(said, sort_keys=True, separators=(",", ":")).encode())
    assert auditor.verify(bundle, log.policy()).code in {1, 2}


def test_files_larger_than_anything_of_their_kind_are_not_read(bundle: Path, auditor: Auditor, log: MadeLog) -> None:
    with (bundle / MANIFEST).open("r+b") as file:
        file.truncate(2**40)
    found = auditor.verify(bundle, log.policy())
    assert (found.code, found.says("manifest.json has 1,099,511,627,776 bytes")) == (2, True)


def test_a_line_without_an_end_is_not_read_into_memory(log: MadeLog, auditor: Auditor, tmp_path: Path) -> None:
    log.export(tmp_path / "out", span=(0, 10))
    rewritten(tmp_path / "out", "views/entries.ndjson", lambda _: b"x" * 1_000_000)
    found = auditor.verify(tmp_path / "out", log.policy())
    assert (found.code, found.says("Line 1 of views/entries.ndjson is longer than")) == (2, True)


@pytest.mark.parametrize("note", [b"", b"\x00", b"a\nb\nc\n", b"x" * 2_000_000, b"o\n1\nAAAA\n\n\xe2\x80\x94 o AAAA\n"])
def test_a_checkpoint_that_is_none_ends_in_a_sentence(
    bundle: Path, auditor: Auditor, log: MadeLog, note: bytes
) -> None:
    rewritten(bundle, "checkpoint", lambda _: note)
    assert auditor.verify(bundle, log.policy()).code in {1, 2}


@pytest.mark.parametrize("policy", [b"", b"quorum none\n", b"log x\nquorum none\n", b"\xff" * 100, b"x" * 2_000_000])
def test_a_policy_that_names_no_log_is_refused(bundle: Path, auditor: Auditor, policy: bytes) -> None:
    found = auditor.verify(bundle, policy)
    assert (found.code, found.text.splitlines()[0].startswith("UNUSABLE: ")) == (2, True)


def test_a_kept_checkpoint_that_the_log_did_not_sign_is_refused(bundle: Path, auditor: Auditor, log: MadeLog) -> None:
    found = auditor.verify(bundle, log.policy(), b"nothing")
    assert (found.code, found.says("known-0 is no checkpoint that a log of the policy signed")) == (2, True)


def test_what_is_not_there_or_no_bundle_is_told_apart(auditor: Auditor, log: MadeLog, tmp_path: Path) -> None:
    assert auditor.verify(tmp_path / "nothing", log.policy()).says("cannot be read: No such file")
    (tmp_path / "text").write_text("hello")
    assert auditor.verify(tmp_path / "text", log.policy()).says("neither a folder nor a zip archive")
    (tmp_path / "empty").mkdir()
    assert auditor.verify(tmp_path / "empty", log.policy()).says("There is no manifest.json in it.")
    assert auditor.verify(Path("/dev/null"), log.policy()).says("neither a folder nor a file")
    assert main([str(tmp_path / "empty"), "--policy", str(tmp_path / "missing"), "--json"], out=io.StringIO()) == 2


def test_whoever_asks_wrongly_is_told_how(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bundle"])
    assert ended.value.code == 2
    assert "--policy" in capsys.readouterr().err


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_whatever_is_changed_anywhere_is_found_and_never_a_trace(
    exported_once: Path, whole_log: MadeLog, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """One byte of one file, with and without a manifest that fits."""
    base = tmp_path_factory.mktemp("fuzzed")
    files = sorted(path for path in exported_once.rglob("*") if path.is_file())
    chosen = data.draw(st.sampled_from(files))
    for path in files:
        to = base / "bundle" / path.relative_to(exported_once)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.hardlink_to(path) if path != chosen else to.write_bytes(path.read_bytes())
    name = str(chosen.relative_to(exported_once))
    at = data.draw(st.integers(0, chosen.stat().st_size - 1))

    def change(whole: bytes) -> bytes:
        return whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]

    if name == MANIFEST or data.draw(st.booleans()):
        path = base / "bundle" / name
        path.write_bytes(change(path.read_bytes()))
    else:
        manifest = (base / "bundle" / MANIFEST).read_bytes()
        (base / "bundle" / MANIFEST).unlink()
        (base / "bundle" / MANIFEST).write_bytes(manifest)
        rewritten(base / "bundle", name, change)
    found = Auditor(base).verify(base / "bundle", whole_log.policy())
    assert found.code in {1, 2, 3, 4} or _says_the_same(exported_once, base / "bundle", name)


def _says_the_same(before: Path, after: Path, name: str) -> bool:
    """What a manifest says of when and why the export was made is nobody's proof."""
    if name != MANIFEST:
        return False
    one, other = (Manifest.decode((each / name).read_bytes()) for each in (before, after))
    return one._replace(made="", asked={}, gone=[], columns=[]) == other._replace(
        made="", asked={}, gone=[], columns=[]
    )


def test_an_export_is_its_owners_alone(log: MadeLog, tmp_path: Path) -> None:
    log.export(tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").rglob("*") if path.is_file()} == {0o600}
