"""Drug screens in PostgreSQL: who is on medicine, who was drawn, and versions of which the last counts."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Date, Row, Select, and_, bindparam, exists, func, insert, or_, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.failures import violated
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identity, episode
from caseload.db.tables.medication import (
    medication_order,
    medication_order_replacement,
    medication_order_signature,
    medication_order_stop,
)
from caseload.db.tables.screening import drug_screen, drug_screen_result, screen_draw, screen_draw_line
from caseload.domain.access import Reach
from caseload.domain.ids import ClientId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.screening import (
    AlreadyDrawn,
    Draw,
    Drawn,
    DrawUnknown,
    Expected,
    Finding,
    Matrix,
    Method,
    NotDrawn,
    OnMedicine,
    Result,
    Sample,
    Screen,
    ScreenChanged,
    ScreenUnknown,
    Substance,
    Why,
)

_AFTER_ALL: Final = UUID(int=2**128 - 1)
"""Sorts behind every identifier that will ever be made."""
_TODAY = bindparam("today", type_=Date())
_AT = bindparam("reach_at", type_=INSTANT)

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

_given, _later = drug_screen.alias("given"), client_identity.alias("later")
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
        ~exists().where(_later.c.client_id == client.c.id, _later.c.version > client_identity.c.version),
        within_reach(),
    )
    .order_by(client_identity.c.family_name, client_identity.c.given_name, client.c.id)
)
_ONE_DRAW = select(*screen_draw.c).where(
    screen_draw.c.programme_id == bindparam("programme"), screen_draw.c.day == bindparam("day", type_=Date())
)

_results = (
    select(
        func.array_agg(
            aggregate_order_by(
                func.json_build_array(
                    drug_screen_result.c.substance, drug_screen_result.c.method, drug_screen_result.c.finding
                ),
                drug_screen_result.c.substance,
                drug_screen_result.c.method,
            )
        )
    )
    .where(drug_screen_result.c.screen_id == drug_screen.c.id, drug_screen_result.c.version == drug_screen.c.version)
    .correlate(drug_screen)
    .scalar_subquery()
    .label("results")
)
_EVERY: Select[*tuple[Any, ...]] = select(*drug_screen.c, _results).where(
    drug_screen.c.client_id == bindparam("client")
)
OF_CLIENT: Final = (
    _EVERY.where(drug_screen.c.id < bindparam("after"))
    .ext(distinct_on(drug_screen.c.id))
    .order_by(drug_screen.c.id.desc(), drug_screen.c.version.desc())
    .limit(bindparam("limit"))
)
VERSIONS: Final = _EVERY.where(drug_screen.c.id == bindparam("screen")).order_by(drug_screen.c.version.desc())


class DrawnLine(NamedTuple):
    """A client whom a draw named, with their name, and whether a sample was given or refused since."""

    drawn: Drawn
    given_name: str
    family_name: str
    settled: bool


class KeptScreens:
    """Satisfies `domain.screening.Screens` and `Draws`. Whoever asks for one client has been let through to them."""

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

    async def of(self, whom: ClientId, *, after: UUID | None, limit: int) -> Sequence[Screen]:
        """As each of a client's screens stands now, the last recorded first."""
        given = {"client": whom, "after": after or _AFTER_ALL, "limit": limit}
        rows = (await self._connection.execute(OF_CLIENT, given)).all()
        self._journal.saw(whom, "drug_screen")
        return [_screen(row) for row in rows]

    async def versions(self, wanted: UUID, *, of: ClientId) -> Sequence[Screen]:
        """Everything that was ever said of one screen, the newest first; or `ScreenUnknown`."""
        rows = (await self._connection.execute(VERSIONS, {"client": of, "screen": wanted})).all()
        if not rows:
            raise ScreenUnknown("Look at the client's drug screens for its identifier.")
        self._journal.saw(of, "drug_screen")
        return [_screen(row) for row in rows]

    async def add(self, new: Screen, /) -> None:
        """See `domain.screening.Screens.add`."""
        sample = new.sample
        said: dict[str, Any] = (
            {}
            if sample is None
            else {
                "why": sample.why,
                "drawn_on": sample.drawn_on,
                "collected_at": sample.collected_at,
                "matrix": sample.matrix,
                "observed": sample.observed,
                "refused": sample.refused,
                "expected": sample.expected,
                "interpretation": sample.interpretation,
            }
        )
        try:
            await self._connection.execute(
                insert(drug_screen).values(
                    id=new.id,
                    version=new.version,
                    client_id=new.client,
                    programme_id=new.programme,
                    reason=new.reason,
                    recorded_by=new.recorded_by,
                    recorded_at=new.recorded_at,
                    **said,
                )
            )
        except IntegrityError as refused:
            if violated(refused) == "drug_screen_draw_fkey":
                raise NotDrawn("Look at the draw of that day, or give the reason for which you asked.") from refused
            raise ScreenChanged("Read it again, and add to what it says now.") from refused
        if sample is not None and sample.results:
            await self._connection.execute(
                insert(drug_screen_result),
                [
                    {"screen_id": new.id, "version": new.version, "refused": False, **result._asdict()}
                    for result in sample.results
                ],
            )


def _screen(row: Row[*tuple[Any, ...]]) -> Screen:
    return Screen(
        id=row.id,
        version=row.version,
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        sample=None if row.why is None else _sample(row),
        reason=row.reason,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
    )


def _sample(row: Row[*tuple[Any, ...]]) -> Sample:
    return Sample(
        why=Why(row.why),
        collected_at=row.collected_at,
        drawn_on=row.drawn_on,
        matrix=Matrix(row.matrix),
        observed=row.observed,
        refused=row.refused,
        results=[
            Result(Substance(substance), Method(method), Finding(finding))
            for substance, method, finding in row.results or ()
        ],
        expected=None if row.expected is None else Expected(row.expected),
        interpretation=row.interpretation,
    )
