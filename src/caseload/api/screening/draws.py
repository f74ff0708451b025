"""Who is screened: the draw of a day, and who is behind."""

from datetime import date, datetime
from random import SystemRandom
from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, QueryParameter

from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.db.screening import DrawnLine, KeptDraws
from caseload.domain import screening as domain
from caseload.domain.access import Act
from caseload.domain.ids import DrawId, ProgrammeId, new_id
from caseload.domain.screening import Behind
from caseload.request.idempotency import once
from caseload.request.work import Work

_CHANCE = SystemRandom()
OnDay = Annotated[
    date | None,
    QueryParameter(name="on", required=False, description="The programme's local day; today when left out."),
]


class DrawnOut(Wire, frozen=True, kw_only=True):
    """A client who is to be screened."""

    client_id: UUID
    given_name: str
    family_name: str
    done: int
    """Random screens so far in this year of treatment."""
    settled: bool
    """Whether a sample has been given or refused."""

    @classmethod
    def of(cls, line: DrawnLine) -> "DrawnOut":
        """From the record."""
        return cls(
            client_id=line.drawn.client,
            given_name=line.given_name,
            family_name=line.family_name,
            done=line.drawn.done,
            settled=line.settled,
        )


class DrawOut(Wire, frozen=True, kw_only=True):
    """Who is screened on a day, and by which rule."""

    programme_id: UUID
    day: date
    rule: str
    required: int
    """Random screens in a year of treatment; none where the country's rules ask for no number."""
    considered: int
    """Clients who were in care and had an order in force."""
    drawn_by: UUID
    drawn_at: datetime
    items: list[DrawnOut]


class BehindOut(Wire, frozen=True, kw_only=True):
    """A client who has been screened less often than their year of treatment asks for by now."""

    client_id: UUID
    given_name: str
    family_name: str
    done: int
    expected: int
    """How many the days that have passed ask for, a part of one not counted."""
    days_left: int
    """Days of the year in which the others can still be drawn, today included."""

    @classmethod
    def of(cls, line: Behind, given_name: str, family_name: str) -> "BehindOut":
        """From the domain."""
        return cls(
            client_id=line.client,
            given_name=given_name,
            family_name=family_name,
            done=line.done,
            expected=line.expected,
            days_left=line.days_left,
        )


class BehindListOut(Wire, frozen=True, kw_only=True):
    """Who is behind, by which rule."""

    rule: str
    required: int
    """Random screens in a year of treatment; none where the country's rules ask for no number."""
    source: str
    items: list[BehindOut]


@writing("/programmes/{programme_id:uuid}/drug-screen-draws", act=Act.DRAW_SCREENS, name="draw_drug_screens")
async def draw_drug_screens(programme_id: FromPath[UUID], work: TheWork, key: TheKey) -> DrawOut:
    """Draw who is screened today: once a day, by a chance that nobody can foresee."""
    programme, new = await Programmes(work.connection).get(ProgrammeId(programme_id)), DrawId(new_id())

    async def draw() -> date:
        made = await domain.draw(
            programme,
            as_id=new,
            chance=_CHANCE.random,
            by=work.by,
            now=work.now,
            draws=_kept(work),
            journal=work.journal,
        )
        return made.day

    async def again(kept: Kept) -> date:
        return await _kept(work).day_of(DrawId(kept.resource))

    # A retry that comes after midnight still asks about the day of the first draw.
    day = await once(work, key, Kept(status=201, resource=new), do=draw, again=again)
    return await _drawn(work, programme.id, day)


@reading("/programmes/{programme_id:uuid}/drug-screen-draws", act=Act.DRAW_SCREENS, name="read_drug_screen_draw")
async def read_drug_screen_draw(programme_id: FromPath[UUID], work: TheWork, on: OnDay = None) -> DrawOut:
    """Who is screened on a day, and whose sample has been given or refused."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.DRAW_SCREENS, programme.id)
    return await _drawn(work, programme.id, on or programme.today(work.now))


@reading("/programmes/{programme_id:uuid}/drug-screens-behind", act=Act.DRAW_SCREENS, name="list_behind_drug_screens")
async def list_behind_drug_screens(programme_id: FromPath[UUID], work: TheWork) -> BehindListOut:
    """Who has had fewer random screens than the passed part of their year of treatment asks for, the furthest first."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.DRAW_SCREENS, programme.id)
    today = programme.today(work.now)
    profile = programme.profiles.on(today)
    rule = profile.monitoring.random_screens
    found = await _kept(work).by_name(programme.id, today=today, reach=work.by.reach(Act.DRAW_SCREENS))
    names = {each.client: (given, family) for each, given, family in found}
    lines = domain.behind((each for each, _, _ in found), required=rule.a_year, today=today)
    items = sorted(lines, key=lambda line: (line.done - line.expected, line.days_left, line.client))
    for line in items:
        work.journal.saw(line.client, "drug_screen")
    return BehindListOut(
        rule=f"{rule.rule} of {profile.label}",
        required=rule.a_year,
        source=rule.source,
        items=[BehindOut.of(line, *names[line.client]) for line in items],
    )


def _kept(work: Work) -> KeptDraws:
    return KeptDraws(work.connection, work.journal, now=work.now)


async def _drawn(work: Work, programme: ProgrammeId, day: date) -> DrawOut:
    found, lines = await _kept(work).draw_of(programme, day, reach=work.by.reach(Act.DRAW_SCREENS))
    return DrawOut(
        programme_id=found.programme,
        day=found.day,
        rule=found.rule,
        required=found.required,
        considered=found.considered,
        drawn_by=found.drawn_by,
        drawn_at=found.drawn_at,
        items=[DrawnOut.of(line) for line in lines],
    )
