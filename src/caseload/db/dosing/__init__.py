"""Doses in PostgreSQL: the facts that the rules need, and the record."""

from caseload.db.dosing.doses import Doses

__all__ = ["Doses"]
