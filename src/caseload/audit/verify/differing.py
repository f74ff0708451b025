"""What has been done to entries whose hashes do not stand where they should."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from caseload.audit.verify.segment import Differing
from caseload.audit.verify.verdict import Finding, Kind


def explained(differing: Sequence[Differing]) -> Iterator[Finding]:
    """Changed, gone, changed places, moved by one taken out or put in: told apart by looking for their hashes."""
    places = {each.expected: each.place for each in differing}
    standing = {each.place: each for each in differing}
    told: set[int] = set()
    for each in differing:
        if each.empty:
            told.add(each.place)
            yield Finding(
                Kind.MISSING, f"Entry {each.place} is missing: the log has its hash, and the entry is gone.", each.place
            )
            continue
        home = places.get(each.found)
        other = None if home is None else standing[home]
        if home is not None and other is not None and other.found == each.expected:
            if home > each.place:
                yield Finding(Kind.MOVED, f"Entries {each.place} and {home} have changed places.", each.place)
            told |= {each.place, home}
    yield from _moved([(each.place, places[each.found] - each.place) for each in differing
                       if each.place not in told and each.found in places], told)  # fmt: skip
    for each in differing:
        if each.place not in told and each.found not in places:
            yield Finding(Kind.CHANGED, f"Entry {each.place} has been changed since it was logged.", each.place)


def _moved(moved: Sequence[tuple[int, int]], told: set[int]) -> Iterator[Finding]:
    """Entries that stand together some places from where they belong."""
    for distance, run in groupby(moved, key=itemgetter(1)):
        found = [index for index, _ in run]
        first, count = found[0], len(found)
        which = f"entry {first}" if count == 1 else f"{count:,} entries from {first} on"
        if distance > 0 and count > 1:
            gone = "an entry has" if distance == 1 else f"{distance:,} entries have"
            yield Finding(
                Kind.MISSING, f"At place {first} {gone} been taken out: the {which} belong further back.", first
            )
        elif distance < 0 and count > 1:
            put = "an entry has" if distance == -1 else f"{-distance:,} entries have"
            yield Finding(Kind.ADDED, f"Before place {first} {put} been put in: {which} belong further forward.", first)
            told |= set(range(first + distance, first))
        else:
            yield Finding(Kind.MOVED, f"At place {first} stands the entry of place {first + distance}.", first)
