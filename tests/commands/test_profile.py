"""`caseload profile`: what it shows, what differs, and which files it refuses."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from caseload.__main__ import cli
from caseload.domain.profiles import profiles
from caseload.settings import OperatorError


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["profile", *arguments])


def file(folder: Path, **changed: Any) -> str:
    """A second version of the UK profile with these changes."""
    whole = msgspec.json.decode(msgspec.json.encode(profiles()["UK"][0]))
    path = folder / "uk-2.json"
    path.write_bytes(msgspec.json.encode(whole | {"version": 2, "in_force_from": "2026-12-01"} | changed))
    return str(path)


@pytest.mark.parametrize("name", ["UK", "UK-1"])
def test_a_profile_is_shown_with_every_rule_and_its_source(name: str) -> None:
    shown = ran("show", name)
    assert shown.exit_code == 0
    assert "missed_doses.0.rungs.1.rule: uk.missed.3" in shown.output
    assert "ordering.starting.0.first_day_mg: 30" in shown.output
    assert shown.output.count(".source: ") >= 15


def test_the_version_in_force_on_a_day_is_shown() -> None:
    assert ran("show", "AU", "--on", "2003-01-01").output.splitlines()[1] == "version: 1"


def test_an_unknown_profile_names_those_there_are() -> None:
    refused = ran("show", "FR")
    assert refused.exit_code != 0
    assert "AU, UK, US, US-CA-BRIDGE" in str(refused.exception)


def test_a_difference_shows_both_values_and_what_is_looser() -> None:
    told = ran("diff", "US", "US-CA-BRIDGE-1").output
    assert "looser: methadone, 3 missed: ask_prescriber became give" in told
    same = ran("diff", "UK", "UK-1").output
    assert same == "UK-1 loosens nothing of UK-1.\n"


def test_the_profiles_of_the_installation_are_as_they_should_be() -> None:
    told = ran("validate")
    assert told.exit_code == 0
    assert [line.split("-1")[0] for line in told.output.splitlines()] == sorted(profiles())


def test_a_stricter_later_version_is_as_it_should_be(tmp_path: Path) -> None:
    interval = msgspec.to_builtins(profiles()["UK"][0].minimum_interval) | {"hours": 12}
    told = ran("validate", "--tightens", "UK", file(tmp_path, minimum_interval=interval))
    assert (told.exit_code, "UK-2, in force from 2026-12-01" in told.output) == (0, True)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"minimum_interval": {"rule": "uk.minimum_interval", "source": "s", "says": "s", "hours": 4}}, "8 became 4"),
        ({"in_force_from": "2015-01-01"}, "must rise together"),
        ({"version": 0}, "version must be 1"),
        ({"colour": "green"}, "unknown field"),
    ],
)
def test_a_file_that_is_looser_or_broken_is_refused_and_says_why(
    tmp_path: Path, changed: dict[str, Any], complaint: str
) -> None:
    refused = ran("validate", "--tightens", "UK", file(tmp_path, **changed))
    assert isinstance(refused.exception, OperatorError) or refused.exit_code == 1
    assert complaint in refused.output
