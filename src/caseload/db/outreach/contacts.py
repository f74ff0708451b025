"""How clients may be reached, in PostgreSQL, as versions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import Uuid, bindparam, exists, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.agreed import standing_contacts
from caseload.db.outreach.homes import warned_around
from caseload.db.tables.caseload import client
from caseload.db.tables.outreach import client_contact
from caseload.domain.access import Reach
from caseload.domain.ids import ClientId, RightsRequestId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.outreach import AgreedContact, Channel, Contact, ContactChanged, Reachable

KIND: Final = "contact"
"""What the journal calls it."""
_agreed = standing_contacts("agreed")
CONTACT: Final = (
    client_contact.c.version,
    client_contact.c.allowed,
    client_contact.c.telephone,
    client_contact.c.address,
    client_contact.c.heed,
    client_contact.c.reason,
    client_contact.c.recorded_by,
    client_contact.c.recorded_at,
    client_contact.c.agreed_in,
    _agreed.c.request_id.label("standing_request"),
    _agreed.c.allowed.label("standing_allowed"),
    _agreed.c.telephone.label("standing_telephone"),
    _agreed.c.address.label("standing_address"),
    _agreed.c.heed.label("standing_heed"),
)
"""A version, with what was agreed with the client and stands now. To be selected from `FROM`."""
FROM: Final = client_contact.outerjoin(_agreed, _agreed.c.client_id == client_contact.c.client_id)
_EVERY = (
    select(*CONTACT)
    .select_from(FROM)
    .where(client_contact.c.client_id == bindparam("client"))
    .order_by(client_contact.c.version.desc())
)
_NEWEST = _EVERY.limit(1)
_ADD = insert(client_contact)
_IS_WITHIN = select(exists().where(client.c.id == bindparam("client", type_=Uuid()), within_reach()))


class ContactRow(Protocol):
    """A row with the columns of `CONTACT`."""

    version: int
    allowed: Sequence[str]
    telephone: str | None
    address: str | None
    heed: str | None
    reason: str | None
    recorded_by: UUID
    recorded_at: datetime
    agreed_in: UUID | None
    standing_request: UUID | None
    standing_allowed: Sequence[str]
    standing_telephone: str | None
    standing_address: str | None
    standing_heed: str | None


class KeptContacts:
    """Satisfies `domain.outreach.Contacts`. Whoever asks has been let through to the client before."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def contact(self, client: ClientId) -> Contact:
        """How a client may be reached by the newest version; of whoever was never asked one that allows nothing."""
        self._journal.saw(client, KIND)
        row = (await self._connection.execute(_NEWEST, {"client": client})).first()
        found = Contact(client=client, version=0) if row is None else contact_of(client, row)
        return replace(found, warned=(await warned_around(self._connection, [client]))[client])

    async def is_within(self, wanted: ClientId, *, reach: Reach, at: datetime) -> bool:
        """Whether a client is within reach, now."""
        given = {"client": wanted, **reach_of(reach, at=at, by_identifier=True)}
        return bool((await self._connection.execute(_IS_WITHIN, given)).scalar_one())

    async def versions(self, client: ClientId) -> Sequence[Contact]:
        """Everything that was ever said of it, the newest first."""
        self._journal.saw(client, KIND)
        return [contact_of(client, row) for row in await self._connection.execute(_EVERY, {"client": client})]

    async def add_contact(self, contact: Contact) -> None:
        """See `domain.outreach.Contacts.add_contact`."""
        try:
            await self._connection.execute(
                _ADD,
                {
                    "client_id": contact.client,
                    "version": contact.version,
                    "allowed": sorted(contact.said.allowed),
                    "telephone": contact.said.telephone,
                    "address": contact.said.address,
                    "heed": contact.said.heed,
                    "reason": contact.reason,
                    "recorded_by": contact.recorded_by,
                    "recorded_at": contact.recorded_at,
                    "agreed_in": contact.agreed_in,
                },
            )
        except IntegrityError as raced:
            raise ContactChanged("Read it again and decide whether your change still holds.") from raced


def contact_of(client: ClientId, row: Any) -> Contact:
    """The contact in a row with the columns of `CONTACT`."""
    found: ContactRow = row
    return Contact(
        client=client,
        version=found.version,
        said=_reachable(found.allowed, found.telephone, found.address, found.heed),
        reason=found.reason,
        recorded_by=StaffId(found.recorded_by),
        recorded_at=found.recorded_at,
        agreed_in=None if found.agreed_in is None else RightsRequestId(found.agreed_in),
        agreed=_standing(found),
    )


def _standing(row: ContactRow) -> AgreedContact | None:
    if row.standing_request is None:
        return None
    to = _reachable(row.standing_allowed, row.standing_telephone, row.standing_address, row.standing_heed)
    return AgreedContact(request=RightsRequestId(row.standing_request), to=to)


def _reachable(allowed: Sequence[str], telephone: str | None, address: str | None, heed: str | None) -> Reachable:
    return Reachable(
        allowed=frozenset(Channel(each) for each in allowed), telephone=telephone, address=address, heed=heed
    )
