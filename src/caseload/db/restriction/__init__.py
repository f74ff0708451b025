"""Restrictions in PostgreSQL."""

from caseload.db.restriction.kept import KeptRestrictions
from caseload.db.restriction.obligations import obligations_in

__all__ = ["KeptRestrictions", "obligations_in"]
