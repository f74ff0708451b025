"""Whoever reaches a client asks one function how and where: what the client forbade is offered for use nowhere."""

import ast
from collections.abc import Iterator

from tests.architecture.source import Module, calls, modules
from tests.architecture.test_telling import DOCUMENTS

SAID = {
    "db/outreach/contacts.py": "keeps it",
    "api/outreach/contacts.py": "every version as it was said, for whoever writes the next one",
}
"""Where it is read what a client said of how they may be reached, and why there; beside the function, which is with the words."""

READS = {
    "db/outreach/contacts.py": "hands on versions with what was agreed",
    "db/outreach/ladders.py": "the same, of many clients at once",
    "db/stock/ledger.py": "the address on a line of the controlled-drug register, inside the programme: nobody is reached by it",
    "db/agreed.py": "which of what was agreed stands: it reads no way",
    "db/rights/contacting.py": "keeps what was agreed",
    "db/rights/reading.py": "reads a request with what was agreed on it",
}
"""Where the tables are read, and why there."""

ASKS = {
    "Channel": "domain/outreach/ladder.py",
    "OutreachStep": "domain/outreach/ladder.py",
    "Mode": "domain/outreach/meeting.py",
    "HandedOver": "domain/recordcopy/copying.py",
}
"""Words for ways in which a client is reached, and where it is asked whether that is allowed."""

REACHES_NO_CLIENT = {
    "ContactWay": "how people around the client want to be reached; what they may be told is another question",
    "HowVerified": "how another provider was asked",
    "CheckMethod": "how it was made sure who asks; it is written down afterwards",
    "Manner": "how something was told to others, or a notice was given; it is written down afterwards",
}
"""Words that sound like ways to a client and are none, with the reason."""

WAYS = {
    "telephone", "phone", "call_back", "voicemail", "text", "sms", "email", "electronic", "post", "letter", "visit", "home_visit",
}  # fmt: skip
"""By these values a word for a way is known."""

SHOWN = {
    "ReachByOut": "asks the function",
    "ContactNowOut": "asks the function",
    "ContactIn": "what is written down",
    "ContactOut": "a version, as it was said",
    "ReachableWire": "what is agreed on a request, as it was agreed",
    "PremisesIO": "the programme's own",
    "LabelOut": "the programme's own, as on its labels",
    "PersonDetailsIn": "somebody around the client",
    "PersonOut": "somebody around the client",
}
"""What shows a number on the wire, and whose it is."""


def _reads_what_was_said(module: Module) -> bool:
    """Whether it has to do with contacts and takes their `said`."""
    return _imports(module, "Contact", "Reachable", "KeptContacts") and any(
        isinstance(node, ast.Attribute) and node.attr == "said" for node in ast.walk(module.tree)
    )


def _imports(module: Module, *names: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and any(alias.name in names for alias in node.names)
        for node in ast.walk(module.tree)
    )


def _enumerations() -> Iterator[tuple[str, set[str]]]:
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef) and any(
                isinstance(b, ast.Name) and b.id == "StrEnum" for b in node.bases
            ):
                values = {
                    each.value.value
                    for each in node.body
                    if isinstance(each, ast.Assign)
                    and isinstance(each.value, ast.Constant)
                    and isinstance(each.value.value, str)
                }
                yield node.name, values


def _calls(path: str) -> set[str]:
    [module] = [each for each in modules() if each.path == path]
    return {name for name, _ in calls(module)}


def test_what_a_client_said_of_it_is_read_only_by_the_function_and_by_whoever_writes_it_down() -> None:
    found = {module.path for module in modules() if _reads_what_was_said(module)}
    assert found == set(SAID), "Ask `ways_to`: it knows what was agreed with the client. Take out what is gone."


def test_the_tables_are_read_only_where_what_was_agreed_is_handed_on_too() -> None:
    found = {
        module.path
        for module in modules()
        if _imports(module, "client_contact", "rights_contact") and not module.path.startswith("db/tables/")
    }
    assert found == set(READS), "Read a `Contact` and ask `ways_to`, or say here why not; take out what is gone."


def test_every_word_for_a_way_to_a_client_is_asked_about() -> None:
    found = {name for name, values in _enumerations() if values & WAYS}
    assert found == set(ASKS) | set(REACHES_NO_CLIENT), (
        "Is a client reached by it? Then ask `ways_to` before it is used, and say here where; take out what is gone."
    )
    for name, path in ASKS.items():
        assert "ways_to" in _calls(path), f"{name} is a way to a client, and {path} does not ask `ways_to`"


def test_what_is_made_for_the_client_to_be_given_says_how_they_are_reached() -> None:
    own = [path for path, why in DOCUMENTS.items() if why.startswith("the client's own")]
    for path in [*own, "api/rights/requests.py"]:
        assert {"reach_by", "reach_by_where_shown"} & _calls(path), (
            f"{path} makes something for the client and does not say where it goes"
        )


def test_a_number_is_shown_only_by_what_asked_or_is_not_the_clients() -> None:
    found = {
        node.name
        for module in modules()
        if module.path.startswith("api/")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        for each in node.body
        if isinstance(each, ast.AnnAssign)
        and isinstance(each.target, ast.Name)
        and each.target.id in {"telephone", "phone"}
    }
    assert found == set(SHOWN), "Show `ReachByOut`, or say here whose number it is; take out what is gone."
