"""The running service, for the properties that only a running service has."""

from tests.api.conftest import clinic, clinic_database

__all__ = ["clinic", "clinic_database"]
