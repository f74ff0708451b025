"""Patient notices over HTTP: that a client was given one, and who is still to be given it."""

from datetime import date, datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.pages import USUAL, After, Limit
from caseload.api.patient_notice.versions import PatientNoticeOut, notices_of
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import patient_notice as domain
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, NoticeGivenId, NoticeId, ProgrammeId, new_id
from caseload.domain.patient_notice import (
    Acknowledgement,
    Giving,
    Manner,
    NoticeGiven,
    StillToGive,
    in_force,
)
from caseload.request.idempotency import once


class NoticeGivenIn(Wire, frozen=True, kw_only=True):
    """How a client was given the notice, and whether they signed that they have it."""

    manner: Manner
    acknowledgement: Acknowledgement
    why_not: str | None = None
    """Where it was not signed: what was done to have it signed, and why it was not."""
    given_at: Instant | None = None
    """Now when left out."""
    notice_id: UUID | None = None
    """The version in force on that day when left out."""


class NoticeWithdrawalIn(Wire, frozen=True, kw_only=True):
    """Why a record was a mistake."""

    reason: str


class NoticeGivenOut(Wire, frozen=True, kw_only=True):
    """That a client was given a version, by whoever recorded it."""

    id: UUID
    client_id: UUID
    notice: PatientNoticeOut
    given_at: datetime
    manner: Manner
    acknowledgement: Acknowledgement
    why_not: str | None
    recorded_by: UUID
    recorded_at: datetime
    taken_back: str | None
    """Why it was a mistake."""
    taken_back_by: UUID | None
    taken_back_at: datetime | None

    @classmethod
    def of(cls, one: NoticeGiven) -> "NoticeGivenOut":
        """From the domain."""
        said, wrong = one.giving, one.taken_back
        return cls(
            id=one.id,
            client_id=one.client,
            notice=PatientNoticeOut.of(one.notice),
            given_at=said.given_at,
            manner=said.manner,
            acknowledgement=said.acknowledgement,
            why_not=said.why_not,
            recorded_by=one.recorded_by,
            recorded_at=one.recorded_at,
            taken_back=None if wrong is None else wrong.reason,
            taken_back_by=None if wrong is None else wrong.by,
            taken_back_at=None if wrong is None else wrong.at,
        )


class NoticesGivenOut(Wire, frozen=True, kw_only=True):
    """Every notice that a client was given, the last first, also what was taken back."""

    items: list[NoticeGivenOut]


class StillToGiveOut(Wire, frozen=True, kw_only=True):
    """A client in care who has not been given the version in force."""

    client_id: UUID
    given_name: str
    family_name: str
    admitted_on: date

    @classmethod
    def of(cls, one: StillToGive) -> "StillToGiveOut":
        """From the domain."""
        return cls(
            client_id=one.client,
            given_name=one.given_name,
            family_name=one.family_name,
            admitted_on=one.admitted_on,
        )


class StillToGivePageOut(Wire, frozen=True, kw_only=True):
    """Some of those who are still to be given the version in force, in the order in which they were registered."""

    notice: PatientNoticeOut | None
    """The version in force today; null where the programme has none, so that nobody can be given one."""
    count: int
    """How many they are, on this page and the others."""
    items: list[StillToGiveOut]
    next: UUID | None
    """Give it as `after` to get the next page; null on the last one."""


@reading(
    "/programmes/{programme_id:uuid}/patient-notices/still-to-give",
    act=Act.GIVE_NOTICE,
    name="list_notices_still_to_give",
)
async def list_notices_still_to_give(
    programme_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> StillToGivePageOut:
    """Who is in care here, as far as you see them, and has not been given the version of the notice that is in force."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.GIVE_NOTICE, programme.id)
    notices, reach = notices_of(work), work.by.reach(Act.GIVE_NOTICE)
    current = in_force(await notices.versions(programme.id), programme.today(work.now))
    if current is None:
        return StillToGivePageOut(notice=None, count=0, items=[], next=None)
    place = None if after is None else ClientId(after)
    found = await notices.still_to_give(current, reach=reach, after=place, limit=limit)
    return StillToGivePageOut(
        notice=PatientNoticeOut.of(current),
        count=await notices.count_still_to_give(current, reach=reach),
        items=[StillToGiveOut.of(each) for each in found],
        next=found[-1].client if len(found) == limit else None,
    )


@reading("/clients/{client_id:uuid}/patient-notices", act=Act.SEE_NOTICES, name="list_notices_given")
async def list_notices_given(client_id: FromPath[UUID], work: TheWork) -> NoticesGivenOut:
    """Which versions of the notice a client was given, when and how, and whether they signed that they have it."""
    client = await client_within(work, client_id, Act.SEE_NOTICES)
    return NoticesGivenOut(items=[NoticeGivenOut.of(each) for each in await notices_of(work).of(client.id)])


@writing("/clients/{client_id:uuid}/patient-notices", act=Act.GIVE_NOTICE, name="give_notice")
async def give_notice(
    client_id: FromPath[UUID], data: JSONBody[NoticeGivenIn], work: TheWork, key: TheKey
) -> NoticeGivenOut:
    """Record that you gave a client the notice. Once more where they sign later."""
    client = await client_within(work, client_id, Act.GIVE_NOTICE)
    programme, new = await Programmes(work.connection).get(client.programme), NoticeGivenId(new_id())

    async def record() -> NoticeGiven:
        return await domain.give(
            client.id,
            Giving(
                given_at=data.given_at or work.now,
                manner=data.manner,
                acknowledgement=data.acknowledgement,
                why_not=data.why_not,
            ),
            version=None if data.notice_id is None else NoticeId(data.notice_id),
            programme=programme,
            as_id=new,
            by=work.by,
            now=work.now,
            notices=notices_of(work),
            journal=work.journal,
        )

    async def again(kept: Kept) -> NoticeGiven:
        return await notices_of(work).one(NoticeGivenId(kept.resource), of=client.id)

    return NoticeGivenOut.of(await once(work, key, Kept(status=201, resource=new), do=record, again=again))


@writing(
    "/clients/{client_id:uuid}/patient-notices/{given_id:uuid}/withdrawal",
    act=Act.GIVE_NOTICE,
    name="take_back_notice",
)
async def take_back_notice(
    client_id: FromPath[UUID],
    given_id: FromPath[UUID],
    data: JSONBody[NoticeWithdrawalIn],
    work: TheWork,
    key: TheKey,
) -> NoticeGivenOut:
    """Take back a record that was a mistake; it stays readable with the reason, and the client is to be given the notice."""
    client = await client_within(work, client_id, Act.GIVE_NOTICE)
    wanted = NoticeGivenId(given_id)

    async def take_back() -> NoticeGiven:
        return await domain.take_back(
            await notices_of(work).one(wanted, of=client.id),
            data.reason,
            by=work.by,
            now=work.now,
            notices=notices_of(work),
            journal=work.journal,
        )

    async def again(_: Kept) -> NoticeGiven:
        return await notices_of(work).one(wanted, of=client.id)

    return NoticeGivenOut.of(await once(work, key, Kept(status=201, resource=wanted), do=take_back, again=again))
