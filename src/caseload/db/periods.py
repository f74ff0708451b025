"""Periods of rows that another condition has already narrowed to a few."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, true
from sqlalchemy.dialects.postgresql import Range


def running(period: ColumnElement[Range[datetime]], at: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether a period, with its first instant and without its last, is running at that moment.

    Says the same as `period @> at`, in a form that no index is searched by. A plan made for every moment takes any one
    moment for rare, so that for `@>` it would go through the whole index of a table of which nearly everything is
    running: every responsibility of the clinic, to find those of one counsellor.
    """
    return and_(func.lower(period) <= at, func.coalesce(func.upper(period) > at, true()))
