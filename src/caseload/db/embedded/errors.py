"""What keeps the local PostgreSQL from running."""


class CannotStart(Exception):
    """The local PostgreSQL cannot be started; the text says why and what to do, in one sentence or two."""


class AlreadyRunning(CannotStart):
    """Another process holds the data folder."""
