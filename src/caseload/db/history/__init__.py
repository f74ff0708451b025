"""Brought-in histories in PostgreSQL: how they are kept, what they show, and who has verified what follows them."""

from caseload.db.history.keeping import Histories
from caseload.db.history.reading import HistoryReadings
from caseload.db.history.verifying import Verifications

__all__ = ["Histories", "HistoryReadings", "Verifications"]
