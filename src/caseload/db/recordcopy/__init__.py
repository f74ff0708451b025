"""Copies of records that clients ask for, in PostgreSQL, and as the file that leaves."""

from caseload.db.recordcopy.kept import KeptCopies
from caseload.db.recordcopy.sources import LEFT_OUT, SOURCES
from caseload.db.recordcopy.writing import AT_ONCE, Cover, Digested, Pages, as_json, every

__all__ = ["AT_ONCE", "LEFT_OUT", "SOURCES", "Cover", "Digested", "KeptCopies", "Pages", "as_json", "every"]
