"""Where the ladder of one overdue check-in stands, for whoever asks why: read for one line of the list, never for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.care_task import KeptCareTasks
from caseload.db.outreach.contacts import KeptContacts
from caseload.db.outreach.ladders import KeptLadders, named_for
from caseload.db.programme import Programmes
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client
from caseload.db.tables.checkin import check_in_waiting
from caseload.db.tables.outreach import outreach_failure
from caseload.domain.access import Reach
from caseload.domain.care_task import CareTask
from caseload.domain.checkin import Waiting
from caseload.domain.ids import CheckInId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.outreach import Contact, MayBeAsked, Next, Skipped, Taken, ground_of, way, who_may_be_asked
from caseload.domain.programme import Programme
from caseload.domain.schedule import local_day

LONGEST: Final = (
    select(check_in_waiting.c.check_in_id, check_in_waiting.c.grace_ends_at)
    .where(
        check_in_waiting.c.client_id == bindparam("client"),
        check_in_waiting.c.programme_id == bindparam("programme"),
        check_in_waiting.c.grace_ends_at < bindparam("at", type_=INSTANT),
    )
    .order_by(check_in_waiting.c.grace_ends_at, check_in_waiting.c.check_in_id)
    .limit(1)
)
"""Which check-in of a client has been overdue longest; the ladder is of that one."""
NAMED: Final = select(
    named_for(client.c.id).label("named"),
    select(outreach_failure.c.tries)
    .where(outreach_failure.c.client_id == client.c.id)
    .correlate(client)
    .scalar_subquery()
    .label("tries"),
).where(client.c.id == bindparam("client"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Where the ladder of an overdue check-in stands."""

    behind: CheckInId | None
    """The check-in whose ladder is taken instead, because it has been overdue longer."""
    named: StaffId | None
    """Who is given the next step; None where nobody answers for the client, and the ladder stands still."""
    rule: str
    taken: tuple[Taken, ...]
    tasks: tuple[CareTask, ...]
    coming: Next | None
    may_be_asked: tuple[MayBeAsked, ...]
    """Whom around the client a step that is next, or was taken, may ask as the consents stand now."""
    contact: Contact
    """How the client may be reached."""
    will_skip: Skipped | None
    """Why the next step would be skipped as things stand."""
    tries: int
    """How often in a row a step could not be taken because something went wrong here."""


class OverdueLadders:
    """Explains ladders, one at a time."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def of(self, one: Waiting, *, reach: Reach) -> Explained:
        """Where the ladder of an overdue check-in stands now. Whoever asks may see it."""
        given = {"client": one.client, "programme": one.programme, "at": self._now}
        longest = (await self._connection.execute(LONGEST, given)).first()
        person = (await self._connection.execute(NAMED, {"client": one.client, "at": self._now})).one()
        ladders = KeptLadders(self._connection, self._journal, now=self._now)
        contact = await KeptContacts(self._connection, self._journal).contact(one.client)
        programme = await Programmes(self._connection).get(one.programme)
        closed = await ladders.closed_days(one.programme, since=local_day(one.grace_ends_at, programme.zone))
        ground = ground_of(programme, closed, now=self._now)
        key = (one.check_in, one.grace_ends_at)
        taken = (await ladders.steps([key]))[key]
        behind = None if longest is None or longest.check_in_id == one.check_in else CheckInId(longest.check_in_id)
        coming = ground.next_of(one.grace_ends_at, taken) if behind is None else None
        asks = await self._asks(one, programme, coming, taken, ladders)
        how = () if coming is None else way(coming.step, contact, asks)
        tasks = await KeptCareTasks(self._connection, self._journal, now=self._now).of_steps(
            one.check_in, one.grace_ends_at, reach=reach
        )
        return Explained(
            behind=behind,
            named=None if person.named is None else StaffId(person.named),
            rule=ground.rule,
            taken=taken,
            tasks=tuple(tasks),
            coming=coming,
            may_be_asked=tuple(asks),
            contact=contact,
            will_skip=how if isinstance(how, Skipped) else None,
            tries=person.tries or 0,
        )

    async def _asks(
        self, one: Waiting, programme: Programme, coming: Next | None, taken: Sequence[Taken], ladders: KeptLadders
    ) -> Sequence[MayBeAsked]:
        """Whom the step that is next, or one that was taken, may ask now; nobody where neither asks anybody."""
        steps = [*(each.step for each in taken if each.asked), *(() if coming is None else (coming.step,))]
        if not steps:
            return ()
        return await who_may_be_asked(steps[0], one.client, programme, now=self._now, ladders=ladders)
