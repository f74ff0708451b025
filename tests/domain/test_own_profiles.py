"""A clinic's own variants of a profile: they may only tighten, and are refused before anything starts otherwise."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from caseload.domain.profiles import ProfileBroken, profile_on, profile_version, profiles, replace_brought
from caseload.domain.profiles.brought import bring
from caseload.request.own_profiles import bring_own_profiles
from caseload.settings import Settings, SettingsError

TIGHTER = {"hours": 20}


@pytest.fixture(autouse=True)
def ours_again() -> Iterator[None]:
    yield
    replace_brought({})


def variant(name: str = "UK-NORTH", **changed: Any) -> tuple[str, bytes]:
    """A variant of the UK profile with a longer interval between doses, and with these changes."""
    whole = msgspec.json.decode(msgspec.json.encode(profiles()["UK"][0]))
    interval = whole["minimum_interval"] | changed.pop("interval", TIGHTER)
    made = {"profile": name, "tightens": "UK", "in_force_from": "2026-12-01", "minimum_interval": interval}
    return f"{name.lower()}.json", msgspec.json.encode(whole | made | changed)


def test_a_stricter_variant_is_a_profile_like_ours() -> None:
    bring([variant()])
    assert "UK-NORTH" in profiles()
    assert profile_on("UK-NORTH", date(2026, 12, 1)).minimum_interval.hours == 20
    assert profile_version("UK-NORTH", 1).label == "UK-NORTH-1"
    bring([])
    assert "UK-NORTH" not in profiles()


def test_what_loosens_is_named_and_nothing_of_it_is_brought() -> None:
    with pytest.raises(ProfileBroken, match=r"may only tighten, and loosens UK-1: minimum_interval.hours"):
        bring([variant(interval={"hours": 1})])
    assert sorted(profiles()) == ["AU", "UK", "US", "US-CA-BRIDGE"]


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        (variant(tightens=None), "`tightens` must name the profile"),
        (variant(tightens="FR"), "`tightens` must name the profile"),
        (variant("AU-NORTH"), "its name must be UK-"),
        (variant("UK"), "its name must be UK-"),
        (variant(version=0), "version must be 1 or more"),
    ],
)
def test_it_says_what_it_rests_on_and_is_called_after_it(made: tuple[str, bytes], complaint: str) -> None:
    with pytest.raises(ProfileBroken, match=complaint):
        bring([made])


def test_a_later_version_of_ours_counts_while_the_variant_is_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = msgspec.to_builtins(profiles()["UK"][0])
    later = msgspec.convert(
        whole
        | {"version": 2, "in_force_from": date(2027, 6, 1)}
        | {"minimum_interval": whole["minimum_interval"] | {"hours": 22}},
        type(profiles()["UK"][0]),
    )
    ours = {**profiles(), "UK": (*profiles()["UK"], later)}
    monkeypatch.setattr("caseload.domain.profiles.brought.profiles", lambda: ours)
    with pytest.raises(ProfileBroken, match=r"loosens UK-2: minimum_interval\.hours"):
        bring([variant()])
    name, second = variant(version=2, in_force_from="2027-06-01", interval={"hours": 22})
    bring([variant(), (f"2-{name}", second)])


def test_the_folder_of_the_settings_is_read_and_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, profiles_dir=tmp_path)
    name, text = variant()
    (tmp_path / name).write_bytes(text)
    (tmp_path / "notes.txt").write_text("not a profile")
    bring_own_profiles(settings)
    assert "UK-NORTH" in profiles()
    (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(SettingsError, match=r"CASELOAD_PROFILES_DIR: uk-north\.json"):
        bring_own_profiles(settings)
    with pytest.raises(SettingsError, match="is no folder"):
        bring_own_profiles(Settings(data_dir=tmp_path, profiles_dir=tmp_path / "nowhere"))
    bring_own_profiles(Settings(data_dir=tmp_path))
    assert "UK-NORTH" not in profiles()
