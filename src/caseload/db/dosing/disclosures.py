"""What was told to somebody outside about a client's medicine, in PostgreSQL."""

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, insert, select

from caseload.db.access import reach_of, within_reach
from caseload.db.dosing.doses import Doses
from caseload.db.medication.record import KIND
from caseload.db.tables.caseload import client
from caseload.db.tables.disclosure import disclosure_made
from caseload.db.takehome.covering import held_from
from caseload.domain.access import Act
from caseload.domain.consent import Category, Purpose, Recipient, RecipientClass
from caseload.domain.dosing import CoveredDay, Disclosure, DisclosureUnknown, Ground, Telling
from caseload.domain.ids import ClientId, DisclosureId, ProgrammeId, StaffId
from caseload.domain.people import Staff

_AFTER_ALL: Final = UUID(int=2**128 - 1)
"""Sorts behind every identifier that will ever be made."""

_EVERY = (
    select(
        disclosure_made.c.id,
        disclosure_made.c.client_id,
        disclosure_made.c.programme_id,
        disclosure_made.c.person_id,
        disclosure_made.c.named,
        disclosure_made.c.group,
        disclosure_made.c.name,
        disclosure_made.c.facility,
        disclosure_made.c.purpose,
        disclosure_made.c.ground,
        disclosure_made.c.consent_id,
        disclosure_made.c.emergency,
        disclosure_made.c.categories,
        disclosure_made.c.rule,
        disclosure_made.c.rules_version,
        disclosure_made.c.notice,
        disclosure_made.c.content,
        disclosure_made.c.disclosed_by,
        disclosure_made.c.disclosed_at,
    )
    .join(client, client.c.id == disclosure_made.c.client_id)
    .where(within_reach())
)
ONE_DISCLOSURE: Final = _EVERY.where(disclosure_made.c.id == bindparam("disclosure"))
DISCLOSURES_OF: Final = (
    _EVERY.where(disclosure_made.c.client_id == bindparam("client"), disclosure_made.c.id < bindparam("after"))
    .order_by(disclosure_made.c.id.desc())
    .limit(bindparam("limit"))
)
_ADD = insert(disclosure_made)


class Disclosures(Doses):
    """Satisfies `domain.dosing.Disclosures`."""

    async def take_homes_from(self, wanted: ClientId, day: date) -> Sequence[CoveredDay]:
        """See `domain.dosing.Disclosures.take_homes_from`."""
        return await held_from(self._connection, wanted, day)

    async def add_disclosure(self, made: Disclosure) -> None:
        """See `domain.dosing.Disclosures.add_disclosure`."""
        telling = made.telling
        await self._connection.execute(
            _ADD,
            {
                "id": made.id,
                "client_id": made.client,
                "programme_id": made.programme,
                "person_id": telling.recipient.person,
                "named": telling.recipient.name,
                "group": telling.recipient.group,
                "name": telling.name,
                "facility": telling.facility,
                "purpose": telling.purpose,
                "ground": made.ground,
                "consent_id": made.consent,
                "emergency": telling.emergency,
                "categories": list(made.categories),
                "rule": made.rule,
                "rules_version": made.rules_version,
                "notice": made.notice,
                "content": dict(made.content),
                "disclosed_by": made.disclosed_by,
                "disclosed_at": made.disclosed_at,
            },
        )

    async def disclosure(self, wanted: DisclosureId, *, by: Staff, act: Act) -> Disclosure:
        """One disclosure; raises `DisclosureUnknown` outside the person's reach."""
        given = {"disclosure": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(ONE_DISCLOSURE, given)).mappings().first()
        if row is None:
            raise DisclosureUnknown("Read the client's account of disclosures for those there are.")
        return self._told(row)

    async def disclosures_of(
        self, wanted: ClientId, *, by: Staff, act: Act, after: UUID | None, limit: int
    ) -> Sequence[Disclosure]:
        """A client's account of disclosures, the last first."""
        given = {
            "client": wanted,
            "after": after or _AFTER_ALL,
            "limit": limit,
            **reach_of(by.reach(act), at=self._now, by_identifier=True),
        }
        return [self._told(row) for row in (await self._connection.execute(DISCLOSURES_OF, given)).mappings()]

    def _told(self, row: RowMapping) -> Disclosure:
        self._journal.saw(ClientId(row["client_id"]), KIND)
        return _disclosure_of(row)


def _disclosure_of(row: RowMapping) -> Disclosure:
    return Disclosure(
        id=DisclosureId(row["id"]),
        client=ClientId(row["client_id"]),
        programme=ProgrammeId(row["programme_id"]),
        telling=Telling(
            recipient=Recipient(
                person=row["person_id"],
                name=row["named"],
                group=RecipientClass(row["group"]) if row["group"] is not None else None,
            ),
            name=row["name"],
            facility=row["facility"],
            purpose=Purpose(row["purpose"]),
            emergency=row["emergency"],
        ),
        ground=Ground(row["ground"]),
        consent=row["consent_id"],
        categories=tuple(Category(each) for each in row["categories"]),
        rule=row["rule"],
        rules_version=row["rules_version"],
        notice=row["notice"],
        content=row["content"],
        disclosed_by=StaffId(row["disclosed_by"]),
        disclosed_at=row["disclosed_at"],
    )
