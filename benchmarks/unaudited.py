"""The service without its log: what auditing costs is the difference. Only benchmarks have this.

No entry is made, sealed, appended or waited for; the answers are the same, with the receipt of an entry that is nobody's.
"""

from typing import Any

from caseload import app
from caseload.audit import batcher, trail
from caseload.audit.trail import Entry
from caseload.domain.ids import EntryId, new_id

_NOTHING = Entry(EntryId(new_id()), b"{}", [], b"", 1, (), {})


async def _nothing(*_: Any, **__: Any) -> Entry:
    return _NOTHING


def create_app() -> Any:
    """The application, unaudited."""
    trail.AuditTrail.append = _nothing
    batcher.Batcher.enter = _nothing
    return app.create_app()
