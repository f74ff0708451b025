"""What each counsellor carries and how late it is; ceilings; and whose role ends while clients are theirs."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from litestar.params import JSONBody, QueryParameter

from caseload.api.caseload.store import caseloads_of
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, nothing_more
from caseload.db.idempotency import Kept
from caseload.domain import caseload as domain
from caseload.domain.access import Act
from caseload.domain.caseload import Load, Worry
from caseload.domain.ids import ProgrammeId, StaffId, new_id
from caseload.request.idempotency import once

OfProgramme = Annotated[UUID, QueryParameter(name="programme", description="Of which programme.")]


class LoadOut(Wire, frozen=True, kw_only=True):
    """What one counsellor carries in one programme now."""

    counsellor_id: UUID
    printed_name: str
    responsible: int
    """Clients whom they answer for."""
    covering: int
    """Clients whom they stand in for."""
    overdue_check_ins: int
    """Overdue check-ins of both."""
    overdue_since: datetime | None
    ceiling: int | None
    over_ceiling: bool
    """A warning: nobody is refused a counsellor for it."""
    counsels_now: bool
    """False where their role has ended while clients are theirs: hand them over."""
    counsels_until: datetime | None
    away_until: datetime | None
    covered_by: UUID | None

    @classmethod
    def of(cls, load: Load) -> "LoadOut":
        """From the domain."""
        return cls(
            counsellor_id=load.counsellor,
            printed_name=load.printed_name,
            responsible=load.responsible,
            covering=load.covering,
            overdue_check_ins=load.overdue,
            overdue_since=load.overdue_since,
            ceiling=load.ceiling,
            over_ceiling=load.is_over,
            counsels_now=load.counsels_now,
            counsels_until=load.counsels_until,
            away_until=load.away_until,
            covered_by=load.covered_by,
        )


class WarningOut(Wire, frozen=True, kw_only=True):
    """What should be known of the counsellor as things stand now; it has prevented nothing."""

    worry: Worry
    clients: int | None = None
    """How many clients are theirs now, where that is more than the ceiling."""
    ceiling: int | None = None
    at: datetime | None = None
    """When their role ends by itself, or until when they are away."""

    @classmethod
    def all_of(cls, load: Load | None) -> "list[WarningOut]":
        """Everything that is to be said of a counsellor."""
        if load is None:
            return []
        return [
            cls(worry=each.worry, clients=each.clients, ceiling=each.ceiling, at=each.at)
            for each in domain.warnings(load)
        ]


class CeilingIn(Wire, frozen=True, kw_only=True):
    """From how many clients on a supervisor is warned."""

    programme_id: UUID
    counsellor_id: UUID | None = None
    """Of whom; of everybody of whom nothing else was said when left out."""
    ceiling: int | None
    """Null takes the word back."""


class UnlookedOut(Wire, frozen=True, kw_only=True):
    """A client whose responsible counsellor is, or will be, no counsellor of the programme any more."""

    handover_id: UUID
    client_id: UUID
    given_name: str
    family_name: str
    birth_date: date
    counsellor_id: UUID
    since: datetime
    """From when on nobody who counsels here answers for the client."""


@reading("/caseload/counsellors", act=Act.HAND_OVER, name="list_counsellor_loads", problems=())
async def list_counsellor_loads(
    work: TheWork, programme: OfProgramme, after: After = None, limit: Limit = USUAL
) -> Page[LoadOut]:
    """What everybody who counsels in a programme, or has clients there, carries now, and how late it is."""
    work.by.require(Act.HAND_OVER, ProgrammeId(programme))
    place = None if after is None else StaffId(after)
    found = await caseloads_of(work).loads(ProgrammeId(programme), after=place, limit=limit)
    items = [LoadOut.of(each) for each in found]
    return Page(items=items, next=items[-1].counsellor_id if len(items) == limit else None)


@reading("/caseload/roles-ending", act=Act.HAND_OVER, name="list_roles_ending", problems=())
async def list_roles_ending(
    work: TheWork, programme: OfProgramme, after: After = None, limit: Limit = USUAL
) -> Page[UnlookedOut]:
    """Clients whose responsible counsellor's role has ended or ends by itself while the client is theirs.

    Hand them over before: until then the counsellor still answers for them, and does not see them any more.
    """
    work.by.require(Act.HAND_OVER, ProgrammeId(programme))
    found = await caseloads_of(work).unlooked(
        ProgrammeId(programme), reach=work.by.reach(Act.HAND_OVER), after=after, limit=limit
    )
    items = [
        UnlookedOut(
            handover_id=each.responsibility,
            client_id=each.client,
            given_name=each.given_name,
            family_name=each.family_name,
            birth_date=each.birth_date,
            counsellor_id=each.counsellor,
            since=each.since,
        )
        for each in found
    ]
    return Page(items=items, next=items[-1].handover_id if len(items) == limit else None)


@writing("/caseload/ceilings", act=Act.HAND_OVER, name="set_ceiling", status=204, problems=())
async def set_ceiling(data: JSONBody[CeilingIn], work: TheWork, key: TheKey) -> None:
    """Say from how many clients on to warn: of one counsellor, or of everybody in the programme."""
    new, caseloads = new_id(), caseloads_of(work)

    async def set_it() -> None:
        await domain.set_ceiling(
            ProgrammeId(data.programme_id),
            None if data.counsellor_id is None else StaffId(data.counsellor_id),
            data.ceiling,
            as_id=new,
            by=work.by,
            now=work.now,
            ceilings=caseloads,
            journal=work.journal,
        )

    await once(work, key, Kept(status=204, resource=new), do=set_it, again=nothing_more)
