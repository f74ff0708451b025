"""The folder of keys: made once, read by its owner alone, and never made in production."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from caseload.audit.keystore import FolderOfKeys, KeyName, KeyStoreUnusable, StoredKey


def test_a_missing_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    made = FolderOfKeys(folder, may_make=True).current(KeyName.LOG)
    assert made.number == 1
    assert len(made.secret) == 32
    assert stat.S_IMODE((folder / "log.1.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert FolderOfKeys(folder, may_make=True).current(KeyName.LOG) == made
    assert [path.name for path in folder.iterdir()] == ["log.1.key"], "no draft is left behind"


def test_keys_are_different_and_do_not_show_themselves(tmp_path: Path) -> None:
    store = FolderOfKeys(tmp_path, may_make=True)
    log, clients = store.current(KeyName.LOG), store.current(KeyName.CLIENT_KEYS)
    assert log.secret != clients.secret
    assert log.secret.hex() not in repr(log)


def test_processes_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    stores = [FolderOfKeys(tmp_path, may_make=True) for _ in range(32)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(current_log_key, stores))
    assert len({key.secret for key in made}) == 1


def test_the_highest_number_is_current_and_the_others_stay(tmp_path: Path) -> None:
    old = FolderOfKeys(tmp_path, may_make=True).current(KeyName.LOG)
    for number in (2, 10):
        write_key(tmp_path / f"log.{number}.key", f"{number:02d}" * 32)
    write_key(tmp_path / "log.99.key.bak", "ff" * 32)
    store = FolderOfKeys(tmp_path, may_make=True)
    assert store.current(KeyName.LOG).number == 10
    assert store.numbered(KeyName.LOG, 1) == old
    assert store.numbered(KeyName.LOG, 2).secret == bytes.fromhex("02" * 32)


def test_production_makes_no_key_and_takes_none_that_was_made_here(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreUnusable, match=r"log\.1\.key is missing.*`caseload keys make`"):
        FolderOfKeys(tmp_path, may_make=False).current(KeyName.LOG)
    assert not list(tmp_path.iterdir())
    FolderOfKeys(tmp_path, may_make=True).current(KeyName.LOG)
    with pytest.raises(KeyStoreUnusable, match=r"made up at a start outside production.*`caseload keys make`"):
        FolderOfKeys(tmp_path, may_make=False).current(KeyName.LOG)
    write_key(tmp_path / "log.2.key", "ab" * 32)
    assert FolderOfKeys(tmp_path, may_make=False).current(KeyName.LOG).secret == bytes.fromhex("ab" * 32)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    write_key(tmp_path / "log.1.key", "ab" * 32)
    (tmp_path / "log.1.key").chmod(mode)
    with pytest.raises(KeyStoreUnusable, match="chmod 600"):
        FolderOfKeys(tmp_path, may_make=True).current(KeyName.LOG)


@pytest.mark.parametrize("content", ["", "ab" * 31, "ab" * 33, "not a key", "\u00e9" * 64])
def test_a_file_that_is_not_a_key_is_refused_without_showing_it(tmp_path: Path, content: str) -> None:
    write_key(tmp_path / "log.1.key", content)
    with pytest.raises(KeyStoreUnusable) as refused:
        FolderOfKeys(tmp_path, may_make=True).current(KeyName.LOG)
    assert not content or content not in str(refused.value)


def current_log_key(store: FolderOfKeys) -> StoredKey:
    return store.current(KeyName.LOG)


def write_key(path: Path, content: str) -> None:
    path.write_text(content + "\n", encoding="utf-8")
    path.chmod(0o600)


def test_a_signing_key_is_made_when_asked_for_also_in_production_and_never_by_itself(tmp_path: Path) -> None:
    store = FolderOfKeys(tmp_path / "keys", may_make=False)
    with pytest.raises(KeyStoreUnusable, match="caseload audit keygen"):
        store.signers("log.example/1")
    made = store.add(KeyName.SIGNING)
    assert made.name == "log-signing.1.key"
    assert made.stat().st_mode & 0o777 == 0o600
    (first,) = store.signers("log.example/1")
    assert first.key.name == "log.example/1"
    assert store.add(KeyName.SIGNING).name == "log-signing.2.key"
    again = FolderOfKeys(tmp_path / "keys", may_make=False).signers("log.example/1")
    assert again[0].key == first.key
    assert len({signer.key.public for signer in again}) == 2


def test_where_keys_may_be_made_the_first_signing_key_is(tmp_path: Path) -> None:
    store = FolderOfKeys(tmp_path / "keys", may_make=True)
    assert not store.has(KeyName.SIGNING)
    (signer,) = store.signers("log.example/1")
    assert store.has(KeyName.SIGNING)
    with pytest.raises(KeyStoreUnusable, match="was made up at a start outside production"):
        FolderOfKeys(tmp_path / "keys", may_make=False).signers("log.example/1")
    assert FolderOfKeys(tmp_path / "keys", may_make=True).signers("log.example/1")[0].key == signer.key
