"""What keeps the local PostgreSQL from running."""

from caseload.settings import OperatorError


class CannotStart(OperatorError):
    """The local PostgreSQL cannot be started; the text says why and what to do, in one sentence or two."""


class AlreadyRunning(CannotStart):
    """Another process holds the data folder."""
