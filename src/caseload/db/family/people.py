"""The people around clients in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, exists, func, insert, select
from sqlalchemy.exc import IntegrityError

from caseload.db.family.information import InformationBook
from caseload.db.family.involvements import InvolvementBook
from caseload.db.family.linked import IS_CLIENT_TOO
from caseload.db.family.warnings import WarningBook
from caseload.db.tables.family import (
    related_person,
    related_person_version,
)
from caseload.domain.family import (
    ContactWay,
    Involvement,
    PersonChanged,
    PersonDetails,
    PersonUnknown,
    RelatedPerson,
    Relationship,
    SafetyWarning,
)
from caseload.domain.ids import ClientId, RelatedPersonId, StaffId

_newest = related_person_version.alias("newest")
_newer = related_person_version.alias("newer")
_former = related_person_version.alias("former")
_FORMER_NAMES = func.array(
    select(_former.c.name)
    .where(_former.c.person_id == related_person.c.id, _former.c.version < _newest.c.version)
    .order_by(_former.c.version.desc())
    .correlate(related_person, _newest)
    .scalar_subquery()
)

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
        _newest.c.in_household,
        _newest.c.reason,
        _newest.c.recorded_at,
        _newest.c.recorded_by,
        IS_CLIENT_TOO.label("is_client_too"),
        _FORMER_NAMES.label("former_names"),
    )
    .join(_newest, _newest.c.person_id == related_person.c.id)
    .where(
        related_person.c.client_id == bindparam("client"),
        ~exists().where(_newer.c.person_id == _newest.c.person_id, _newer.c.version > _newest.c.version),
    )
)
_GET = _PERSON.where(related_person.c.id == bindparam("person"))
_AROUND = _PERSON.order_by(related_person.c.id)


class Families(InvolvementBook, WarningBook, InformationBook):
    """Satisfies `domain.family.Families`. Whoever asks has been let through to the client before."""

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
                    in_household=details.in_household,
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
            in_household=row.in_household,
        ),
        reason=row.reason,
        recorded_at=row.recorded_at,
        recorded_by=StaffId(row.recorded_by),
        involvements=involvements,
        warnings=warnings,
        is_client_too=row.is_client_too,
        former_names=tuple(row.former_names),
    )
