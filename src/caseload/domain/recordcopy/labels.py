"""What the tables and columns of the record are called for the client who reads a copy: data (`labels.toml`)."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec


class Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A name for every table and every column, as a copy is prepared with them and keeps them."""

    tables: Mapping[str, str]
    columns: Mapping[str, str]
    of: Mapping[str, Mapping[str, str]]
    """Where a column means something else in one table."""

    def table(self, name: str) -> str:
        """What an entry is called; the bare word where it has no label."""
        return self.tables.get(name, _words(name))

    def column(self, name: str, *, of: str) -> str:
        """What is said of an entry is called; the bare word where it has no label."""
        return self.of.get(of, {}).get(name) or self.columns.get(name, _words(name))

    def said(self) -> Mapping[str, object]:
        """As a copy says them: in one order, so that the same labels are always the same bytes."""
        return {
            "tables": dict(sorted(self.tables.items())),
            "columns": dict(sorted(self.columns.items())),
            "of": {name: dict(sorted(own.items())) for name, own in sorted(self.of.items())},
        }


@cache
def labels() -> Labels:
    """The labels with which a copy is prepared now."""
    return msgspec.toml.decode((files("caseload.domain.recordcopy") / "labels.toml").read_bytes(), type=Labels)


def _words(name: str) -> str:
    return name.replace("_", " ")
