"""Versions of a programme's patient notice, over HTTP: put in force, and listed."""

from datetime import date, datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.db.patient_notice import Notices
from caseload.db.programme import Programmes
from caseload.domain import patient_notice as domain
from caseload.domain.access import Act
from caseload.domain.ids import NoticeId, ProgrammeId, new_id
from caseload.domain.patient_notice import (
    Notice,
    Wording,
    in_force,
)
from caseload.request.idempotency import once
from caseload.request.work import Work


class PatientNoticeIn(Wire, frozen=True, kw_only=True):
    """A version of a programme's notice."""

    title: str
    version: str
    in_force_from: date
    """A local day of the programme, today at the earliest; an earlier one only for its first notice."""
    text_sha256: str
    """Of the text as it is handed out: 64 lower-case hexadecimal digits."""


class PatientNoticeOut(Wire, frozen=True, kw_only=True):
    """A version of a programme's notice, in force from its day until another one's day comes."""

    id: UUID
    programme_id: UUID
    title: str
    version: str
    in_force_from: date
    text_sha256: str
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, one: Notice) -> "PatientNoticeOut":
        """From the domain."""
        return cls(
            id=one.id,
            programme_id=one.programme,
            title=one.wording.title,
            version=one.wording.version,
            in_force_from=one.wording.in_force_from,
            text_sha256=one.wording.text_sha256,
            recorded_by=one.recorded_by,
            recorded_at=one.recorded_at,
        )


class PatientNoticesOut(Wire, frozen=True, kw_only=True):
    """Every version of a programme's notice, the last day first."""

    in_force: UUID | None
    """Which of them is in force today."""
    items: list[PatientNoticeOut]


@writing(
    "/programmes/{programme_id:uuid}/patient-notices",
    act=Act.KEEP_NOTICES,
    name="put_patient_notice_in_force",
)
async def put_patient_notice_in_force(
    programme_id: FromPath[UUID], data: JSONBody[PatientNoticeIn], work: TheWork, key: TheKey
) -> PatientNoticeOut:
    """Put a version of a programme's notice in force from a day. Whoever is in care is to be given it from then on."""
    programme, new = await Programmes(work.connection).get(ProgrammeId(programme_id)), NoticeId(new_id())

    async def put() -> Notice:
        return await domain.put_in_force(
            programme,
            Wording(
                title=data.title,
                version=data.version,
                in_force_from=data.in_force_from,
                text_sha256=data.text_sha256,
            ),
            as_id=new,
            by=work.by,
            now=work.now,
            notices=notices_of(work),
            journal=work.journal,
        )

    async def again(kept: Kept) -> Notice:
        work.by.require(Act.KEEP_NOTICES, programme.id)
        [found] = [each for each in await notices_of(work).versions(programme.id) if each.id == kept.resource]
        return found

    return PatientNoticeOut.of(await once(work, key, Kept(status=201, resource=new), do=put, again=again))


@reading("/programmes/{programme_id:uuid}/patient-notices", act=Act.SEE_NOTICES, name="list_patient_notices")
async def list_patient_notices(programme_id: FromPath[UUID], work: TheWork) -> PatientNoticesOut:
    """Every version of a programme's notice, and which is in force."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.SEE_NOTICES, programme.id)
    versions = await notices_of(work).versions(programme.id)
    current = in_force(versions, programme.today(work.now))
    return PatientNoticesOut(
        in_force=None if current is None else current.id, items=[PatientNoticeOut.of(each) for each in versions]
    )


def notices_of(work: Work) -> Notices:
    return Notices(work.connection, work.journal, now=work.now)
