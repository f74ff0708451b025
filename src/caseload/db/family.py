"""The people around clients in PostgreSQL, and what was heard from them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Uuid, bindparam, exists, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.consent import hold_what_may_be_told
from caseload.db.periods import running
from caseload.db.tables.base import INSTANT
from caseload.db.tables.family import (
    family_information,
    related_person,
    related_person_involvement,
    related_person_version,
    related_person_warning,
)
from caseload.domain.family import (
    AlreadyInvolved,
    AlreadyWarned,
    ContactWay,
    Information,
    InformationUnknown,
    Involvement,
    InvolvementKind,
    InvolvementOver,
    PersonChanged,
    PersonDetails,
    PersonUnknown,
    RelatedPerson,
    Relationship,
    SafetyWarning,
    Told,
    WarningKind,
    WarningLifted,
)
from caseload.domain.ids import ClientId, InformationId, InvolvementId, RelatedPersonId, StaffId, WarningId
from caseload.domain.journal import Journal

_newest = related_person_version.alias("newest")
_newer = related_person_version.alias("newer")

_PERSON = (
    select(
        related_person.c.id,
        related_person.c.client_id,
        _newest.c.version,
        _newest.c.name,
        _newest.c.relationship,
        _newest.c.language,
        _newest.c.contact_by,
        _newest.c.phone,
        _newest.c.email,
        _newest.c.address,
        _newest.c.contact_note,
        _newest.c.reason,
        _newest.c.recorded_at,
        _newest.c.recorded_by,
    )
    .join(_newest, _newest.c.person_id == related_person.c.id)
    .where(
        related_person.c.client_id == bindparam("client"),
        ~exists().where(_newer.c.person_id == _newest.c.person_id, _newer.c.version > _newest.c.version),
    )
)
_GET = _PERSON.where(related_person.c.id == bindparam("person"))
_AROUND = _PERSON.order_by(related_person.c.id)
_INVOLVEMENTS = (
    select(
        related_person_involvement.c.id,
        related_person_involvement.c.client_id,
        related_person_involvement.c.person_id,
        related_person_involvement.c.kind,
        related_person_involvement.c.starts_at,
        related_person_involvement.c.last_day,
        related_person_involvement.c.until_at,
        related_person_involvement.c.evidence,
        related_person_involvement.c.recorded_by,
        related_person_involvement.c.recorded_at,
        related_person_involvement.c.ended_at,
        related_person_involvement.c.ended_by,
        related_person_involvement.c.ended_because,
    )
    .where(related_person_involvement.c.client_id == bindparam("client", type_=Uuid()))
    .order_by(related_person_involvement.c.starts_at, related_person_involvement.c.id)
)
_END = (
    update(related_person_involvement)
    .where(
        related_person_involvement.c.id == bindparam("ending", type_=Uuid()),
        related_person_involvement.c.ended_at.is_(None),
    )
    .values(
        ended_at=bindparam("at", type_=INSTANT), ended_by=bindparam("by", type_=Uuid()), ended_because=bindparam("why")
    )
)
_WARNINGS = (
    select(
        related_person_warning.c.id,
        related_person_warning.c.client_id,
        related_person_warning.c.person_id,
        related_person_warning.c.kind,
        related_person_warning.c.note,
        related_person_warning.c.recorded_by,
        related_person_warning.c.recorded_at,
        related_person_warning.c.lifted_at,
        related_person_warning.c.lifted_by,
        related_person_warning.c.lifted_because,
    )
    .where(related_person_warning.c.client_id == bindparam("client", type_=Uuid()))
    .order_by(related_person_warning.c.id)
)
_LIFT = (
    update(related_person_warning)
    .where(
        related_person_warning.c.id == bindparam("lifting", type_=Uuid()), related_person_warning.c.lifted_at.is_(None)
    )
    .values(
        lifted_at=bindparam("at", type_=INSTANT),
        lifted_by=bindparam("by", type_=Uuid()),
        lifted_because=bindparam("why"),
    )
)
_NO_LONGER = select(related_person.c.id).where(
    related_person.c.client_id == bindparam("client", type_=Uuid()),
    ~exists().where(
        related_person_involvement.c.person_id == related_person.c.id,
        running(related_person_involvement.c.period, bindparam("at", type_=INSTANT)),
    ),
)

_INFORMATION = select(
    family_information.c.id,
    family_information.c.client_id,
    family_information.c.person_id,
    family_information.c.source,
    family_information.c.text,
    family_information.c.confidential,
    family_information.c.received_at,
    family_information.c.recorded_at,
    family_information.c.recorded_by,
).where(family_information.c.client_id == bindparam("client"))
_ONE_INFORMATION = _INFORMATION.where(family_information.c.id == bindparam("information"))
_ALL_INFORMATION = _INFORMATION.order_by(family_information.c.received_at.desc(), family_information.c.id.desc())


class Families:
    """Satisfies `domain.family.Families`. Whoever asks has been let through to the client before."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def add(self, person: RelatedPerson) -> None:
        """See `domain.family.Families.add`."""
        if person.version == 1:
            await self._connection.execute(insert(related_person).values(id=person.id, client_id=person.client))
        details = person.details
        try:
            await self._connection.execute(
                insert(related_person_version).values(
                    person_id=person.id,
                    version=person.version,
                    name=details.name,
                    relationship=details.relationship,
                    language=details.language,
                    contact_by=list(details.contact_by),
                    phone=details.phone,
                    email=details.email,
                    address=details.address,
                    contact_note=details.contact_note,
                    reason=person.reason,
                    recorded_by=person.recorded_by,
                    recorded_at=person.recorded_at,
                )
            )
        except IntegrityError as raced:
            raise PersonChanged from raced

    async def get(self, person: RelatedPersonId, *, client: ClientId) -> RelatedPerson:
        """See `domain.family.Families.get`."""
        row = (await self._connection.execute(_GET, {"client": client, "person": person})).first()
        if row is None:
            raise PersonUnknown
        self._journal.saw(client, "family")
        return _person(row, (await self._involvements(client))[person], (await self._warnings(client))[person])

    async def around(self, client: ClientId) -> Sequence[RelatedPerson]:
        """See `domain.family.Families.around`."""
        rows = (await self._connection.execute(_AROUND, {"client": client})).all()
        self._journal.saw(client, "family")
        involvements, warnings = await self._involvements(client), await self._warnings(client)
        return [_person(row, involvements[one], warnings[one]) for row in rows for one in (RelatedPersonId(row.id),)]

    async def no_longer_involved(self, client: ClientId, *, at: datetime) -> frozenset[RelatedPersonId]:
        """Who on this client's list takes part in no way at that moment."""
        found = await self._connection.execute(_NO_LONGER, {"client": client, "at": at})
        return frozenset(RelatedPersonId(each) for each in found.scalars())

    async def begin(self, involvement: Involvement) -> None:
        """See `domain.family.involvement.Involvements.begin`."""
        try:
            await self._connection.execute(
                insert(related_person_involvement).values(
                    id=involvement.id,
                    client_id=involvement.client,
                    person_id=involvement.person,
                    kind=involvement.kind,
                    starts_at=involvement.starts_at,
                    last_day=involvement.last_day,
                    until_at=involvement.until_at,
                    evidence=involvement.evidence,
                    recorded_by=involvement.recorded_by,
                    recorded_at=involvement.recorded_at,
                )
            )
        except IntegrityError as overlapping:
            raise AlreadyInvolved from overlapping

    async def end(self, ended: Involvement) -> None:
        """See `domain.family.involvement.Involvements.end`."""
        given = {"ending": ended.id, "at": ended.ended_at, "by": ended.ended_by, "why": ended.ended_because}
        if (await self._connection.execute(_END, given)).rowcount == 0:
            raise InvolvementOver

    async def warn(self, warning: SafetyWarning) -> None:
        """See `domain.family.warning.Warnings.warn`."""
        await hold_what_may_be_told(self._connection, warning.client)
        try:
            await self._connection.execute(
                insert(related_person_warning).values(
                    id=warning.id,
                    client_id=warning.client,
                    person_id=warning.person,
                    kind=warning.kind,
                    note=warning.note,
                    recorded_by=warning.recorded_by,
                    recorded_at=warning.recorded_at,
                )
            )
        except IntegrityError as standing:
            raise AlreadyWarned from standing

    async def lift(self, lifted: SafetyWarning) -> None:
        """See `domain.family.warning.Warnings.lift`."""
        given = {"lifting": lifted.id, "at": lifted.lifted_at, "by": lifted.lifted_by, "why": lifted.lifted_because}
        if (await self._connection.execute(_LIFT, given)).rowcount == 0:
            raise WarningLifted

    async def _warnings(self, client: ClientId) -> defaultdict[RelatedPersonId, tuple[SafetyWarning, ...]]:
        found = defaultdict[RelatedPersonId, tuple[SafetyWarning, ...]](tuple)
        for row in await self._connection.execute(_WARNINGS, {"client": client}):
            found[RelatedPersonId(row.person_id)] += (_warning(row),)
        return found

    async def _involvements(self, client: ClientId) -> defaultdict[RelatedPersonId, tuple[Involvement, ...]]:
        found = defaultdict[RelatedPersonId, tuple[Involvement, ...]](tuple)
        for row in await self._connection.execute(_INVOLVEMENTS, {"client": client}):
            found[RelatedPersonId(row.person_id)] += (_involvement(row),)
        return found

    async def add_information(self, information: Information) -> None:
        """See `domain.family.Families.add_information`."""
        told = information.told
        await self._connection.execute(
            insert(family_information).values(
                id=information.id,
                client_id=information.client,
                person_id=told.person,
                source=told.source,
                text=told.text,
                confidential=told.confidential,
                received_at=told.received_at,
                recorded_by=information.recorded_by,
                recorded_at=information.recorded_at,
            )
        )

    async def get_information(self, information: InformationId, *, client: ClientId) -> Information:
        """See `domain.family.Families.get_information`."""
        row = (await self._connection.execute(_ONE_INFORMATION, {"client": client, "information": information})).first()
        if row is None:
            raise InformationUnknown
        self._journal.saw(client, "family_information")
        return _information(row)

    async def information(self, client: ClientId) -> Sequence[Information]:
        """See `domain.family.Families.information`."""
        rows = (await self._connection.execute(_ALL_INFORMATION, {"client": client})).all()
        self._journal.saw(client, "family_information")
        return [_information(row) for row in rows]


def _involvement(row: Row[*tuple[Any, ...]]) -> Involvement:
    return Involvement(
        id=InvolvementId(row.id),
        client=ClientId(row.client_id),
        person=RelatedPersonId(row.person_id),
        kind=InvolvementKind(row.kind),
        starts_at=row.starts_at,
        last_day=row.last_day,
        until_at=row.until_at,
        evidence=row.evidence,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        ended_at=row.ended_at,
        ended_by=None if row.ended_by is None else StaffId(row.ended_by),
        ended_because=row.ended_because,
    )


def _warning(row: Row[*tuple[Any, ...]]) -> SafetyWarning:
    return SafetyWarning(
        id=WarningId(row.id),
        client=ClientId(row.client_id),
        person=RelatedPersonId(row.person_id),
        kind=WarningKind(row.kind),
        note=row.note,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        lifted_at=row.lifted_at,
        lifted_by=None if row.lifted_by is None else StaffId(row.lifted_by),
        lifted_because=row.lifted_because,
    )


def _person(
    row: Row[*tuple[Any, ...]], involvements: tuple[Involvement, ...], warnings: tuple[SafetyWarning, ...]
) -> RelatedPerson:
    return RelatedPerson(
        id=RelatedPersonId(row.id),
        client=ClientId(row.client_id),
        version=row.version,
        details=PersonDetails(
            name=row.name,
            relationship=Relationship(row.relationship),
            language=row.language,
            contact_by=tuple(ContactWay(word) for word in row.contact_by),
            phone=row.phone,
            email=row.email,
            address=row.address,
            contact_note=row.contact_note,
        ),
        reason=row.reason,
        recorded_at=row.recorded_at,
        recorded_by=StaffId(row.recorded_by),
        involvements=involvements,
        warnings=warnings,
    )


def _information(row: Row[*tuple[Any, ...]]) -> Information:
    return Information(
        id=InformationId(row.id),
        client=ClientId(row.client_id),
        told=Told(
            text=row.text,
            received_at=row.received_at,
            person=None if row.person_id is None else RelatedPersonId(row.person_id),
            source=row.source,
            confidential=row.confidential,
        ),
        recorded_at=row.recorded_at,
        recorded_by=StaffId(row.recorded_by),
    )
