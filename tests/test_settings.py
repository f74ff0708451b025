"""What may be decided by whoever runs the service, and what is refused."""

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from caseload.settings import Secret, Settings, SettingsError, default_data_dir, kept_secret, load

KEY = "0123456789abcdef" * 4


def test_texts_become_what_they_mean() -> None:
    settings = load({"CASELOAD_PORT": "9000", "CASELOAD_PRODUCTION": "false", "CASELOAD_DATA_DIR": "~/clinic"})
    assert (settings.port, settings.production) == (9000, False)
    assert settings.data_dir == Path("~/clinic").expanduser()


def test_an_empty_variable_counts_as_unset() -> None:
    assert load({"CASELOAD_PORT": ""}).port == 8000


def test_variables_of_others_are_left_alone() -> None:
    assert load({"PORT": "1", "CASE": "x"}).port == 8000


def test_a_misspelt_setting_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(SettingsError, match="CASELOAD_PRODUCTON is not a setting: did you mean CASELOAD_PRODUCTION"):
        load({"CASELOAD_PRODUCTON": "true"})


def test_only_secrets_are_read_from_files() -> None:
    with pytest.raises(SettingsError, match="CASELOAD_PORT_FILE is not a setting"):
        load({"CASELOAD_PORT_FILE": "/etc/port"})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CASELOAD_PORT", "0"),
        ("CASELOAD_PORT", "70000"),
        ("CASELOAD_PORT", "http"),
        ("CASELOAD_WORKERS", "0"),
        ("CASELOAD_DB_POOL_SIZE", "3"),
        ("CASELOAD_PRODUCTION", "perhaps"),
        ("CASELOAD_DB_POOLER", "session"),
        ("CASELOAD_DRAIN_SECONDS", "-1"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable} cannot be used: ") as refused:
        load({variable: value})
    assert "\n" not in str(refused.value)


def test_a_secret_is_read_from_a_file_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://caseload:hunter2@db/clinic\n")
    settings = load({"CASELOAD_DATABASE_URL_FILE": str(file)})
    assert settings.database_url == Secret("postgresql://caseload:hunter2@db/clinic")
    assert settings.database_url is not None
    for shown in (repr(settings), str(settings.database_url), f"{settings.database_url}"):
        assert "hunter2" not in shown
        assert "***" in shown


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    with pytest.raises(SettingsError, match="are both set"):
        load({"CASELOAD_ROOT_KEY": KEY, "CASELOAD_ROOT_KEY_FILE": str(file)})


def test_a_secret_file_that_is_not_there_is_named_by_its_variable() -> None:
    with pytest.raises(SettingsError, match="CASELOAD_ROOT_KEY_FILE names a file that cannot be read"):
        load({"CASELOAD_ROOT_KEY_FILE": "/nowhere/at/all"})


def test_a_root_key_of_another_shape_is_refused_without_showing_it() -> None:
    with pytest.raises(SettingsError, match="64 hexadecimal digits") as refused:
        load({"CASELOAD_ROOT_KEY": "correct horse"})
    assert "correct horse" not in str(refused.value)


def in_production(folder: Path, **more: str) -> Settings:
    return load({"CASELOAD_PRODUCTION": "true", "CASELOAD_DATA_DIR": str(folder)} | more)


def test_production_refuses_to_make_up_a_secret_and_says_which_command_to_run(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"root\.key is missing\. In production run `caseload keys make` [^\n]*$"):
        in_production(tmp_path)
    with pytest.raises(SettingsError, match=r"postgres\.password is missing\. .*`caseload keys make`"):
        in_production(tmp_path, CASELOAD_ROOT_KEY=KEY)
    assert in_production(tmp_path, CASELOAD_ROOT_KEY=KEY, CASELOAD_DATABASE_URL="postgresql://db/clinic").production
    assert not list(tmp_path.iterdir())


def test_production_refuses_a_secret_that_a_start_outside_production_made_up(tmp_path: Path) -> None:
    kept_secret(tmp_path / "secrets" / "root.key")
    with pytest.raises(SettingsError, match=r"root\.key was made up at a start outside production\. .*keys make"):
        in_production(tmp_path)


def test_production_takes_secrets_that_were_brought(tmp_path: Path) -> None:
    brought = {
        name: kept_secret(tmp_path / "secrets" / name, brought=True)
        for name in ("root.key", "postgres.password", "caseload.password", "caseload_sequencer.password")
    }
    settings = in_production(tmp_path)
    assert settings.key_for("a") == settings.key_for("a") != settings.key_for("b")
    assert kept_secret(tmp_path / "secrets" / "root.key") == brought["root.key"]


def test_each_purpose_has_a_key_of_its_own_that_stays_the_same(tmp_path: Path) -> None:
    first, again = (load({"CASELOAD_DATA_DIR": str(tmp_path)}) for _ in range(2))
    assert first.key_for("a") == again.key_for("a") != first.key_for("b")
    assert len(first.key_for("a")) == 32


def test_the_derivation_is_hkdf_expand() -> None:
    with_library = HKDFExpand(hashes.SHA256(), length=32, info=b"idempotency").derive(bytes.fromhex(KEY))
    assert load({"CASELOAD_ROOT_KEY": KEY}).key_for("idempotency") == with_library


def test_a_kept_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "key"
    first = kept_secret(path)
    assert kept_secret(path) == first
    assert len(first.reveal()) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["key"]


@pytest.mark.parametrize(
    ("user", "base", "expected"),
    [(0, "/x", "/var/lib/caseload"), (1000, "/x", "/x/caseload"), (1000, "", "~/.local/share/caseload")],
)
def test_where_things_are_kept_by_default(monkeypatch: pytest.MonkeyPatch, user: int, base: str, expected: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setenv("XDG_DATA_HOME", base)
    assert default_data_dir() == Path(expected).expanduser()
