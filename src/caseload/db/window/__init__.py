"""The window in PostgreSQL: what it is told of clients, and the queue of a day."""

from caseload.db.window.doses import LostDoses
from caseload.db.window.kept import KIND, WindowRecords
from caseload.db.window.queue import Queues

__all__ = ["KIND", "LostDoses", "Queues", "WindowRecords"]
