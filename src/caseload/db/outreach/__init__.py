"""How clients may be reached, and the ladder by which whoever has not come is looked for, in PostgreSQL."""

from caseload.db.outreach.contacts import KeptContacts
from caseload.db.outreach.explained import Explained, OverdueLadders
from caseload.db.outreach.ladders import KeptLadders, named_for

__all__ = ["Explained", "KeptContacts", "KeptLadders", "OverdueLadders", "named_for"]
