"""No route begins anything new for a registration that is closed: its error says which one is used."""

from collections.abc import Mapping
from typing import Final

from litestar.handlers.base import BaseRouteHandler

from caseload.db.merge import Merges
from caseload.domain.access import Act
from caseload.domain.client import RegistrationClosed
from caseload.domain.ids import ClientId
from caseload.request.work import Work

GOES_ON: Final[Mapping[str, str]] = {
    "record_dose": "the lock of the medication record refuses it, at no cost for anybody else",
    "propose_erasure": "the log is kept for a registration, whoever it is of",
    "prepare_access_report": "a report is about one registration, as its entries are",
    "correct_identity": "what it says of the past can still be put right",
    "propose_merge": "its own rule says what to do instead",
}
"""Operations on a client that a closed registration does not refuse here, and why."""


async def require_open(work: Work, handler: BaseRouteHandler, client: ClientId, act: Act) -> None:
    """Raise `RegistrationClosed` where a closed registration is written to, for whoever sees it."""
    if str(getattr(handler, "operation_id", "")) in GOES_ON:
        return
    # Of two requests at once by one person the second may know who asks without a connection of its own.
    merges = Merges(await work.open(), work.journal, now=work.now)
    is_closed, survivor = await merges.closed_into(client, reach=work.by.reach(act))
    if is_closed:
        raise RegistrationClosed(survivor)
