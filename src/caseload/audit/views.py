"""The log as lines that people and programs read: one definition, so that a verifier can write the same bytes.

NDJSON is the leaves themselves, byte for byte, one per line, so that each line can be hashed as it stands. CSV is
RFC 4180 with the fields of the leaf in columns; a text that a spreadsheet would take for a formula gets an
apostrophe in front (`= + - @`, tab and carriage return). The third view is `fhir`. Only the standard library.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from caseload.audit.fhir import audit_event
from caseload.audit.record import NotARecord, Record, read

COLUMNS = (
    "entry", "at", "organisation", "actor", "roles", "authenticated_by", "operation", "event", "outcome", "status",
    "purpose", "programme", "route", "request", "clients", "clients_root", "facts", "facts_root", "process", "number",
    "version",
)  # fmt: skip
"""Of the CSV. Codes stand as in the leaf: `operation` and `outcome` are those of FHIR AuditEvent."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_header() -> bytes:
    """The first line of the CSV."""
    return (",".join(COLUMNS) + "\r\n").encode()


def csv_lines(leaves: Iterable[bytes]) -> bytes:
    """One line for each leaf. Raises `NotARecord`."""
    return "".join([csv_line(read(leaf)) for leaf in leaves]).encode()


def csv_line(record: Record) -> str:
    """One line. No field needs quotes: the grammar of a leaf has no comma, quote or line break in any of them."""
    return (
        f"{record.id},{record.at},{record.organisation},{record.actor},"
        f"{record.roles.replace(chr(34), '').replace(',', ' ')},{record.auth},{record.operation},{record.event},"
        f"{record.outcome},{record.status},{record.purpose},{record.programme},{record.route},{record.request},"
        f"{record.clients or '0'},{safe(record.clients_root)},{record.facts or '0'},{safe(record.facts_root)},"
        f"{safe(record.boot)},{record.number},{record.version}\r\n"
    )


def safe(text: str) -> str:
    """The text, such that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


class Line(NamedTuple):
    """One entry in each of the views."""

    ndjson: bytes
    csv: str
    fhir: str


def lines(index: int, leaf: bytes, leaf_hash: bytes, clients: Sequence[tuple[int, str]] = ()) -> Line:
    """An entry in every view; `clients` are those laid open, each with its position among the entry's clients.

    What is no entry, because somebody changed it, has a line that says so, so that the others keep their places.
    """
    try:
        record = read(leaf)
    except NotARecord:
        said = leaf_hash.hex()
        return Line(b'{"unreadable":"%b"}\n' % said.encode(), f"unreadable{',' * (len(COLUMNS) - 1)}\r\n", "")
    return lines_of(record, index, leaf, leaf_hash, clients)


def lines_of(record: Record, index: int, leaf: bytes, leaf_hash: bytes, clients: Sequence[tuple[int, str]]) -> Line:
    """The same, of a leaf that has been read."""
    if not clients:
        return Line(leaf + b"\n", csv_line(record), audit_event(record, index, leaf_hash))
    events = [audit_event(record, index, leaf_hash, client=client, position=at) for at, client in clients]
    return Line(leaf + b"\n", csv_line(record), "".join(events))
