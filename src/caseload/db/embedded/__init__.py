"""The local PostgreSQL that comes with the service: its programs, its folder, its life and how to reach it."""

from caseload.db.embedded.errors import CannotStart
from caseload.db.embedded.reach import Databases, reach
from caseload.db.embedded.server import EmbeddedServer

__all__ = ["CannotStart", "Databases", "EmbeddedServer", "reach"]
