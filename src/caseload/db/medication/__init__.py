"""Orders, holds and decisions in PostgreSQL."""

from caseload.db.medication.holds import Holds
from caseload.db.medication.orders import Orders
from caseload.db.medication.record import MedicationRecords

__all__ = ["Holds", "MedicationRecords", "Orders"]
