"""Transfers over HTTP: a client goes on from one programme of the service to another."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from caseload.api.departure.store import transfer_places, transfers
from caseload.api.dosing.store import pasts
from caseload.api.medication.past import ContentsOut
from caseload.api.note.store import notes
from caseload.api.note.wire import NoteOut
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.transfer.wire import (
    TransferAcceptanceIn,
    TransferEndIn,
    TransferIn,
    TransferOut,
    TransferPastOut,
)
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import transfer as domain
from caseload.domain.access import Act
from caseload.domain.dosing.past import as_known, check_past
from caseload.domain.ids import ClientId, ProgrammeId, StaffId, TransferId, new_id
from caseload.domain.transfer import Person, Taking, Transfer, Wish
from caseload.request.idempotency import RequestKey, once
from caseload.request.work import Work

Shown = tuple[Transfer, Person]


@writing("/clients/{client_id:uuid}/transfers", act=Act.DISCHARGE, name="ask_transfer")
async def ask_transfer(
    client_id: FromPath[UUID], data: JSONBody[TransferIn], work: TheWork, key: TheKey
) -> TransferOut:
    """Ask another programme to take a client over. Nothing changes until it has accepted."""
    new = TransferId(new_id())
    wish = Wish(
        to=ProgrammeId(data.to_programme_id),
        reason=data.reason,
        told=data.told,
        proposed_at=data.proposed_at or work.now,
    )

    async def ask() -> None:
        await domain.ask_transfer(
            ClientId(client_id),
            wish,
            as_id=new,
            by=work.by,
            now=work.now,
            places=transfer_places(work),
            journal=work.journal,
        )

    return await _answered(new, Act.DISCHARGE, ask, work, key)


@reading("/programmes/{programme_id:uuid}/transfers", act=Act.DISCHARGE, name="list_transfers")
async def list_transfers(
    programme_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[TransferOut]:
    """The transfers from and to a programme that wait for somebody, the longest waiting first."""
    programme = await _programme(programme_id, work)
    found = await transfers(work).waiting(programme, by=work.by, act=Act.DISCHARGE, after=after, limit=limit)
    return _page(found, limit)


@reading("/programmes/{programme_id:uuid}/transferred-clients", act=Act.DISCHARGE, name="list_transferred_clients")
async def list_transferred_clients(
    programme_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[TransferOut]:
    """Who went on from a programme to another one, the first first."""
    programme = await _programme(programme_id, work)
    found = await transfers(work).gone(programme, by=work.by, act=Act.DISCHARGE, after=after, limit=limit)
    return _page(found, limit)


@reading("/transfers/{transfer_id:uuid}", act=Act.DISCHARGE, name="read_transfer")
async def read_transfer(transfer_id: FromPath[UUID], work: TheWork) -> TransferOut:
    """One transfer, for either side. The receiving programme sees who it is and what the request says, and no record."""
    return TransferOut.of(*await transfers(work).shown(TransferId(transfer_id), by=work.by, act=Act.DISCHARGE))


@reading("/transfers/{transfer_id:uuid}/past", act=Act.SEE_MEDICATION, name="read_transfer_past", problems=(404, 409))
async def read_transfer_past(transfer_id: FromPath[UUID], work: TheWork) -> TransferPastOut:
    """What the giving programme knew of a client's medication when the client went: its own past, and nothing later."""
    kept = transfers(work)
    transfer, looking_back = await domain.look_back(
        TransferId(transfer_id), by=work.by, act=Act.SEE_MEDICATION, transfers=kept
    )
    _, person = await kept.shown(transfer.id, by=work.by, act=Act.SEE_MEDICATION)
    went_at = transfer.asked_at if transfer.ending is None else transfer.ending.at
    check_past(went_at, now=work.now, settled_after=timedelta(0))
    contents, day = await pasts(work).contents(transfer.client, went_at, by=looking_back, act=Act.SEE_MEDICATION)
    return TransferPastOut(
        transfer=TransferOut.of(transfer, person),
        day=day,
        known=ContentsOut.of(as_known(contents, went_at), day, went_at),
    )


@reading("/transfers/{transfer_id:uuid}/notes", act=Act.SEE_NOTES, name="list_transfer_notes", problems=(404, 409))
async def list_transfer_notes(
    transfer_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[NoteOut]:
    """The notes about a client that the giving programme keeps and that you may read, newest first."""
    transfer, _ = await domain.look_back(
        TransferId(transfer_id), by=work.by, act=Act.SEE_NOTES, transfers=transfers(work)
    )
    found = await notes(work).of_client(transfer.client, by=work.by, after=after, limit=limit)
    items = [NoteOut.of(each, reader=work.by, now=work.now) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@writing("/transfers/{transfer_id:uuid}/acceptance", act=Act.HAND_OVER, name="accept_transfer")
async def accept_transfer(
    transfer_id: FromPath[UUID], data: JSONBody[TransferAcceptanceIn], work: TheWork, key: TheKey
) -> TransferOut:
    """Take the client over, with who answers for them from then on.

    While something may still be given under an order it waits for a prescriber of the giving programme, and the client goes
    with that decision. Refused, with a list, while something is open there that nobody would see any more.
    """
    wanted = TransferId(transfer_id)
    taking = Taking(counsellor=StaffId(data.counsellor_id), level=data.level_of_care.read())

    async def accept() -> None:
        await domain.accept_transfer(
            wanted, taking, by=work.by, now=work.now, places=transfer_places(work), journal=work.journal
        )

    return await _answered(wanted, Act.HAND_OVER, accept, work, key)


@writing("/transfers/{transfer_id:uuid}/refusal", act=Act.HAND_OVER, name="decline_transfer")
async def decline_transfer(
    transfer_id: FromPath[UUID], data: JSONBody[TransferEndIn], work: TheWork, key: TheKey
) -> TransferOut:
    """Do not take the client over, also after all while a prescriber has not decided: the client stays."""
    wanted = TransferId(transfer_id)

    async def decline() -> None:
        await domain.decline_transfer(
            wanted, data.reason, by=work.by, now=work.now, places=transfer_places(work), journal=work.journal
        )

    return await _answered(wanted, Act.HAND_OVER, decline, work, key)


@writing("/transfers/{transfer_id:uuid}/withdrawal", act=Act.DISCHARGE, name="withdraw_transfer")
async def withdraw_transfer(
    transfer_id: FromPath[UUID], data: JSONBody[TransferEndIn], work: TheWork, key: TheKey
) -> TransferOut:
    """Take the transfer back: the client stays."""
    wanted = TransferId(transfer_id)

    async def withdraw() -> None:
        await domain.withdraw_transfer(
            wanted, data.reason, by=work.by, now=work.now, places=transfer_places(work), journal=work.journal
        )

    return await _answered(wanted, Act.DISCHARGE, withdraw, work, key)


async def _answered(
    wanted: TransferId, act: Act, do: Callable[[], Awaitable[None]], work: Work, key: RequestKey | None
) -> TransferOut:
    """Do it once, and show the transfer as it stands; a retry is shown the one that the first was about."""

    async def first() -> Shown:
        await do()
        return await transfers(work).shown(wanted, by=work.by, act=act)

    async def again(kept: Kept) -> Shown:
        return await transfers(work).shown(TransferId(kept.resource), by=work.by, act=act)

    return TransferOut.of(*await once(work, key, Kept(status=201, resource=wanted), do=first, again=again))


async def _programme(programme_id: UUID, work: Work) -> ProgrammeId:
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.DISCHARGE, programme.id)
    return programme.id


def _page(found: Sequence[Shown], limit: int) -> Page[TransferOut]:
    items = [TransferOut.of(transfer, person) for transfer, person in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


router = Router(
    "/",
    route_handlers=[
        ask_transfer,
        list_transfers,
        list_transferred_clients,
        read_transfer,
        read_transfer_past,
        list_transfer_notes,
        accept_transfer,
        decline_transfer,
        withdraw_transfer,
    ],
    tags=["Transfers"],
)
