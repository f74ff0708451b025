"""Lists come in pages with a keyset cursor: the id of the last line seen, so that no name or date stands in a URL."""

from typing import Annotated, Final, Generic, TypeVar
from uuid import UUID

import msgspec
from litestar.params import QueryParameter

from caseload.api.wire import Wire

LARGEST: Final = 200
USUAL: Final = 50

After = Annotated[
    UUID | None, QueryParameter(name="after", description="The `next` of the page before.", required=False)
]
Limit = Annotated[
    int,
    QueryParameter(name="limit", ge=1, le=LARGEST, description=f"Lines per page, {LARGEST} at most.", required=False),
]

PLACE_IN_LIST: Final = frozenset({"after", "limit"})
"""Parameters that say which page of a list, and not which list."""

T = TypeVar("T", bound=msgspec.Struct)


class Page(Wire, Generic[T], frozen=True, kw_only=True):
    """One page of a list."""

    items: list[T]
    next: UUID | None
    """Give it as `after` to get the next page; null on the last one."""
