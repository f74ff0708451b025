"""Merges of registrations in PostgreSQL."""

from caseload.db.merge.merges import Merges

__all__ = ["Merges"]
