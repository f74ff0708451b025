"""Relatives who are clients too, for the privacy officer alone."""

from datetime import datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, client_within, nothing_more
from caseload.db.family import Families
from caseload.db.family.linked import LinkBook
from caseload.db.idempotency import Kept
from caseload.domain import family as domain
from caseload.domain.access import Act
from caseload.domain.family import LinkUnknown
from caseload.domain.ids import RelatedPersonId, RelativeLinkId, new_id
from caseload.request.idempotency import once
from caseload.request.work import Work


class RelativeLinkIn(Wire, frozen=True, kw_only=True):
    """The registration of somebody on a client's list."""

    own_client_id: UUID
    reason: str
    """How you know that it is the same person."""


class UnlinkIn(Wire, frozen=True, kw_only=True):
    """Why a link is undone."""

    reason: str


class ListedRelativeOut(Wire, frozen=True, kw_only=True):
    """Somebody on a client's list, and their own registration where they have one."""

    person_id: UUID
    name: str
    link_id: UUID | None
    own_client_id: UUID | None
    linked_at: datetime | None


class ListedRelativesOut(Wire, frozen=True, kw_only=True):
    """Everybody on a client's list."""

    items: list[ListedRelativeOut]


@reading("/clients/{client_id:uuid}/relative-links", act=Act.LINK_RELATIVES, name="list_relative_links")
async def list_relative_links(client_id: FromPath[UUID], work: TheWork) -> ListedRelativesOut:
    """Who is on a client's list, and who of them is a client too, as far as you may see both."""
    client = await client_within(work, client_id, Act.LINK_RELATIVES)
    around = await Families(work.connection, work.journal).around(client.id)
    links = {each.person: each for each in await LinkBook(work.connection, work.journal).links_of(client.id)}
    for link in links.values():
        await client_within(work, link.own, Act.LINK_RELATIVES)
    return ListedRelativesOut(
        items=[
            ListedRelativeOut(
                person_id=person.id,
                name=person.details.name,
                link_id=None if link is None else link.id,
                own_client_id=None if link is None else link.own,
                linked_at=None if link is None else link.linked_at,
            )
            for person in around
            for link in (links.get(person.id),)
        ]
    )


@writing(
    "/clients/{client_id:uuid}/relative-links/{person_id:uuid}",
    act=Act.LINK_RELATIVES,
    name="link_relative",
    status=204,
)
async def link_relative(
    client_id: FromPath[UUID], person_id: FromPath[UUID], data: JSONBody[RelativeLinkIn], work: TheWork, key: TheKey
) -> None:
    """Say that somebody on a client's list is a client too. Neither chart shows it."""
    _name_nobody_on_a_list(work)
    client = await client_within(work, client_id, Act.LINK_RELATIVES)
    own = await client_within(work, data.own_client_id, Act.LINK_RELATIVES)

    async def do() -> None:
        person = await Families(work.connection, work.journal).get(RelatedPersonId(person_id), client=client.id)
        await domain.link_relative(
            person,
            own,
            data.reason,
            as_id=RelativeLinkId(new_id()),
            client=client,
            by=work.by,
            now=work.now,
            links=LinkBook(work.connection, work.journal),
            journal=work.journal,
        )

    await once(work, key, Kept(status=204, resource=person_id), do=do, again=nothing_more)


@writing(
    "/clients/{client_id:uuid}/relative-links/{person_id:uuid}/undoing",
    act=Act.LINK_RELATIVES,
    name="unlink_relative",
    status=204,
)
async def unlink_relative(
    client_id: FromPath[UUID], person_id: FromPath[UUID], data: JSONBody[UnlinkIn], work: TheWork, key: TheKey
) -> None:
    """Undo a link, with the reason."""
    _name_nobody_on_a_list(work)
    client = await client_within(work, client_id, Act.LINK_RELATIVES)
    links = LinkBook(work.connection, work.journal)

    async def do() -> None:
        standing = next((each for each in await links.links_of(client.id) if each.person == person_id), None)
        if standing is None:
            raise LinkUnknown
        await domain.unlink_relative(
            standing, data.reason, client=client, by=work.by, now=work.now, links=links, journal=work.journal
        )

    await once(work, key, Kept(status=204, resource=person_id), do=do, again=nothing_more)


def _name_nobody_on_a_list(work: Work) -> None:
    """Leave the person's identifier out of the entry: it names both clients, and whoever reads of the one would find the other's list."""
    work.circumstances.asked = {}
