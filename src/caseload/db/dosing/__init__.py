"""Doses in PostgreSQL: the facts that the rules need, the record, the dosing day and the chart."""

from caseload.db.dosing.chart import Charts
from caseload.db.dosing.day import DosingDays, DueTo
from caseload.db.dosing.doses import Doses

__all__ = ["Charts", "Doses", "DosingDays", "DueTo"]
