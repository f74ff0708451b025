"""People over HTTP: signing in, staff, roles, duty, and the waits after too many failures."""

from litestar import Router

from caseload.api.people import duty, lockouts, roles, sign_in, staff

routers: tuple[Router, ...] = (sign_in.router, staff.router, roles.router, duty.router, lockouts.router)
