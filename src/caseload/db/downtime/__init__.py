"""Downtime sheets in PostgreSQL."""

from caseload.db.downtime.entries import Sheets

__all__ = ["Sheets"]
