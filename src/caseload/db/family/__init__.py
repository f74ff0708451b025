"""The people around clients in PostgreSQL: how they take part, warnings about them, and what was heard from them."""

from caseload.db.family.people import Families

__all__ = ["Families"]
