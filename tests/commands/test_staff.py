"""`caseload staff` and `caseload programme`: a clinic's first administrators, from an empty database."""

import re
from collections.abc import Iterator

import pytest

from tests import processes
from tests.shared_server import Addresses, copied


@pytest.fixture(scope="module")
def addresses(server: Addresses) -> Iterator[Addresses]:
    with copied(server, "staff_commands") as found:
        yield found


def caseload(*arguments: str, addresses: Addresses) -> tuple[int, str, str]:
    with processes.folder() as folder:
        told = processes.run(
            "-m",
            "caseload",
            *arguments,
            CASELOAD_DATABASE_URL=addresses.service,
            CASELOAD_DATA_DIR=str(folder),
        )
    return told.returncode, told.stdout, told.stderr


def test_an_administrator_is_made_listed_reset_and_deactivated(addresses: Addresses) -> None:
    code, said, _ = caseload("staff", "add", "Ada", "--name", "Ada Nowak", "--administrator", addresses=addresses)
    assert code == 0
    assert said.startswith("Added ada as an administrator.\n")
    first = re.search(r"One-time secret: (([A-Z2-9]{5}-){4}[A-Z2-9]{5})\n", said)
    assert first is not None
    code, said, _ = caseload("staff", "list", addresses=addresses)
    assert (code, said.splitlines()[1].split()) == (0, ["ada", "Ada", "Nowak", "open", "administrator@all"])
    code, said, _ = caseload("staff", "reset", "ada", addresses=addresses)
    assert code == 0
    assert first[1] not in said
    code, said, _ = caseload("staff", "list", addresses=addresses)
    assert "may not sign" in said
    code, said, _ = caseload("staff", "deactivate", "ada", "--reason", "left", addresses=addresses)
    assert (code, said) == (0, "The account of ada is closed.\n")
    code, _, said = caseload("staff", "deactivate", "ada", "--reason", "left", addresses=addresses)
    assert code == 1
    assert said.startswith("caseload: This account has been deactivated. It cannot be opened again.")


def test_what_cannot_be_is_refused_in_one_line(addresses: Addresses) -> None:
    for arguments, wanted in (
        (("staff", "add", "a b", "--name", "A"), "user_name: must have 2 to 64 letters"),
        (("staff", "reset", "nobody"), "No such person of the staff."),
        (("programme", "add", "N", "North", "--time-zone", "Mars/Base", "--profile", "UK"), "time_zone: "),
    ):
        code, said, refused = caseload(*arguments, addresses=addresses)
        assert (code, said, refused.count("\n")) == (1, "", 1)
        assert refused.startswith("caseload: ")
        assert wanted in refused


def test_a_programme_is_opened_and_listed(addresses: Addresses) -> None:
    arguments = ("programme", "add", "NORTH", "North Street", "--time-zone", "Europe/London", "--profile", "UK")
    assert caseload(*arguments, addresses=addresses)[0] == 0
    assert caseload("programme", "list", addresses=addresses)[1] == "NORTH  North Street  Europe/London  UK\n"
    assert caseload(*arguments, addresses=addresses)[0] == 1
