"""The ladders of a programme in PostgreSQL: which have a step due, and that it is taken once.

A ladder is worked out from the check-ins that wait: nothing has to stop it. Where it stands is kept beside, so that a run
that finds nothing due reads the overdue check-ins of the programme by their index and no facts at all.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Uuid, any_, bindparam, delete, func, insert, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.care_task import KeptCareTasks
from caseload.db.checkin.closing import closed_days
from caseload.db.consent import Consents
from caseload.db.family import Families
from caseload.db.outreach.contacts import CONTACT, FROM, contact_of
from caseload.db.outreach.homes import warned_around
from caseload.db.periods import running
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import cover, responsibility
from caseload.db.tables.checkin import check_in_waiting
from caseload.db.tables.outreach import (
    client_contact,
    outreach_failure,
    outreach_standing,
    outreach_step,
    outreach_step_asked,
)
from caseload.domain.care_task import CareTask
from caseload.domain.consent import Consent
from caseload.domain.family import RelatedPerson
from caseload.domain.ids import CheckInId, ClientId, ConsentId, ProgrammeId, RelatedPersonId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.outreach import Allowed, Channel, Climber, Contact, Next, Skipped, Taken
from caseload.domain.profiles.outreach import OutreachStep

FIRST_AGAIN: Final = timedelta(minutes=5)
LAST_AGAIN: Final = timedelta(hours=12)
"""A step that could not be taken is tried again, each time after twice as long, and then twice a day."""

_AT: Final[ColumnElement[datetime]] = bindparam("at", type_=INSTANT)
_ORDER: Final = {step: place for place, step in enumerate(OutreachStep)}

_late = (
    select(check_in_waiting.c.client_id, check_in_waiting.c.check_in_id, check_in_waiting.c.grace_ends_at)
    .where(check_in_waiting.c.programme_id == bindparam("programme"), check_in_waiting.c.grace_ends_at < _AT)
    .ext(distinct_on(check_in_waiting.c.client_id))
    .order_by(check_in_waiting.c.client_id, check_in_waiting.c.grace_ends_at, check_in_waiting.c.check_in_id)
    .cte("late")
)
"""The check-in of each client that has been overdue longest."""


def named_for(client: ColumnElement[UUID]) -> ColumnElement[UUID | None]:
    """Who answers for a client: whoever covers, the first arranged of several, else the responsible counsellor."""
    covers = (
        select(cover.c.counsellor_id)
        .where(cover.c.client_id == client, cover.c.period.op("@>")(_AT))
        .order_by(cover.c.id)
        .limit(1)
        .scalar_subquery()
    )
    answers = (
        select(responsibility.c.counsellor_id)
        .where(responsibility.c.client_id == client, running(responsibility.c.period, _AT))
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(covers, answers)


_named = named_for(_late.c.client_id)
DUE: Final = (
    select(_late, _named.label("named"))
    .select_from(
        _late.outerjoin(outreach_standing, outreach_standing.c.client_id == _late.c.client_id).outerjoin(
            outreach_failure, outreach_failure.c.client_id == _late.c.client_id
        )
    )
    .where(
        or_(
            outreach_standing.c.client_id.is_(None),
            outreach_standing.c.check_in_id != _late.c.check_in_id,
            outreach_standing.c.overdue_since != _late.c.grace_ends_at,
            outreach_standing.c.due_at <= _AT,
        ),
        or_(outreach_failure.c.again_at.is_(None), outreach_failure.c.again_at <= _AT),
        _named.is_not(None),
    )
    .order_by(_late.c.grace_ends_at, _late.c.check_in_id)
    .limit(bindparam("limit"))
)
STEPS: Final = select(
    outreach_step.c.check_in_id,
    outreach_step.c.overdue_since,
    outreach_step.c.step,
    outreach_step.c.due_at,
    outreach_step.c.taken_at,
    outreach_step.c.rule,
    outreach_step.c.by_way_of,
    outreach_step.c.skipped,
).where(outreach_step.c.check_in_id == any_(bindparam("check_ins", type_=ARRAY(Uuid()))))
ASKED: Final = (
    select(
        outreach_step_asked.c.check_in_id,
        outreach_step_asked.c.overdue_since,
        outreach_step_asked.c.person_id,
        outreach_step_asked.c.consent_id,
    )
    .where(outreach_step_asked.c.check_in_id == any_(bindparam("check_ins", type_=ARRAY(Uuid()))))
    .order_by(outreach_step_asked.c.person_id)
)
CONTACTS: Final = (
    select(client_contact.c.client_id, *CONTACT)
    .select_from(FROM)
    .where(client_contact.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))))
    .ext(distinct_on(client_contact.c.client_id))
    .order_by(client_contact.c.client_id, client_contact.c.version.desc())
)
_ASK = insert(outreach_step_asked)
_TAKE = insert_or(outreach_step).on_conflict_do_nothing().returning(outreach_step.c.step)
_standing = insert_or(outreach_standing)
_STAND = _standing.on_conflict_do_update(
    index_elements=[outreach_standing.c.client_id],
    set_={name: _standing.excluded[name] for name in ("check_in_id", "overdue_since", "step", "due_at")},
)
_TRIES = select(outreach_failure.c.tries).where(outreach_failure.c.client_id == bindparam("client"))
_failure = insert_or(outreach_failure)
_FAILED = _failure.on_conflict_do_update(
    index_elements=[outreach_failure.c.client_id],
    set_={name: _failure.excluded[name] for name in ("tries", "again_at")},
)
_COULD = delete(outreach_failure).where(outreach_failure.c.client_id == bindparam("client"))


class KeptLadders:
    """Satisfies `domain.outreach.Ladders`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._tasks = KeptCareTasks(connection, journal, now=now)
        self._now = now

    async def due(self, programme: ProgrammeId, *, at_most: int) -> Sequence[Climber]:
        """Clients of a programme whose ladder may have a step due, whoever has been overdue longest first."""
        given = {"programme": programme, "at": self._now, "limit": at_most}
        rows = (await self._connection.execute(DUE, given)).all()
        if not rows:
            return []
        steps = await self.steps([(row.check_in_id, row.grace_ends_at) for row in rows])
        contacts = await self.contacts([ClientId(row.client_id) for row in rows])
        return [
            Climber(
                client=ClientId(row.client_id),
                programme=programme,
                check_in=CheckInId(row.check_in_id),
                overdue_since=row.grace_ends_at,
                named=StaffId(row.named),
                contact=contacts[ClientId(row.client_id)],
                taken=steps[row.check_in_id, row.grace_ends_at],
            )
            for row in rows
        ]

    async def steps(self, of: Iterable[tuple[UUID, datetime]]) -> Mapping[tuple[UUID, datetime], tuple[Taken, ...]]:
        """The steps that were taken since these check-ins became overdue, in their order."""
        wanted = set(of)
        found: dict[tuple[UUID, datetime], list[Taken]] = defaultdict(list)
        given = {"check_ins": [check_in for check_in, _ in wanted]}
        rows = (await self._connection.execute(STEPS, given)).all()
        asked: dict[tuple[UUID, datetime], list[Allowed]] = defaultdict(list)
        if any(row.step == OutreachStep.CONSENTED_CONTACT and row.skipped is None for row in rows):
            for row in await self._connection.execute(ASKED, given):
                allowed = Allowed(person=RelatedPersonId(row.person_id), consent=ConsentId(row.consent_id))
                asked[row.check_in_id, row.overdue_since].append(allowed)
        for row in rows:
            key = row.check_in_id, row.overdue_since
            asks = asked[key] if row.step == OutreachStep.CONSENTED_CONTACT else ()
            found[key].append(_taken(row, asks))
        return {key: tuple(sorted(found[key], key=lambda each: _ORDER[each.step])) for key in wanted}

    async def contacts(self, clients: Sequence[ClientId]) -> Mapping[ClientId, Contact]:
        """How each of these may be reached."""
        rows = await self._connection.execute(CONTACTS, {"clients": clients})
        said = {ClientId(row.client_id): contact_of(ClientId(row.client_id), row) for row in rows}
        warned = await warned_around(self._connection, clients)
        never = {client: Contact(client=client, version=0) for client in clients}
        return {client: replace(said.get(client, never[client]), warned=warned[client]) for client in clients}

    async def closed_days(self, programme: ProgrammeId, *, since: date) -> frozenset[date]:
        """The days from then on on which a programme is closed."""
        return await closed_days(self._connection, programme, since=since)

    async def around(self, client: ClientId) -> tuple[Sequence[RelatedPerson], Sequence[Consent]]:
        """See `domain.outreach.Ladders.around`."""
        people = await Families(self._connection, self._journal).around(client)
        return people, await Consents(self._connection, self._journal).of(client)

    async def take(self, climber: Climber, taken: Taken, task: CareTask | None) -> bool:
        """See `domain.outreach.Ladders.take`."""
        values = {
            "check_in_id": climber.check_in,
            "overdue_since": climber.overdue_since,
            "step": taken.step,
            "client_id": climber.client,
            "due_at": taken.due_at,
            "taken_at": taken.taken_at,
            "rule": taken.rule,
            "by_way_of": list(taken.by_way_of),
            "skipped": taken.skipped,
        }
        if (await self._connection.execute(_TAKE, values)).first() is None:
            return False
        if taken.asked:
            step = {name: values[name] for name in ("check_in_id", "overdue_since", "step", "client_id")}
            asked = [{**step, "person_id": each.person, "consent_id": each.consent} for each in taken.asked]
            await self._connection.execute(_ASK, asked)
        if task is not None:
            await self._tasks.add(task)
        return True

    async def stand(self, climber: Climber, next_one: Next | None) -> None:
        """See `domain.outreach.Ladders.stand`."""
        await self._connection.execute(
            _STAND,
            {
                "client_id": climber.client,
                "check_in_id": climber.check_in,
                "overdue_since": climber.overdue_since,
                "step": None if next_one is None else next_one.step,
                "due_at": None if next_one is None else next_one.due_at,
            },
        )
        await self._connection.execute(_COULD, {"client": climber.client})

    async def failed(self, client: ClientId) -> None:
        """Keep that a step of this client could not be taken: it is tried again later, and holds up nobody else."""
        tries = (await self._connection.execute(_TRIES, {"client": client})).scalar() or 0
        pause = min(FIRST_AGAIN * 2 ** min(tries, 10), LAST_AGAIN)
        await self._connection.execute(
            _FAILED, {"client_id": client, "tries": min(tries + 1, 1000), "again_at": self._now + pause}
        )


def _taken(row: Row[*tuple[Any, ...]], asked: Iterable[Allowed]) -> Taken:
    return Taken(
        step=OutreachStep(row.step),
        due_at=row.due_at,
        taken_at=row.taken_at,
        rule=row.rule,
        by_way_of=tuple(Channel(each) for each in row.by_way_of),
        asked=tuple(asked),
        skipped=None if row.skipped is None else Skipped(row.skipped),
    )
