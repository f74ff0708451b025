"""Patient notices in PostgreSQL: versions, to whom they were given, and to whom not yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Row,
    Uuid,
    and_,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    not_,
    select,
    true,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db import locks
from caseload.db.access import reach_of, within_reach
from caseload.db.caseload.waiting import is_closed
from caseload.db.tables.caseload import client, client_identity, episode
from caseload.db.tables.patient_notice import patient_notice, patient_notice_given, patient_notice_taken_back
from caseload.domain.access import Reach
from caseload.domain.ids import ClientId, NoticeGivenId, NoticeId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.patient_notice import (
    Acknowledgement,
    Giving,
    Manner,
    Notice,
    NoticeGiven,
    NoticeGivenTakenBack,
    NoticeGivenUnknown,
    NoticeTaken,
    StillToGive,
    Wording,
)
from caseload.domain.taken_back import TakenBack

KIND: Final = "patient_notice"
"""What the journal calls it."""

_VERSIONS: Final = (
    select(patient_notice)
    .where(patient_notice.c.programme_id == bindparam("programme"))
    .order_by(patient_notice.c.in_force_from.desc())
)
OF_CLIENT: Final = (
    select(
        patient_notice_given,
        patient_notice.c.title,
        patient_notice.c.version,
        patient_notice.c.in_force_from,
        patient_notice.c.text_sha256,
        patient_notice.c.recorded_by.label("put_in_force_by"),
        patient_notice.c.recorded_at.label("put_in_force_at"),
        patient_notice_taken_back.c.reason,
        patient_notice_taken_back.c.recorded_by.label("taken_back_by"),
        patient_notice_taken_back.c.recorded_at.label("taken_back_at"),
    )
    .select_from(patient_notice_given)
    .join(patient_notice, patient_notice.c.id == patient_notice_given.c.notice_id)
    .outerjoin(patient_notice_taken_back, patient_notice_taken_back.c.given_id == patient_notice_given.c.id)
    .where(patient_notice_given.c.client_id == bindparam("client"))
    .order_by(patient_notice_given.c.given_at.desc(), patient_notice_given.c.id.desc())
)
_newest = (
    select(client_identity.c.given_name, client_identity.c.family_name)
    .where(client_identity.c.client_id == client.c.id)
    .order_by(client_identity.c.version.desc())
    .limit(literal_column("1"))
    .lateral("identity")
)
_has_it = exists().where(
    patient_notice_given.c.client_id == client.c.id,
    patient_notice_given.c.notice_id == bindparam("notice", type_=Uuid()),
    ~exists().where(patient_notice_taken_back.c.given_id == patient_notice_given.c.id),
)
_lacks_it: Final[ColumnElement[bool]] = and_(
    client.c.programme_id == bindparam("programme", type_=Uuid()),
    func.upper_inf(episode.c.period),
    not_(is_closed),
    not_(_has_it),
    within_reach(),
)
_in_care: Final = client.join(episode, episode.c.client_id == client.c.id)
FIRST: Final = (
    select(client.c.id, *_newest.c, episode.c.admitted_on)
    .select_from(_in_care.join(_newest, true()))
    .where(_lacks_it)
    .order_by(client.c.id)
    .limit(bindparam("limit"))
)
NEXT: Final = FIRST.where(client.c.id > bindparam("after", type_=Uuid()))
COUNT: Final = select(func.count()).select_from(_in_care).where(_lacks_it)


class Notices:
    """Satisfies `domain.patient_notice.Notices`. Whoever asks about a client has been let through to them before."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def hold_still(self, programme: ProgrammeId, /) -> None:
        """See `domain.patient_notice.Notices.hold_still`."""
        await locks.hold(self._connection, f"patient notices {programme}")

    async def versions(self, programme: ProgrammeId, /) -> Sequence[Notice]:
        """See `domain.patient_notice.Notices.versions`."""
        rows = await self._connection.execute(_VERSIONS, {"programme": programme})
        return [
            Notice(
                id=NoticeId(row.id),
                programme=ProgrammeId(row.programme_id),
                wording=_wording(row),
                recorded_by=StaffId(row.recorded_by),
                recorded_at=row.recorded_at,
            )
            for row in rows
        ]

    async def add_version(self, new: Notice, /) -> None:
        """See `domain.patient_notice.Notices.add_version`."""
        said = new.wording
        try:
            await self._connection.execute(
                insert(patient_notice).values(
                    id=new.id,
                    programme_id=new.programme,
                    title=said.title,
                    version=said.version,
                    in_force_from=said.in_force_from,
                    text_sha256=bytes.fromhex(said.text_sha256),
                    recorded_by=new.recorded_by,
                    recorded_at=new.recorded_at,
                )
            )
        except IntegrityError as there:
            raise NoticeTaken("Give it a version and a first day of its own.") from there

    async def of(self, of: ClientId) -> Sequence[NoticeGiven]:
        """Every notice that a client was given, the last first, also what was taken back."""
        rows = (await self._connection.execute(OF_CLIENT, {"client": of})).all()
        self._journal.saw(of, KIND)
        return [_given(row) for row in rows]

    async def one(self, wanted: NoticeGivenId, *, of: ClientId) -> NoticeGiven:
        """One of them; or `NoticeGivenUnknown`."""
        found = next((each for each in await self.of(of) if each.id == wanted), None)
        if found is None:
            raise NoticeGivenUnknown("Read what notices the client was given for its identifier.")
        return found

    async def add_given(self, new: NoticeGiven, /) -> None:
        """See `domain.patient_notice.Notices.add_given`."""
        said = new.giving
        await self._connection.execute(
            insert(patient_notice_given).values(
                id=new.id,
                client_id=new.client,
                programme_id=new.notice.programme,
                notice_id=new.notice.id,
                given_at=said.given_at,
                manner=said.manner,
                acknowledgement=said.acknowledgement,
                why_not=said.why_not,
                recorded_by=new.recorded_by,
                recorded_at=new.recorded_at,
            )
        )

    async def add_taken_back(self, wrong: NoticeGiven, taken_back: TakenBack, /) -> None:
        """See `domain.patient_notice.Notices.add_taken_back`."""
        try:
            await self._connection.execute(
                insert(patient_notice_taken_back).values(
                    given_id=wrong.id,
                    reason=taken_back.reason,
                    recorded_by=taken_back.by,
                    recorded_at=taken_back.at,
                )
            )
        except IntegrityError as raced:
            raise NoticeGivenTakenBack("Read again what notices the client was given.") from raced

    async def still_to_give(
        self, notice: Notice, *, reach: Reach, after: ClientId | None, limit: int
    ) -> Sequence[StillToGive]:
        """Who of the notice's programme is in care and has not been given it, in the order in which they were registered."""
        given = {**self._asked(notice, reach), "limit": limit} | ({} if after is None else {"after": after})
        rows = (await self._connection.execute(FIRST if after is None else NEXT, given)).all()
        for row in rows:
            self._journal.saw(ClientId(row.id), KIND)
        return [
            StillToGive(
                client=ClientId(row.id),
                given_name=row.given_name,
                family_name=row.family_name,
                admitted_on=row.admitted_on,
            )
            for row in rows
        ]

    async def count_still_to_give(self, notice: Notice, *, reach: Reach) -> int:
        """How many they are."""
        return (await self._connection.execute(COUNT, self._asked(notice, reach))).scalar_one()

    def _asked(self, notice: Notice, reach: Reach) -> dict[str, object]:
        return {"notice": notice.id, "programme": notice.programme, **reach_of(reach, at=self._now)}


def _wording(row: Row[*tuple[Any, ...]]) -> Wording:
    return Wording(
        title=row.title, version=row.version, in_force_from=row.in_force_from, text_sha256=row.text_sha256.hex()
    )


def _given(row: Row[*tuple[Any, ...]]) -> NoticeGiven:
    return NoticeGiven(
        id=NoticeGivenId(row.id),
        client=ClientId(row.client_id),
        notice=Notice(
            id=NoticeId(row.notice_id),
            programme=ProgrammeId(row.programme_id),
            wording=_wording(row),
            recorded_by=StaffId(row.put_in_force_by),
            recorded_at=row.put_in_force_at,
        ),
        giving=Giving(
            given_at=row.given_at,
            manner=Manner(row.manner),
            acknowledgement=Acknowledgement(row.acknowledgement),
            why_not=row.why_not,
        ),
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        taken_back=None
        if row.reason is None
        else TakenBack(reason=row.reason, by=StaffId(row.taken_back_by), at=row.taken_back_at),
    )
