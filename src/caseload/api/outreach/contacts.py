"""How a client may be reached, over HTTP."""

from datetime import datetime
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import IfMatch, TheWork, client_within, require_version, versioned
from caseload.db.outreach import KeptContacts
from caseload.domain import outreach as domain
from caseload.domain.access import Act
from caseload.domain.family import WarningKind
from caseload.domain.outreach import Channel, Contact, Reachable, ways_to


class ContactIn(Wire, frozen=True, kw_only=True):
    """How a client may be reached, as they say. What is not named is not allowed."""

    allowed: list[Channel]
    telephone: str | None = None
    address: str | None = None
    heed: str | None = None
    """When and when not, and under which name to ring."""
    reason: str | None = None
    """Why it is not as it was before; only where it was said before."""


class ContactOut(Wire, frozen=True, kw_only=True):
    """How a client may be reached, as one version says it. To reach them, read how they may be reached now."""

    client_id: UUID
    version: int
    """Also the ETag. 0 where nobody has asked the client: then nothing is allowed."""
    allowed: list[Channel]
    telephone: str | None
    address: str | None
    heed: str | None
    reason: str | None
    agreed_in: UUID | None
    """The request of the client on which this version was agreed to (45 CFR 164.522(b))."""
    recorded_by: UUID | None
    recorded_at: datetime | None

    @classmethod
    def of(cls, contact: Contact) -> "ContactOut":
        """From the domain."""
        return cls(
            client_id=contact.client,
            version=contact.version,
            allowed=sorted(contact.said.allowed),
            telephone=contact.said.telephone,
            address=contact.said.address,
            heed=contact.said.heed,
            reason=contact.reason,
            agreed_in=contact.agreed_in,
            recorded_by=contact.recorded_by,
            recorded_at=contact.recorded_at,
        )


class ContactNowOut(Wire, frozen=True, kw_only=True):
    """How a client may be reached now. What they do not allow is not shown for use; the versions hold what was said."""

    client_id: UUID
    version: int
    """Also the ETag. 0 where nobody has asked the client: then nothing is allowed."""
    allowed: list[Channel]
    telephone: str | None
    """Null where no way is allowed that needs one."""
    address: str | None
    """Null where no way is allowed that needs one."""
    heed: str | None
    """When and when not, and under which name to ring: what was agreed, and after it what the client said besides."""
    is_agreed: bool
    """Whether it was agreed with the client on their request: then no other way, number or address can be written down."""
    closed: list[Channel]
    """What the client allows, and a safety warning about somebody at that number or in that home closes."""
    beware: WarningKind | None
    """A safety warning stands about somebody who may be there: read it before using any way."""
    reason: str | None
    recorded_by: UUID | None
    recorded_at: datetime | None

    @classmethod
    def of(cls, contact: Contact) -> "ContactNowOut":
        """From the domain."""
        ways = ways_to(contact)
        return cls(
            client_id=contact.client,
            version=contact.version,
            allowed=sorted(ways.by),
            telephone=ways.telephone,
            address=ways.address,
            heed=ways.heed,
            is_agreed=ways.is_agreed,
            closed=list(ways.closed),
            beware=ways.beware,
            reason=contact.reason,
            recorded_by=contact.recorded_by,
            recorded_at=contact.recorded_at,
        )


class ContactVersionsOut(Wire, frozen=True, kw_only=True):
    """Everything that was said of how a client may be reached, the newest first."""

    items: list[ContactOut]


@reading("/clients/{client_id:uuid}/contact", act=Act.SEE_CONTACT, name="read_contact")
async def read_contact(client_id: FromPath[UUID], work: TheWork) -> Response[ContactNowOut]:
    """How a client may be reached: telephone, voicemail, text, post, a visit; as they allow it, and as was agreed with them."""
    client = await client_within(work, client_id, Act.SEE_CONTACT)
    contact = await KeptContacts(work.connection, work.journal).contact(client.id)
    return versioned(ContactNowOut.of(contact), contact.version)


@reading("/clients/{client_id:uuid}/contact/versions", act=Act.SEE_CONTACT, name="list_contact_versions")
async def list_contact_versions(client_id: FromPath[UUID], work: TheWork) -> ContactVersionsOut:
    """What was ever said of how a client may be reached, who wrote it down, and why it changed."""
    client = await client_within(work, client_id, Act.SEE_CONTACT)
    found = await KeptContacts(work.connection, work.journal).versions(client.id)
    return ContactVersionsOut(items=[ContactOut.of(each) for each in found])


@writing(
    "/clients/{client_id:uuid}/contact",
    act=Act.KEEP_CONTACT,
    name="say_contact",
    method="PUT",
    status=200,
    problems=(404, 409, 412, 428),
)
async def say_contact(
    client_id: FromPath[UUID], data: JSONBody[ContactIn], work: TheWork, if_match: IfMatch = None
) -> Response[ContactNowOut]:
    """Write down how a client may be reached: a new version; the former ones stay.

    Where it was agreed with the client how they are reached, only less than that can be written down.
    """
    client = await client_within(work, client_id, Act.KEEP_CONTACT)
    contacts = KeptContacts(work.connection, work.journal)
    before = await contacts.contact(client.id)
    require_version(if_match, before.version)
    kept = await domain.say_contact(
        before,
        Reachable(allowed=frozenset(data.allowed), telephone=data.telephone, address=data.address, heed=data.heed),
        data.reason,
        by=work.by,
        now=work.now,
        contacts=contacts,
        journal=work.journal,
    )
    return versioned(ContactNowOut.of(kept), kept.version)
