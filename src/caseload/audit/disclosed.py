r"""Lines of `disclosures.jsonl`: what entries commit to, laid open with salts, so that anybody can check it.

    {"d":[[0,"<salt>","{\"c\":\"...\",\"l\":\"...\",\"w\":{...}}"]],"h":["<hash>"],"i":17,"of":"clients"}

In the order of the log, one line for each root of an entry of which something is shown: `i` is the place of the entry,
`of` which of the two roots (`clients`, `facts`), `d` the items shown, each with its position and its salt, and `h` the
other hashes that lead to the root (see `multiproof`); they say nothing of the items that are not shown. How many there
are stands in the leaf. Only the standard library.
"""

import itertools
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Final, NamedTuple

from caseload.audit import canonical
from caseload.audit.item import SALT_BYTES
from caseload.audit.multiproof import Known, NotProved, gaps, root_from
from caseload.audit.record import Record
from caseload.audit.tlog.merkle import HASH_BYTES, leaf_hash, root_of

LONGEST_LINE: Final = 64 * 1024 * 1024
"""A list of a hundred thousand clients fits; anything longer was not written by an export."""
_UUID: Final = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_FACT_ITEM: Final = re.compile(rb'\{"l":"(?P<entry>%b)","w":(?P<what>\{.*\})\}' % _UUID, re.DOTALL)
_CLIENT_ITEM: Final = re.compile(
    rb'\{"c":"(?P<client>%b)","l":"(?P<entry>%b)","w":(?P<what>\{.*\})\}' % (_UUID, _UUID), re.DOTALL
)
_BEFORE_CLIENT: Final = len(b'{"c":"')
_IDENTIFIER: Final = 36
_INDEX: Final = re.compile(rb'"i":(0|[1-9][0-9]{0,17}),"of":"(clients|facts)"\}\n?\Z')


class Of(StrEnum):
    """Which of a leaf's two roots."""

    CLIENTS = "clients"
    FACTS = "facts"


class Shown(NamedTuple):
    """One item laid open."""

    position: int
    salt: bytes
    item: bytes


class Disclosed(NamedTuple):
    """One line."""

    place: int
    of: Of
    shown: Sequence[Shown]
    others: Sequence[bytes]


class BadDisclosure(ValueError):
    """A line that is no disclosure, or one that does not hold."""


def write(line: Disclosed) -> bytes:
    """The line, with its line break."""
    items = ",".join(
        [f'[{each.position},"{each.salt.hex()}",{encode_basestring(each.item.decode())}]' for each in line.shown]
    )
    others = ",".join([f'"{each.hex()}"' for each in line.others])
    return f'{{"d":[{items}],"h":[{others}],"i":{line.place},"of":"{line.of.value}"}}\n'.encode()


def show(index: int, of: Of, shown: Sequence[Shown], hashes: Sequence[bytes]) -> Disclosed:
    """A line that shows these items of a root over all of these hashes. Items in order of their positions."""
    chosen = [(each.position, each.position + 1) for each in shown]
    return Disclosed(index, of, shown, [root_of(hashes[start:end]) for start, end in gaps(len(hashes), chosen)])


def read(line: bytes) -> Disclosed:
    """Take a line apart. Raises `BadDisclosure`."""
    try:
        said = _decode(line.decode())
        found = Disclosed(
            _index(said.pop("i")),
            Of(said.pop("of")),
            [_shown(*each) for each in said.pop("d")],
            [_bytes(each, HASH_BYTES) for each in said.pop("h")],
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as problem:
        raise BadDisclosure("it is not a line of an export") from problem
    if said or not found.shown:
        raise BadDisclosure("it has other parts than a line of an export")
    return found


def place_of(line: bytes) -> tuple[int, str]:
    """The entry and the root that a line is about, without reading all of it. Raises `BadDisclosure`."""
    found = _INDEX.search(line, max(0, len(line) - 64))
    if found is None:
        raise BadDisclosure("it is not a line of an export")
    return int(found[1]), found[2].decode()


def client_in(item: bytes) -> str:
    """The client of an item that was made here (see `item.client_item`)."""
    return item[_BEFORE_CLIENT : _BEFORE_CLIENT + _IDENTIFIER].decode()


def prove(line: Disclosed, record: Record | None) -> list[str]:
    """Check a line against its entry, if that can be read; return the clients it names. Raises `BadDisclosure`."""
    if record is None:
        raise BadDisclosure("the entry cannot be read")
    clients = line.of is Of.CLIENTS
    count, root = (record.clients, record.clients_root) if clients else (record.facts, record.facts_root)
    if not count:
        raise BadDisclosure("the entry commits to nothing of the kind")
    places = [each.position for each in line.shown]
    if any(later <= earlier for earlier, later in itertools.pairwise(places)):
        raise BadDisclosure("its items are not in order")
    known = [Known(at, at + 1, leaf_hash(salt + item)) for at, salt, item in line.shown]
    try:
        proved = root_from(int(count), known, line.others) == urlsafe_b64decode(root + "=")
    except (NotProved, ValueError) as problem:
        raise BadDisclosure(str(problem)) from problem
    if not proved:
        raise BadDisclosure("what it shows is not what the entry commits to")
    return [_about(each.item, record.id, client=clients) for each in line.shown]


def _about(item: bytes, entry: str, *, client: bool) -> str:
    """Whom an item is about; empty for a fact about the request. It must name its own entry: it may be a copy."""
    found = (_CLIENT_ITEM if client else _FACT_ITEM).fullmatch(item)
    if found is None:
        raise BadDisclosure("an item has other parts than it should")
    if found["entry"].decode() != entry:
        raise BadDisclosure("an item belongs to another entry")
    wrong = _wrong(found["what"])
    if wrong:
        raise BadDisclosure(f"an item is not canonical: {wrong}")
    return found["client"].decode() if client else ""


@lru_cache(maxsize=4096)
def _wrong(what: bytes) -> str:
    """What is not canonical about what an item says; many say the same. Then the item is canonical too."""
    try:
        canonical.parse(what)
    except canonical.NotCanonical as problem:
        return str(problem)
    return ""


def _shown(position: object, salt: object, item: object) -> Shown:
    if not isinstance(item, str):
        raise TypeError
    return Shown(_index(position), _bytes(salt, SALT_BYTES), item.encode())


def _index(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError
    return value


def _bytes(text: object, length: int) -> bytes:
    if not isinstance(text, str) or len(text) != 2 * length:
        raise TypeError
    data = bytes.fromhex(text)
    if data.hex() != text:
        raise ValueError("not the one spelling of so many bytes")
    return data


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadDisclosure("a key stands twice in it")
    return found


_decode = json.JSONDecoder(object_pairs_hook=_once).decode
