"""A leaf as whoever does not trust us reads it: one grammar for its bytes, and nothing that is not in the grammar.

Version 1 has few fields, in one order, with strings from small alphabets (see `leaf`), so that the whole leaf is one
regular expression over its bytes. What matches is canonical by construction: keys in order and once, no escapes, no
floats, no spaces. That takes two microseconds; reading JSON, checking it and writing it again takes twenty. What does
not match is read the slow way, only to say what is wrong with it. Nothing but the standard library.
"""

# ruff: noqa: UP031  the braces in a regular expression are its own
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from caseload.audit import canonical

LARGEST_RECORD: Final = 16_383
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_COUNT = r"[1-9][0-9]{0,14}"
_WORD = r"[a-z][a-z0-9_]{0,39}"
_ROOT = r'\{"n":(%s),"root":"([A-Za-z0-9_-]{43})"\}' % _COUNT
_VKEY = r"[A-Za-z0-9._:/-]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}"
_RANGE = r"\[(?:%s),(?:%s)\]" % (_COUNT, _COUNT)

_VERSION_1: Final = re.compile(
    r"""\{"act":\{"auth":"([a-z_]{1,40})","id":"(anonymous|system|%(uuid)s)"
    (?:,"role":\[("%(word)s"(?:,"%(word)s"){0,63})\])?
    (?:,"sess":"([A-Za-z0-9_-]{22})")?\}
    ,"boot":"([A-Za-z0-9_-]{1,64})"
    ,"ctr":(%(count)s)
    ,"ev":"(%(word)s(?:\.%(word)s){1,3})"
    ,"id":"(%(uuid)s)"
    (?:,"key":\{"new":"(%(vkey)s)","old":"(%(vkey)s)","sig":"([A-Za-z0-9+/]{86}==)"\})?
    (?:,"obj":%(root)s)?
    ,"op":"([CRUDE])"
    ,"org":"([a-z0-9][a-z0-9._-]{0,63})"
    ,"out":(0|4|8|12)
    (?:,"prog":"(%(uuid)s)")?
    ,"purp":"([A-Z]{1,40})"
    ,"req":"(%(uuid)s)"
    ,"route":"([A-Za-z][A-Za-z0-9\ _.:/{}-]{0,199})"
    (?:,"st":([1-5][0-9][0-9]))?
    (?:,"subj":%(root)s)?
    ,"t":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)"
    ,"v":(1)
    (?:,"void":\[(%(range)s(?:,%(range)s){0,63})\])?
    \}"""
    % {"uuid": _UUID, "vkey": _VKEY, "count": _COUNT, "word": _WORD, "root": _ROOT, "range": _RANGE},
    re.ASCII | re.VERBOSE,
)
_RANGES: Final = re.compile(r"\[([0-9]+),([0-9]+)\]", re.ASCII)


class NotARecord(ValueError):
    """These bytes are not a leaf of a version that we know."""


class Record(NamedTuple):
    """The fields of a leaf of version 1, as they stand there; what is left out is empty. See `leaf.Leaf`."""

    auth: str
    actor: str
    roles: str
    """As they stand in the leaf: quoted, with commas between them."""
    session: str
    boot: str
    number: str
    event: str
    id: str
    new_key: str
    """Of `key.rotate` alone: the log's new verifier key, the old one, and the old one's signature."""
    old_key: str
    key_signature: str
    facts: str
    """How many facts about the request the leaf commits to, empty for none, and the root over them."""
    facts_root: str
    operation: str
    organisation: str
    outcome: str
    programme: str
    purpose: str
    request: str
    route: str
    status: str
    clients: str
    """How many clients, and the root over what is said of them."""
    clients_root: str
    at: str
    version: str
    void: str

    def voided(self) -> list[tuple[int, int]]:
        """The numbers that this process gave to entries which did not come to be, as ranges with both ends."""
        return [(int(first), int(last)) for first, last in _RANGES.findall(self.void)]


def read(leaf: bytes) -> Record:
    """The fields of a leaf. Raises `NotARecord`, which says what is wrong with the bytes."""
    # Every byte becomes one character, and what is not ASCII matches nowhere.
    found = _VERSION_1.fullmatch(leaf.decode("latin-1"))
    if found is None or len(leaf) > LARGEST_RECORD:
        raise NotARecord(_wrong(leaf))
    record = Record._make(found.groups(""))
    if record.at != time_of(record.id):
        raise NotARecord("the time that stands in it is not that of its identifier")
    return record


def time_of(entry: str) -> str:
    """The instant that an identifier (UUIDv7) carries, as it stands in a leaf."""
    seconds, milliseconds = divmod(int(entry[:8] + entry[9:13], 16), 1000)
    return f"{_second(seconds)}.{milliseconds:03d}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    try:
        return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}"
    except OverflowError:
        return "after the year 9999"


def _wrong(leaf: bytes) -> str:
    if len(leaf) > LARGEST_RECORD:
        return f"it has {len(leaf):,} bytes, and an entry has at most {LARGEST_RECORD:,}"
    try:
        said = canonical.parse(leaf)
    except canonical.NotCanonical as problem:
        return f"it is not canonical JSON: {problem}"
    if isinstance(said, dict) and said.get("v") != 1:
        return f"it is of version {str(said.get('v'))[:20]!r}, which this verifier does not know"
    return "it has other fields, or other values in them, than an entry of version 1"
