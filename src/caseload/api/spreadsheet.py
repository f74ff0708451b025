"""Lines as CSV (RFC 4180) that no spreadsheet takes for formulas, and how a route says that it answers with it."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from litestar import Response

from caseload.api.filed import filed
from caseload.audit.views import safe

CSV: Final = "text/csv"
CSV_FILE: Final = filed("The file: CSV (RFC 4180), UTF-8.", CSV)


class Plain(str):
    """Text that we made of a number, which may begin with a minus: it stands as it is."""

    __slots__ = ()


def csv_file(columns: Sequence[str], lines: Iterable[Sequence[str | None]]) -> Response[str]:
    """A file with these columns. Whatever somebody has typed is made safe from being taken for a formula."""
    text = io.StringIO()
    written = csv.writer(text, lineterminator="\r\n")
    written.writerow(columns)
    for line in lines:
        written.writerow([_cell(value) for value in line])
    return Response(text.getvalue(), media_type=CSV)


def _cell(value: str | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, Plain) else safe(value)
