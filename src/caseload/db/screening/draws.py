"""Who is screened, in PostgreSQL: who is on medicine, who was drawn, and who is behind."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import Date, and_, bindparam, exists, func, insert, or_, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identity, episode
from caseload.db.tables.medication import (
    medication_order,
    medication_order_replacement,
    medication_order_signature,
    medication_order_stop,
)
from caseload.db.tables.screening import drug_screen, screen_draw, screen_draw_line
from caseload.domain.access import Reach
from caseload.domain.ids import ClientId, DrawId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.screening import AlreadyDrawn, Draw, Drawn, DrawUnknown, OnMedicine

_TODAY = bindparam("today", type_=Date())

_newer = drug_screen.alias("newer")
_screened = (
    select(func.array_agg(drug_screen.c.drawn_on.distinct()).label("days"))
    .where(
        drug_screen.c.client_id == client.c.id,
        drug_screen.c.drawn_on > _TODAY - 366,
        ~drug_screen.c.refused,
        ~exists().where(_newer.c.id == drug_screen.c.id, _newer.c.version > drug_screen.c.version),
    )
    .lateral("screened")
)
_in_force = exists(
    select(medication_order.c.id)
    .join(medication_order_signature, medication_order_signature.c.order_id == medication_order.c.id)
    .outerjoin(medication_order_stop, medication_order_stop.c.order_id == medication_order.c.id)
    .outerjoin(medication_order_replacement, medication_order_replacement.c.replaced_id == medication_order.c.id)
    .where(
        medication_order.c.client_id == client.c.id,
        medication_order.c.starts_on <= _TODAY,
        or_(medication_order.c.ends_on.is_(None), medication_order.c.ends_on >= _TODAY),
        medication_order_stop.c.order_id.is_(None),
        or_(medication_order_replacement.c.from_on.is_(None), medication_order_replacement.c.from_on > _TODAY),
    )
    .correlate(client)
)
ON_MEDICINE: Final = (
    select(client.c.id, episode.c.admitted_on, _screened.c.days)
    .join(episode, and_(episode.c.client_id == client.c.id, episode.c.period.op("@>")(bindparam("at", type_=INSTANT))))
    .join(_screened, true())
    .where(client.c.programme_id == bindparam("programme"), _in_force)
    .order_by(client.c.id)
)
_later = client_identity.alias("later")
_IS_NEWEST_NAME = ~exists().where(_later.c.client_id == client.c.id, _later.c.version > client_identity.c.version)
BY_NAME: Final = (
    ON_MEDICINE.add_columns(client_identity.c.given_name, client_identity.c.family_name)
    .join(client_identity, client_identity.c.client_id == client.c.id)
    .where(_IS_NEWEST_NAME, within_reach())
)

_given = drug_screen.alias("given")
DRAWN: Final = (
    select(
        screen_draw_line.c.client_id,
        screen_draw_line.c.done,
        client_identity.c.given_name,
        client_identity.c.family_name,
        exists()
        .where(
            _given.c.client_id == screen_draw_line.c.client_id,
            _given.c.drawn_on == screen_draw_line.c.day,
            ~exists().where(_newer.c.id == _given.c.id, _newer.c.version > _given.c.version),
        )
        .label("settled"),
    )
    .join(client, client.c.id == screen_draw_line.c.client_id)
    .join(client_identity, client_identity.c.client_id == client.c.id)
    .where(
        screen_draw_line.c.programme_id == bindparam("programme"),
        screen_draw_line.c.day == bindparam("day", type_=Date()),
        _IS_NEWEST_NAME,
        within_reach(),
    )
    .order_by(client_identity.c.family_name, client_identity.c.given_name, client.c.id)
)
_ONE_DRAW = select(*screen_draw.c).where(
    screen_draw.c.programme_id == bindparam("programme"), screen_draw.c.day == bindparam("day", type_=Date())
)
_DAY_OF_DRAW = select(screen_draw.c.day).where(screen_draw.c.id == bindparam("draw"))


class DrawnLine(NamedTuple):
    """A client whom a draw named, with their name, and whether a sample was given or refused since."""

    drawn: Drawn
    given_name: str
    family_name: str
    settled: bool


class KeptDraws:
    """Satisfies `domain.screening.Draws`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def on_medicine(self, programme: ProgrammeId, *, today: date) -> Sequence[OnMedicine]:
        """See `domain.screening.Draws.on_medicine`. Nobody is shown: the draw is."""
        given = {"programme": programme, "today": today, "at": self._now}
        rows = await self._connection.execute(ON_MEDICINE, given)
        return [OnMedicine(ClientId(row.id), row.admitted_on, row.days or ()) for row in rows]

    async def add_draw(self, draw: Draw, /) -> None:
        """See `domain.screening.Draws.add_draw`."""
        key = {"programme_id": draw.programme, "day": draw.day}
        try:
            await self._connection.execute(
                insert(screen_draw).values(
                    **key,
                    id=draw.id,
                    rule=draw.rule,
                    required=draw.required,
                    considered=draw.considered,
                    drawn_by=draw.drawn_by,
                    drawn_at=draw.drawn_at,
                )
            )
        except IntegrityError as raced:
            raise AlreadyDrawn("Look at the draw of today.") from raced
        if draw.drawn:
            await self._connection.execute(
                insert(screen_draw_line),
                [{**key, "client_id": each.client, "done": each.done} for each in draw.drawn],
            )

    async def day_of(self, draw: DrawId) -> date:
        """Of which day a draw was that this person has made."""
        return (await self._connection.execute(_DAY_OF_DRAW, {"draw": draw})).scalar_one()

    async def by_name(
        self, programme: ProgrammeId, *, today: date, reach: Reach
    ) -> Sequence[tuple[OnMedicine, str, str]]:
        """Whoever is on medicine and within reach, with their names."""
        given = {"programme": programme, "today": today, "at": self._now, **reach_of(reach, at=self._now)}
        return [
            (OnMedicine(ClientId(row.id), row.admitted_on, row.days or ()), row.given_name, row.family_name)
            for row in await self._connection.execute(BY_NAME, given)
        ]

    async def draw_of(self, programme: ProgrammeId, day: date, *, reach: Reach) -> tuple[Draw, Sequence[DrawnLine]]:
        """The draw of a day, and as far as the reach goes whom it named; or `DrawUnknown`."""
        given = {"programme": programme, "day": day}
        row = (await self._connection.execute(_ONE_DRAW, given)).first()
        if row is None:
            raise DrawUnknown("Draw who is screened today, or choose another day.")
        rows = await self._connection.execute(DRAWN, {**given, **reach_of(reach, at=self._now)})
        lines = [DrawnLine(Drawn(ClientId(each.client_id), each.done), *each[2:]) for each in rows]
        for line in lines:
            self._journal.saw(line.drawn.client, "drug_screen_draw")
        found = Draw(
            id=DrawId(row.id),
            programme=programme,
            day=day,
            rule=row.rule,
            required=row.required,
            considered=row.considered,
            drawn=[line.drawn for line in lines],
            drawn_by=StaffId(row.drawn_by),
            drawn_at=row.drawn_at,
        )
        return found, lines
