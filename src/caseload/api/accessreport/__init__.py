"""Who saw my record, over HTTP."""

from caseload.api.accessreport.routes import router

__all__ = ["router"]
