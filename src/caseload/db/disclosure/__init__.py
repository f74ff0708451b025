"""Disclosures in PostgreSQL: `kept` is what was told, `rendering` what a document says from the record."""

from caseload.db.disclosure.kept import KeptDisclosures

__all__ = ["KeptDisclosures"]
