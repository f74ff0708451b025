"""What one piece of work saw and did, collected until it becomes one entry."""

from collections.abc import Collection
from uuid import UUID

from caseload.domain.ids import ClientId
from caseload.domain.journal import Event


class RequestJournal:
    """Implements `caseload.domain.journal.Journal`: one per piece of work, turned into one leaf at its end."""

    __slots__ = ("events", "kinds")

    def __init__(self) -> None:
        self.events: list[Event] = []
        """What was told, in order."""
        self.kinds: dict[UUID, tuple[str, ...]] = {}
        """The kinds of data seen of each client, clients and kinds in the order in which they were first seen."""

    def saw(self, client: ClientId, kind: str) -> None:
        """See `Journal.saw`."""
        kinds = self.kinds.get(client)
        if kinds is None:
            self.kinds[client] = (kind,)
        elif kind not in kinds:
            self.kinds[client] = (*kinds, kind)

    def tell(self, event: Event) -> None:
        """See `Journal.tell`."""
        self.events.append(event)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was seen and nothing told. Work that is not empty may not end without an entry."""
        return not self.events and not self.kinds

    def shown(self) -> Collection[UUID]:
        """Everyone whom the work showed."""
        return self.kinds.keys()

    def told_of(self) -> Collection[UUID]:
        """Everyone of whom something was told."""
        return [event.client for event in self.events if event.client is not None]
