"""Doses in PostgreSQL: the facts that the rules need, the record, the dosing day and the chart."""

from caseload.db.dosing.chart import Charts
from caseload.db.dosing.day import DosingDays
from caseload.db.dosing.doses import Doses
from caseload.db.dosing.handing_on import HandingOn
from caseload.db.dosing.statements import Statements

__all__ = ["Charts", "Doses", "DosingDays", "HandingOn", "Statements"]
