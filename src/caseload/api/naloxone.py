"""Naloxone over HTTP: offered to the client or the household, supplied, and shown how to use it."""

from datetime import date, datetime
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.idempotency import Kept
from caseload.db.naloxone import Supplies
from caseload.db.programme import Programmes
from caseload.domain import naloxone as domain
from caseload.domain.access import Act
from caseload.domain.ids import NaloxoneId, new_id
from caseload.domain.naloxone import Naloxone, NaloxoneForm, Offer, Outcome, Recipient
from caseload.request.idempotency import once
from caseload.request.work import Work


class NaloxoneIn(Wire, frozen=True, kw_only=True):
    """Naloxone as it was offered, and what came of it."""

    outcome: Outcome
    trained: bool
    """Whether it was shown how to see an overdose, how to give naloxone, and to call for help."""
    recipient: Recipient = Recipient.CLIENT
    person_id: UUID | None = None
    """The person around the client, of a household."""
    form: NaloxoneForm | None = None
    units: int | None = None
    """How many devices or ampoules, where any were supplied."""
    offered_on: date | None = None
    """Today when left out."""
    note: str = ""


class NaloxoneWithdrawalIn(Wire, frozen=True, kw_only=True):
    """Why a record was a mistake."""

    reason: str


class NaloxoneOut(Wire, frozen=True, kw_only=True):
    """One record of naloxone."""

    id: UUID
    client_id: UUID
    offered_on: date
    recipient: Recipient
    person_id: UUID | None
    outcome: Outcome
    form: NaloxoneForm | None
    units: int | None
    trained: bool
    note: str
    recorded_by: UUID
    recorded_at: datetime
    taken_back: str | None
    """Why it was a mistake."""
    taken_back_by: UUID | None
    taken_back_at: datetime | None

    @classmethod
    def of(cls, made: Naloxone) -> "NaloxoneOut":
        """From the domain."""
        said, wrong = made.offer, made.taken_back
        return cls(
            id=made.id,
            client_id=made.client,
            offered_on=said.offered_on,
            recipient=said.recipient,
            person_id=said.person,
            outcome=said.outcome,
            form=said.form,
            units=said.units,
            trained=said.trained,
            note=said.note,
            recorded_by=made.recorded_by,
            recorded_at=made.recorded_at,
            taken_back=None if wrong is None else wrong.reason,
            taken_back_by=None if wrong is None else wrong.by,
            taken_back_at=None if wrong is None else wrong.at,
        )


class NaloxoneListOut(Wire, frozen=True, kw_only=True):
    """Every record of naloxone of a client, the last day first, also what was taken back."""

    items: list[NaloxoneOut]


@reading("/clients/{client_id:uuid}/naloxone", act=Act.SEE_OBSERVATIONS, name="list_naloxone")
async def list_naloxone(client_id: FromPath[UUID], work: TheWork) -> NaloxoneListOut:
    """When naloxone was offered to a client and their household, and what came of it."""
    client = await client_within(work, client_id, Act.SEE_OBSERVATIONS)
    return NaloxoneListOut(items=[NaloxoneOut.of(each) for each in await _supplies(work).of(client.id)])


@writing("/clients/{client_id:uuid}/naloxone", act=Act.RECORD_OBSERVATION, name="offer_naloxone")
async def offer_naloxone(
    client_id: FromPath[UUID], data: JSONBody[NaloxoneIn], work: TheWork, key: TheKey
) -> NaloxoneOut:
    """Record that naloxone was offered: declined, supplied, or not needed because there is some in date."""
    client = await client_within(work, client_id, Act.RECORD_OBSERVATION)
    today = (await Programmes(work.connection).get(client.programme)).today(work.now)
    new = NaloxoneId(new_id())

    async def record() -> Naloxone:
        return await domain.offer(
            client.id,
            Offer(
                offered_on=data.offered_on or today,
                recipient=data.recipient,
                person=data.person_id,
                outcome=data.outcome,
                form=data.form,
                units=data.units,
                trained=data.trained,
                note=data.note,
            ),
            as_id=new,
            programme=client.programme,
            today=today,
            by=work.by,
            now=work.now,
            supplies=_supplies(work),
            journal=work.journal,
        )

    async def again(kept: Kept) -> Naloxone:
        return await _supplies(work).one(NaloxoneId(kept.resource), of=client.id)

    return NaloxoneOut.of(await once(work, key, Kept(status=201, resource=new), do=record, again=again))


@writing(
    "/clients/{client_id:uuid}/naloxone/{naloxone_id:uuid}/withdrawal",
    act=Act.RECORD_OBSERVATION,
    name="take_back_naloxone",
)
async def take_back_naloxone(
    client_id: FromPath[UUID],
    naloxone_id: FromPath[UUID],
    data: JSONBody[NaloxoneWithdrawalIn],
    work: TheWork,
    key: TheKey,
) -> NaloxoneOut:
    """Take back a record that was a mistake; it stays readable with the reason."""
    client = await client_within(work, client_id, Act.RECORD_OBSERVATION)
    wanted = NaloxoneId(naloxone_id)

    async def take_back() -> Naloxone:
        return await domain.take_back(
            await _supplies(work).one(wanted, of=client.id),
            data.reason,
            by=work.by,
            now=work.now,
            supplies=_supplies(work),
            journal=work.journal,
        )

    async def again(_: Kept) -> Naloxone:
        return await _supplies(work).one(wanted, of=client.id)

    return NaloxoneOut.of(await once(work, key, Kept(status=201, resource=wanted), do=take_back, again=again))


def _supplies(work: Work) -> Supplies:
    return Supplies(work.connection, work.journal)


router = Router("/", route_handlers=[list_naloxone, offer_naloxone, take_back_naloxone], tags=["Naloxone"])
