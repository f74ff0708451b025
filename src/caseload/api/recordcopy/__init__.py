"""The copy of a client's record, over HTTP."""

from caseload.api.recordcopy.routes import router

__all__ = ["router"]
