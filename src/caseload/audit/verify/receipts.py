"""Receipts that somebody kept: with each answer the service gave the identifier of its entry, and the entry's hash.

    01a20266-0818-7150-a091-3a47a294e1dc 4hQ2...=

One line for each, the headers `Audit-Entry` and `Audit-Receipt` of an answer. What was acknowledged and is not in the
log a minute later was taken away before it got a place there, where no other hash tells of it.
"""

import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from caseload.audit.record import time_of
from caseload.audit.tlog.merkle import HASH_BYTES
from caseload.audit.verify.history import read_small
from caseload.audit.verify.segment import Examined
from caseload.audit.verify.verdict import Finding, Kind, Unusable

WITHIN: Final = timedelta(seconds=60)
"""How long after its answer an entry may wait for its place."""
_LARGEST_FILE: Final = 64 * 1024 * 1024
_LINE: Final = re.compile(
    r"([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})[ \t]+([A-Za-z0-9+/]{43}=)", re.ASCII
)


class Receipts:
    """Those that have not been found yet."""

    def __init__(self, wanted: dict[bytes, str]) -> None:
        """From the hash to the identifier."""
        self._wanted = wanted

    @classmethod
    def read(cls, path: Path | None) -> "Receipts":
        """A file of them; none without one. Raises `Unusable`."""
        if path is None:
            return cls({})
        wanted: dict[bytes, str] = {}
        for number, line in enumerate(read_small(path, _LARGEST_FILE).decode("latin-1").splitlines(), start=1):
            if not line.strip():
                continue
            found = _LINE.fullmatch(line.strip())
            if found is None:
                raise Unusable(f"Line {number} of {path} is no receipt: an identifier and a hash in base64.")
            wanted[b64decode(found[2])] = found[1]
        return cls(wanted)

    def take(self, examined: Examined) -> None:
        """Strike off what is here. What was changed since is struck off too: its own finding says so."""
        if self._wanted:
            for hashes in {examined.hashes, examined.authentic}:
                for at in range(0, len(hashes), HASH_BYTES):
                    self._wanted.pop(hashes[at : at + HASH_BYTES], None)

    def missing(self, *, latest: str, complete: bool) -> Iterator[Finding]:
        """What has to be said of the others. `latest` is the time of the newest entry that is here."""
        if self._wanted and not complete:
            said = f"{len(self._wanted):,} of your receipts are not in this part of the log: ask for the whole."
            yield Finding(Kind.POLICY, said)
            return
        newest = datetime.fromisoformat(latest) if latest else None
        for entry in self._wanted.values():
            at = time_of(entry)
            if newest is not None and datetime.fromisoformat(at) + WITHIN < newest:
                said = f"You have a receipt for entry {entry} of {at}, and it is not in the log: it was taken away."
                yield Finding(Kind.LOST_BEFORE, said)
            else:
                said = f"You have a receipt for entry {entry} of {at}, which may not have had its place yet."
                yield Finding(Kind.REMARK, said)
