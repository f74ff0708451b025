"""The service with less of its log: what auditing costs is the difference. Only benchmarks have this.

The answers are the same, with a receipt, and nothing can be found in the log afterwards.
"""

from typing import Any

from caseload import app
from caseload.audit import batcher, trail
from caseload.audit.trail import Entry
from caseload.domain.ids import EntryId, new_id

_NOTHING = Entry(EntryId(new_id()), b"{}", [], b"", 1, (), {})


async def _nowhere(*_: Any, **__: Any) -> None:
    return None


async def _nothing(*_: Any, **__: Any) -> Entry:
    return _NOTHING


def appended_nowhere() -> Any:
    """Entries are made, sealed and waited for together, and the append to the log does nothing."""
    trail.append = _nowhere
    batcher._Line._append = _nowhere  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  what is left out has no name outside
    return app.create_app()


def unlogged() -> Any:
    """No entry is made, sealed, appended or waited for."""
    trail.AuditTrail.append = _nothing
    batcher.Batcher.enter = _nothing
    return app.create_app()
