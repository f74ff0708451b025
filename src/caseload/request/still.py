"""Whether somebody who is taking something away for a long time may still have it: looked up again, and never remembered."""

from collections.abc import Awaitable, Callable

from caseload.db.people.sessions import who_is
from caseload.domain.accesslog import Export, may_still_take
from caseload.domain.errors import NotFound
from caseload.domain.ids import StaffId
from caseload.domain.people import Staff
from caseload.request.work import Service


async def as_of_now(service: Service, somebody: StaffId) -> Staff | None:
    """Somebody with the roles in force for them at this moment; None when their account is closed."""
    async with service.engine.connect() as connection:
        return await who_is(connection, somebody, now=service.clock())


def still_allowed(service: Service, what: Export, by: Staff) -> Callable[[], Awaitable[bool]]:
    """Asks anew whether whoever asked for an export would be given it."""

    async def allowed() -> bool:
        return may_still_take(what, by=await as_of_now(service, by.id))

    return allowed


def still_found(
    service: Service, by: Staff, find: Callable[[Staff], Awaitable[object]]
) -> Callable[[], Awaitable[bool]]:
    """Asks anew whether whoever is taking a file away would still find what it is made from."""

    async def allowed() -> bool:
        now = await as_of_now(service, by.id)
        if now is None:
            return False
        try:
            await find(now)
        except NotFound:
            return False
        return True

    return allowed
