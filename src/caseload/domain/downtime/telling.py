"""What one line tells, kept aside until the line is in the record: what is undone has not happened."""

from caseload.domain.ids import ClientId
from caseload.domain.journal import Event, Journal


class Aside:
    """Satisfies `domain.journal.Journal`: whom it shows is told at once, what happened only when it is passed on."""

    __slots__ = ("_events", "_journal")

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._events: list[Event] = []

    def saw(self, client: ClientId, kind: str) -> None:
        """See `Journal.saw`."""
        self._journal.saw(client, kind)

    def tell(self, event: Event) -> None:
        """See `Journal.tell`."""
        self._events.append(event)

    def pass_on(self) -> None:
        """Tell what was kept aside."""
        for event in self._events:
            self._journal.tell(event)
