"""The log as lines that people and programs read: one definition, so that a verifier can write the same bytes.

NDJSON is the leaves themselves, byte for byte, one per line, so that each line can be hashed as it stands. CSV is
RFC 4180 with the fields of the leaf in columns; a text that a spreadsheet would take for a formula gets an
apostrophe in front (`= + - @`, tab and carriage return).
"""

import csv
import io
from collections.abc import Iterable

from caseload.audit.leaf import Leaf, decode

COLUMNS = (
    "entry", "at", "organisation", "actor", "roles", "authenticated_by", "operation", "event", "outcome", "status",
    "purpose", "programme", "route", "request", "clients", "clients_root", "facts", "facts_root", "process", "number",
    "version",
)  # fmt: skip
"""Of the CSV. Codes stand as in the leaf: `operation` and `outcome` are those of FHIR AuditEvent."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_header() -> bytes:
    """The first line of the CSV."""
    return _written([COLUMNS])


def csv_lines(leaves: Iterable[bytes]) -> bytes:
    """One line for each leaf."""
    return _written(_fields(decode(leaf)) for leaf in leaves)


def safe(text: str) -> str:
    """The text, such that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _fields(leaf: Leaf) -> tuple[str | int, ...]:
    subjects, facts = leaf.subj, leaf.obj
    return (
        leaf.id,
        leaf.t,
        safe(leaf.org),
        leaf.act.id,
        " ".join(leaf.act.role),
        leaf.act.auth,
        leaf.op,
        leaf.ev,
        leaf.out,
        leaf.st if leaf.st is not None else "",
        leaf.purp,
        leaf.prog or "",
        safe(leaf.route),
        leaf.req,
        subjects.n if subjects else 0,
        safe(subjects.root) if subjects else "",
        facts.n if facts else 0,
        safe(facts.root) if facts else "",
        safe(leaf.boot),
        leaf.ctr,
        leaf.v,
    )


def _written(rows: Iterable[Iterable[str | int]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
