"""Departures in PostgreSQL: discharges that wait, deaths, and what has to be asked back."""

from caseload.db.departure.deaths import Deaths
from caseload.db.departure.departures import Departures

__all__ = ["Deaths", "Departures"]
