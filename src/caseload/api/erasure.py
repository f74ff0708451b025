"""Erasing a client from the audit log: proposed by a privacy officer, carried out by a second person's confirmation."""

from datetime import datetime
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, nothing_more
from caseload.audit.erasure import KeptErasures
from caseload.db.erasure import Record
from caseload.db.idempotency import Kept
from caseload.domain import erasure as domain
from caseload.domain.access import Act
from caseload.domain.erasure import Erased, Erasure, Ground, Longer
from caseload.domain.ids import ClientId, ErasureId, new_id
from caseload.request.idempotency import once
from caseload.request.work import Work


class ErasureIn(Wire, frozen=True, kw_only=True):
    """Why a client is to be erased from the log."""

    ground: Ground


class ErasureOut(Wire, frozen=True, kw_only=True):
    """A proposal that waits for a second person."""

    id: UUID
    client_id: UUID
    ground: Ground
    proposed_by: UUID
    proposed_at: datetime
    confirmable_from: datetime
    """Earlier a process may still remember the client's key."""

    @classmethod
    def of(cls, erasure: Erasure) -> "ErasureOut":
        """From the domain."""
        return cls(
            id=erasure.id,
            client_id=erasure.client,
            ground=erasure.ground,
            proposed_by=erasure.proposed_by,
            proposed_at=erasure.proposed_at,
            confirmable_from=erasure.confirmable_from,
        )


class ErasuresOut(Wire, frozen=True, kw_only=True):
    """Proposals that wait for a second person, the oldest first."""

    items: list[ErasureOut]


class ErasedOut(Wire, frozen=True, kw_only=True):
    """What is left of an erasure. It names no client."""

    id: UUID
    key_id: UUID
    """The key that was destroyed: keep it until the last backup that holds it is gone."""
    ground: Ground
    proposed_by: UUID
    confirmed_by: UUID
    erased_at: datetime

    @classmethod
    def of(cls, erased: Erased) -> "ErasedOut":
        """From the domain."""
        return cls(
            id=erased.id,
            key_id=erased.key,
            ground=erased.ground,
            proposed_by=erased.proposed_by,
            confirmed_by=erased.confirmed_by,
            erased_at=erased.erased_at,
        )


def _erasures(work: Work) -> KeptErasures:
    return KeptErasures(work.connection, work.service.trail)


def _longer(work: Work) -> Longer:
    settings = work.service.settings
    return Longer(access_years=settings.keep_access_years, record_years=settings.keep_record_years)


@writing("/clients/{client_id:uuid}/log-erasure", act=Act.PROPOSE_ERASURE, name="propose_erasure")
async def propose_erasure(
    client_id: FromPath[UUID], data: JSONBody[ErasureIn], work: TheWork, key: TheKey
) -> ErasureOut:
    """Propose to erase a client from the log. Refused, by rule and date, while a duty to keep stands against it."""
    erasures = _erasures(work)
    new = Erasure(
        id=ErasureId(new_id()),
        client=ClientId(client_id),
        ground=data.ground,
        proposed_by=work.by.id,
        proposed_at=work.now,
    )

    async def propose() -> Erasure:
        await domain.propose_erasure(
            new,
            by=work.by,
            now=work.now,
            longer=_longer(work),
            record=Record(work.connection),
            erasures=erasures,
            journal=work.journal,
        )
        return new

    async def again(kept: Kept) -> Erasure:
        return await erasures.get(ErasureId(kept.resource))

    return ErasureOut.of(await once(work, key, Kept(status=201, resource=new.id), do=propose, again=again))


@reading("/log-erasures", act=Act.CONFIRM_ERASURE, name="list_erasures", problems=())
async def list_erasures(work: TheWork) -> ErasuresOut:
    """Proposed erasures of the clients of your programmes."""
    found = await domain.list_erasures(
        by=work.by, record=Record(work.connection), erasures=_erasures(work), journal=work.journal
    )
    return ErasuresOut(items=[ErasureOut.of(each) for each in found])


@writing("/log-erasures/{erasure_id:uuid}/confirmation", act=Act.CONFIRM_ERASURE, name="confirm_erasure", status=200)
async def confirm_erasure(erasure_id: FromPath[UUID], work: TheWork) -> ErasedOut:
    """Destroy the client's key, as somebody other than who proposed it. It cannot be undone.

    Every entry and every proof stays, and what the log says of the other clients on shared lists. A retry finds nothing
    to confirm any more.
    """
    erased = await domain.confirm_erasure(
        ErasureId(erasure_id),
        by=work.by,
        now=work.now,
        longer=_longer(work),
        record=Record(work.connection),
        erasures=_erasures(work),
        journal=work.journal,
    )
    return ErasedOut.of(erased)


@writing("/log-erasures/{erasure_id:uuid}/withdrawal", act=Act.PROPOSE_ERASURE, name="withdraw_erasure", status=204)
async def withdraw_erasure(erasure_id: FromPath[UUID], work: TheWork, key: TheKey) -> None:
    """Take a proposal back."""

    async def withdraw() -> None:
        await domain.withdraw_erasure(
            ErasureId(erasure_id),
            by=work.by,
            record=Record(work.connection),
            erasures=_erasures(work),
            journal=work.journal,
        )

    await once(work, key, Kept(status=204, resource=erasure_id), do=withdraw, again=nothing_more)


router = Router(
    "/",
    route_handlers=[propose_erasure, list_erasures, confirm_erasure, withdraw_erasure],
    tags=["Erasure from the log"],
)
