"""Guest agreements in PostgreSQL: as they were arranged, how they came out, and whom a host of ours sees meanwhile."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Date, RowMapping, Text, Uuid, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from caseload.db.access import reach_of, within_reach
from caseload.db.dosing import HandingOn, Statements
from caseload.db.medication.record import KIND
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, episode, guest_stay
from caseload.db.tables.disclosure import disclosure_made
from caseload.db.tables.guest import guest_agreement, guest_end
from caseload.db.tables.programme import programme
from caseload.db.tables.statement import dose_statement_day
from caseload.domain.access import Act
from caseload.domain.dosing import HowVerified
from caseload.domain.guest import (
    Arrangement,
    Confirmation,
    Guest,
    GuestEnd,
    GuestEnded,
    GuestOverlaps,
    GuestUnknown,
    HomeDose,
)
from caseload.domain.ids import ClientId, DisclosureId, GuestId, ProgrammeId, StaffId, StatementId
from caseload.domain.medication import Direction
from caseload.domain.medicines import Form, Medicine
from caseload.domain.people import Staff

_AFTER_ALL: Final = UUID(int=2**128 - 1)
"""Sorts behind every identifier that will ever be made."""
_ONE: Final = timedelta(days=1)
STAYS_LISTED: Final = timedelta(days=14)
"""So long after its last day an agreement stands in the list of its programme: home is to be told of the last dose."""

_told_at = (
    select(func.max(disclosure_made.c.disclosed_at))
    .where(
        disclosure_made.c.client_id == guest_agreement.c.client_id,
        func.lower(disclosure_made.c.facility) == func.lower(guest_agreement.c.facility),
        disclosure_made.c.disclosed_at >= guest_agreement.c.recorded_at,
    )
    .scalar_subquery()
)
_EVERY = (
    select(
        guest_agreement.c.id,
        guest_agreement.c.client_id,
        guest_agreement.c.programme_id,
        guest_agreement.c.direction,
        guest_agreement.c.host_programme_id,
        guest_agreement.c.facility,
        guest_agreement.c.disclosure_id,
        guest_agreement.c.statement_id,
        guest_agreement.c.first_on,
        guest_agreement.c.last_on,
        guest_agreement.c.medicine,
        guest_agreement.c.form,
        guest_agreement.c.amount_mg,
        guest_agreement.c.holds_on,
        guest_agreement.c.why,
        guest_agreement.c.other_enrolments,
        guest_agreement.c.confirmed_by,
        guest_agreement.c.how,
        guest_agreement.c.confirmed_at,
        guest_agreement.c.recorded_by,
        guest_agreement.c.recorded_at,
        dose_statement_day.c.day.label("home_day"),
        dose_statement_day.c.amount_mg.label("home_mg"),
        dose_statement_day.c.taken_at.label("home_at"),
        guest_end.c.last_on.label("ended_on"),
        guest_end.c.reason,
        guest_end.c.became_ours,
        guest_end.c.recorded_by.label("ended_by"),
        guest_end.c.recorded_at.label("ended_at"),
        _told_at.label("told_at"),
    )
    .select_from(
        guest_agreement.join(client, client.c.id == guest_agreement.c.client_id)
        .outerjoin(guest_end, guest_end.c.agreement_id == guest_agreement.c.id)
        .outerjoin(dose_statement_day, dose_statement_day.c.statement_id == guest_agreement.c.statement_id)
    )
    .where(within_reach())
)
ONE_GUEST: Final = _EVERY.where(guest_agreement.c.id == bindparam("agreement"))
GUESTS_OF: Final = (
    _EVERY.where(guest_agreement.c.client_id == bindparam("client"), guest_agreement.c.id < bindparam("after"))
    .order_by(guest_agreement.c.id.desc())
    .limit(bindparam("limit"))
)
GUESTS_IN: Final = (
    _EVERY.where(
        or_(
            guest_agreement.c.programme_id == bindparam("programme"),
            guest_agreement.c.host_programme_id == bindparam("programme"),
        ),
        guest_agreement.c.until_on > bindparam("since", type_=Date()),
        guest_agreement.c.id < bindparam("after"),
    )
    .order_by(guest_agreement.c.id.desc())
    .limit(bindparam("limit"))
)
_ADD = insert(guest_agreement)
_ADD_STAY = insert(guest_stay).from_select(
    ["id", "client_id", "host_programme_id", "period", "reason", "recorded_by", "recorded_at"],
    select(
        bindparam("id", type_=Uuid()),
        bindparam("client_id", type_=Uuid()),
        bindparam("host_programme_id", type_=Uuid()),
        func.tstzrange(bindparam("begins", type_=INSTANT), bindparam("ends", type_=INSTANT)),
        bindparam("why", type_=Text()),
        bindparam("recorded_by", type_=Uuid()),
        bindparam("recorded_at", type_=INSTANT),
    ),
)
_END = insert(guest_end)
_ENDS_BEFORE = (
    update(guest_agreement)
    .where(guest_agreement.c.id == bindparam("agreement"))
    .values(until_on=bindparam("ends_before", type_=Date()))
)
_begins = func.lower(guest_stay.c.period)
_LEAVE = (
    update(guest_stay)
    .where(guest_stay.c.id == bindparam("agreement"), _begins < bindparam("ends", type_=INSTANT))
    .values(period=func.tstzrange(_begins, bindparam("ends", type_=INSTANT)))
)
_NEVER_CAME = delete(guest_stay).where(
    guest_stay.c.id == bindparam("agreement"), _begins >= bindparam("ends", type_=INSTANT)
)
_NAME = select(programme.c.name).where(programme.c.id == bindparam("programme"))
_ADMITTED = (
    select(episode.c.id)
    .where(episode.c.client_id == bindparam("client"), episode.c.period.op("@>")(bindparam("at", type_=INSTANT)))
    .limit(1)
)


class Guests(Statements, HandingOn):
    """Satisfies `domain.guest.Guests`."""

    async def guest(self, wanted: GuestId, *, by: Staff, act: Act) -> Guest:
        """See `domain.guest.Guests.guest`."""
        given = {"agreement": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(ONE_GUEST, given)).mappings().first()
        if row is None:
            raise GuestUnknown("Read the client's guest agreements for those there are.")
        return self._shown(row)

    async def guests_of(
        self, wanted: ClientId, *, by: Staff, act: Act, after: UUID | None, limit: int
    ) -> Sequence[Guest]:
        """The agreements of a client, the last arranged first. Nothing for a client outside the person's reach."""
        given = {
            "client": wanted,
            "after": after or _AFTER_ALL,
            "limit": limit,
            **reach_of(by.reach(act), at=self._now, by_identifier=True),
        }
        return [self._shown(row) for row in (await self._connection.execute(GUESTS_OF, given)).mappings()]

    async def guests_in(
        self, wanted: ProgrammeId, today: date, *, by: Staff, act: Act, after: UUID | None, limit: int
    ) -> Sequence[Guest]:
        """The agreements of a programme, as home or as host, that run, are to come, or ended in the last days."""
        given = {
            "programme": wanted,
            "since": today - STAYS_LISTED,
            "after": after or _AFTER_ALL,
            "limit": limit,
            **reach_of(by.reach(act), at=self._now),
        }
        return [self._shown(row) for row in (await self._connection.execute(GUESTS_IN, given)).mappings()]

    async def facility_of(self, wanted: ProgrammeId) -> str | None:
        """See `domain.guest.Guests.facility_of`."""
        return (await self._connection.execute(_NAME, {"programme": wanted})).scalar_one_or_none()

    async def is_admitted(self, wanted: ClientId, *, at: datetime) -> bool:
        """See `domain.guest.Guests.is_admitted`."""
        return (await self._connection.execute(_ADMITTED, {"client": wanted, "at": at})).first() is not None

    async def add_guest(self, guest: Guest, *, stays: tuple[datetime, datetime] | None) -> None:
        """See `domain.guest.Guests.add_guest`."""
        said = guest.arrangement
        given = {
            "id": guest.id,
            "client_id": guest.client,
            "programme_id": guest.programme,
            "direction": said.direction,
            "host_programme_id": said.host,
            "facility": guest.facility,
            "disclosure_id": said.disclosure,
            "statement_id": guest.statement,
            "first_on": said.first_on,
            "last_on": said.last_on,
            "until_on": said.last_on + _ONE,
            "medicine": said.medicine,
            "form": said.form,
            "amount_mg": said.amount_mg,
            "holds_on": sorted(said.holds_on),
            "why": said.why,
            "other_enrolments": said.other_enrolments,
            "confirmed_by": said.confirmed.by,
            "how": said.confirmed.how,
            "confirmed_at": said.confirmed.at,
            "recorded_by": guest.recorded_by,
            "recorded_at": guest.recorded_at,
        }
        try:
            await self._connection.execute(_ADD, given)
            if stays is not None:
                begins, ends = stays
                own = {name: given[name] for name in ("id", "client_id", "host_programme_id", "why")}
                told = {"recorded_by": guest.recorded_by, "recorded_at": guest.recorded_at}
                await self._connection.execute(_ADD_STAY, {**own, **told, "begins": begins, "ends": ends})
        except IntegrityError as raced:
            raise GuestOverlaps("End the other agreement first, or choose other days.") from raced

    async def end_guest(self, guest: Guest, end: GuestEnd, *, stays_until: datetime) -> None:
        """See `domain.guest.Guests.end_guest`."""
        try:
            await self._connection.execute(
                _END,
                {
                    "agreement_id": guest.id,
                    "last_on": end.last_on,
                    "reason": end.reason,
                    "became_ours": end.became_ours,
                    "recorded_by": end.recorded_by,
                    "recorded_at": end.recorded_at,
                },
            )
        except IntegrityError as raced:
            raise GuestEnded("Read the client's guest agreements again.") from raced
        await self._connection.execute(_ENDS_BEFORE, {"agreement": guest.id, "ends_before": end.last_on + _ONE})
        if guest.arrangement.host is not None:
            await self._connection.execute(_LEAVE, {"agreement": guest.id, "ends": stays_until})
            await self._connection.execute(_NEVER_CAME, {"agreement": guest.id, "ends": stays_until})

    def _shown(self, row: RowMapping) -> Guest:
        self._journal.saw(ClientId(row["client_id"]), KIND)
        return _guest_of(row)


def _guest_of(row: RowMapping) -> Guest:
    return Guest(
        id=GuestId(row["id"]),
        client=ClientId(row["client_id"]),
        programme=ProgrammeId(row["programme_id"]),
        facility=row["facility"],
        arrangement=_arrangement_of(row),
        statement=StatementId(row["statement_id"]) if row["statement_id"] is not None else None,
        recorded_by=StaffId(row["recorded_by"]),
        recorded_at=row["recorded_at"],
        told_at=row["told_at"],
        end=None
        if row["ended_at"] is None
        else GuestEnd(
            last_on=row["ended_on"],
            reason=row["reason"],
            became_ours=row["became_ours"],
            recorded_by=StaffId(row["ended_by"]),
            recorded_at=row["ended_at"],
        ),
    )


def _arrangement_of(row: RowMapping) -> Arrangement:
    here = row["statement_id"] is not None
    return Arrangement(
        direction=Direction(row["direction"]),
        first_on=row["first_on"],
        last_on=row["last_on"],
        medicine=Medicine(row["medicine"]),
        form=Form(row["form"]),
        amount_mg=row["amount_mg"],
        why=row["why"],
        confirmed=Confirmation(by=row["confirmed_by"], how=HowVerified(row["how"]), at=row["confirmed_at"]),
        other_enrolments=row["other_enrolments"],
        host=ProgrammeId(row["host_programme_id"]) if row["host_programme_id"] is not None else None,
        disclosure=DisclosureId(row["disclosure_id"]) if row["disclosure_id"] is not None else None,
        facility=row["facility"] if here else None,
        home_dose=HomeDose(day=row["home_day"], amount_mg=row["home_mg"], at=row["home_at"]) if here else None,
        holds_on=tuple(row["holds_on"]),
    )
