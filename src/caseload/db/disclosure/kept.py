"""What was told to somebody outside about a client, in PostgreSQL."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Boolean, RowMapping, bindparam, exists, func, insert, literal_column, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.disclosure import disputes
from caseload.db.disclosure.sitting_in import sat_in
from caseload.db.programme import LATER_PROFILES, ZONES
from caseload.db.tables.caseload import client
from caseload.db.tables.disclosure import disclosure_completed, disclosure_made, redisclosure
from caseload.db.tables.people import staff
from caseload.db.tables.programme import programme
from caseload.domain.access import Act
from caseload.domain.consent import Category, CheckMethod, IdentityCheck, Purpose, Recipient, RecipientClass
from caseload.domain.disclosure import (
    Disclosure,
    DisclosureUnknown,
    Dispute,
    Ground,
    Manner,
    NoticeHow,
    NotOpen,
    Redisclosure,
    ReleaseUnknown,
    Telling,
    Told,
)
from caseload.domain.ids import ClientId, ConsentId, DisclosureId, ProgrammeId, RedisclosureId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.people import Staff
from caseload.domain.profiles.selected import read_selected
from caseload.domain.zones import zone_of

KIND: Final = "disclosure"
"""What the journal calls what was told about somebody."""
SESSION: Final = "session"
"""And the register of the session in which somebody sat with them."""
DISPUTE: Final = "rights_request"
"""And what of a dispute goes along with it."""
MOST: Final = 10_000
AFTER_ALL: Final = UUID(int=2**128 - 1)
"""Sorts behind every identifier that will ever be made."""

_made, _completed = disclosure_made.c, disclosure_completed.c

_EVERY = (
    select(
        _made.id,
        _made.client_id,
        _made.programme_id,
        _made.person_id,
        _made.named,
        _made.group,
        _made.name,
        func.coalesce(_made.facility, _completed.facility).label("facility"),
        _made.address,
        _made.purpose,
        _made.ground,
        _made.consent_id,
        _made.emergency,
        _made.check_method,
        _made.check_detail,
        _made.stated,
        _made.categories,
        _made.rule,
        _made.rules_version,
        _made.manner,
        _made.since,
        _made.notice,
        _made.notice_how,
        _made.scope,
        _made.content,
        _made.disputes,
        func.coalesce(_made.disclosed_by, _completed.disclosed_by).label("disclosed_by"),
        func.coalesce(_made.disclosed_at, _completed.disclosed_at).label("disclosed_at"),
        _made.recorded_by,
        _made.recorded_at,
    )
    .join(client, client.c.id == _made.client_id)
    .outerjoin(disclosure_completed, _completed.disclosure_id == _made.id)
    .where(within_reach())
)
ONE_DISCLOSURE: Final = _EVERY.where(_made.id == bindparam("disclosure"))
ONE_RELEASE: Final = ONE_DISCLOSURE.where(_made.ground == Ground.EMERGENCY.value)
DISCLOSURES_OF: Final = (
    _EVERY.where(_made.client_id == bindparam("client"), _made.id < bindparam("after"))
    .order_by(_made.id.desc())
    .limit(bindparam("limit"))
)
_INCOMPLETE: Final = literal_column(
    "(disclosure_made.ground = 'emergency' AND num_nulls(disclosure_made.facility, disclosure_made.disclosed_by,"
    " disclosure_made.disclosed_at) > 0)",
    Boolean(),
)
"""In the words of `disclosure_made_incomplete_idx`: a parameter in place of one of them would walk the table."""
OPEN_RELEASES: Final = (
    _EVERY.add_columns(programme.c.profile, LATER_PROFILES, ZONES.label("zones"))
    .join(programme, programme.c.id == _made.programme_id)
    .where(
        _INCOMPLETE,
        _completed.disclosure_id.is_(None),
    )
    .order_by(_made.id)
    .limit(bindparam("limit"))
)
_ADD, _COMPLETE, _PASS_ON = insert(disclosure_made), insert(disclosure_completed), insert(redisclosure)
_IS_STAFF = select(exists().where(staff.c.id == bindparam("staff")))
_PASSED_ON = (
    select(
        redisclosure.c.id,
        redisclosure.c.to_whom,
        redisclosure.c.learnt_from,
        redisclosure.c.why,
        redisclosure.c.learnt_at,
        redisclosure.c.recorded_by,
        redisclosure.c.recorded_at,
    )
    .where(redisclosure.c.disclosure_id == bindparam("disclosure"))
    .order_by(redisclosure.c.id)
)


class KeptDisclosures:
    """Satisfies `domain.disclosure.Releases`, `Redisclosures` and `Accounted`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def add_disclosure(self, made: Disclosure) -> None:
        """See `domain.disclosure.Disclosures.add_disclosure`."""
        await self._connection.execute(_ADD, _values(made))

    async def disputes_of(self, of: ClientId) -> Sequence[Dispute]:
        """See `domain.disclosure.Disclosures.disputes_of`. Whoever asks has been let through to the client before."""
        found = await disputes.disputes_of(self._connection, of)
        if found:
            self._journal.saw(of, DISPUTE)
        return found

    async def disclosure(self, wanted: DisclosureId, *, by: Staff, act: Act) -> Disclosure:
        """See `domain.disclosure.Disclosures.disclosure`."""
        given = {"disclosure": wanted, **reach_of(by.reach(act), at=self._now, by_identifier=True)}
        row = (await self._connection.execute(ONE_DISCLOSURE, given)).mappings().first()
        if row is None:
            raise DisclosureUnknown
        return self._told(row)

    async def release(self, wanted: DisclosureId, *, by: Staff, act: Act) -> Disclosure:
        """What was told in an emergency; `ReleaseUnknown` where it is none, or beyond the person's reach: the same to either."""
        given = {"disclosure": wanted, **reach_of(by.reach(act), at=self._now, by_identifier=True)}
        row = (await self._connection.execute(ONE_RELEASE, given)).mappings().first()
        if row is None:
            raise ReleaseUnknown
        return self._told(row)

    async def disclosures_of(
        self, wanted: ClientId, *, by: Staff, act: Act, after: UUID | None, limit: int
    ) -> Sequence[Told]:
        """See `domain.disclosure.Accounted.disclosures_of`. Both kinds of line have identifiers in order of time."""
        before = after or AFTER_ALL
        given = {
            "client": wanted,
            "after": before,
            "limit": limit,
            **reach_of(by.reach(act), at=self._now, by_identifier=True),
        }
        made = [self._told(row) for row in (await self._connection.execute(DISCLOSURES_OF, given)).mappings()]
        beside = await sat_in(self._connection, wanted, by=by, act=act, now=self._now, after=before, limit=limit)
        if beside:
            self._journal.saw(wanted, SESSION)
        return sorted((*made, *beside), key=lambda line: line.id, reverse=True)[:limit]

    async def all_of(self, wanted: ClientId, *, by: Staff, act: Act) -> Sequence[Told]:
        """See `domain.disclosure.Accounted.all_of`."""
        return await self.disclosures_of(wanted, by=by, act=act, after=None, limit=MOST)

    async def open_releases(self, *, by: Staff, act: Act, limit: int) -> Sequence[tuple[Disclosure, date, str]]:
        """See `domain.disclosure.Releases.open_releases`. A privacy officer's duty, so their reach counts here."""
        given = {"limit": limit, **reach_of(by.reach(act), at=self._now, by_identifier=True)}
        rows = (await self._connection.execute(OPEN_RELEASES, given)).mappings()
        days = [(row, row["recorded_at"].astimezone(zone_of(row["zones"])).date()) for row in rows]
        return [
            (self._told(row), day, read_selected(row["profile"], row["later_profiles"]).name_on(day))
            for row, day in days
        ]

    async def add_completion(self, completed: Disclosure, *, by: StaffId, at: datetime) -> None:
        """See `domain.disclosure.Releases.add_completion`."""
        try:
            await self._connection.execute(
                _COMPLETE,
                {
                    "disclosure_id": completed.id,
                    "ground": completed.ground,
                    "facility": completed.telling.facility,
                    "disclosed_by": completed.disclosed_by,
                    "disclosed_at": completed.disclosed_at,
                    "recorded_by": by,
                    "recorded_at": at,
                },
            )
        except IntegrityError as twice:
            raise NotOpen from twice

    async def is_staff(self, somebody: StaffId) -> bool:
        """See `domain.disclosure.Releases.is_staff`."""
        return bool((await self._connection.execute(_IS_STAFF, {"staff": somebody})).scalar_one())

    async def add_redisclosure(self, heard: Redisclosure, *, of: Disclosure) -> None:
        """See `domain.disclosure.Redisclosures.add_redisclosure`."""
        await self._connection.execute(
            _PASS_ON,
            {
                "id": heard.id,
                "disclosure_id": heard.disclosure,
                "client_id": of.client,
                "to_whom": heard.to,
                "learnt_from": heard.learnt_from,
                "why": heard.why,
                "learnt_at": heard.learnt_at,
                "recorded_by": heard.recorded_by,
                "recorded_at": heard.recorded_at,
            },
        )

    async def redisclosures_of(self, of: Disclosure) -> Sequence[Redisclosure]:
        """See `domain.disclosure.Redisclosures.redisclosures_of`."""
        rows = (await self._connection.execute(_PASSED_ON, {"disclosure": of.id})).all()
        return [
            Redisclosure(
                id=RedisclosureId(row.id),
                disclosure=of.id,
                to=row.to_whom,
                learnt_from=row.learnt_from,
                why=row.why,
                learnt_at=row.learnt_at,
                recorded_by=StaffId(row.recorded_by),
                recorded_at=row.recorded_at,
            )
            for row in rows
        ]

    def _told(self, row: RowMapping) -> Disclosure:
        self._journal.saw(ClientId(row["client_id"]), KIND)
        return disclosure_of(row)


def _values(made: Disclosure) -> dict[str, object]:
    telling = made.telling
    return {
        "id": made.id,
        "client_id": made.client,
        "programme_id": made.programme,
        "person_id": telling.recipient.person,
        "named": telling.recipient.name,
        "group": telling.recipient.group,
        "name": telling.name,
        "facility": telling.facility,
        "address": telling.address,
        "purpose": telling.purpose,
        "ground": made.ground,
        "consent_id": made.consent,
        "emergency": telling.emergency,
        "check_method": None if telling.check is None else telling.check.method,
        "check_detail": None if telling.check is None else telling.check.detail,
        "stated": dict(made.stated),
        "categories": list(made.categories),
        "rule": made.rule,
        "rules_version": made.rules_version,
        "manner": made.manner,
        "notice": made.notice,
        "notice_how": made.notice_how,
        "scope": made.scope,
        "content": dict(made.content),
        "disputes": disputes.written(made.disputes),
        "since": made.since,
        "disclosed_by": made.disclosed_by,
        "disclosed_at": made.disclosed_at,
        "recorded_by": made.recorded_by,
        "recorded_at": made.recorded_at,
    }


def disclosure_of(row: RowMapping) -> Disclosure:
    """From a row of the statements above."""
    return Disclosure(
        id=DisclosureId(row["id"]),
        client=ClientId(row["client_id"]),
        programme=ProgrammeId(row["programme_id"]),
        telling=_telling_of(row),
        ground=Ground(row["ground"]),
        consent=None if row["consent_id"] is None else ConsentId(row["consent_id"]),
        categories=tuple(Category(each) for each in row["categories"]),
        rule=row["rule"],
        rules_version=row["rules_version"],
        manner=Manner(row["manner"]),
        notice=row["notice"],
        notice_how=None if row["notice_how"] is None else NoticeHow(row["notice_how"]),
        scope=row["scope"],
        stated=row["stated"],
        content=row["content"],
        disputes=disputes.read(row["disputes"]),
        since=row["since"],
        disclosed_by=None if row["disclosed_by"] is None else StaffId(row["disclosed_by"]),
        disclosed_at=row["disclosed_at"],
        recorded_by=StaffId(row["recorded_by"]),
        recorded_at=row["recorded_at"],
    )


def _telling_of(row: RowMapping) -> Telling:
    method, group = row["check_method"], row["group"]
    return Telling(
        recipient=Recipient(
            person=row["person_id"], name=row["named"], group=None if group is None else RecipientClass(group)
        ),
        name=row["name"],
        facility=row["facility"],
        address=row["address"],
        purpose=Purpose(row["purpose"]),
        emergency=row["emergency"],
        check=None if method is None else IdentityCheck(method=CheckMethod(method), detail=row["check_detail"]),
    )
