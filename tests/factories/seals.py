"""A key with which signatures are sealed in tests."""

from caseload.request.seals import Seals
from tests.factories.audit import KeysInMemory

KEYS = KeysInMemory()
SEALS = Seals(KEYS)
SEALING = SEALS.newest()
