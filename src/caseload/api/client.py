"""Clients: register, find, read, correct; and the records lead's look at probable matches."""

from datetime import date
from uuid import UUID

import msgspec
from litestar import Response, Router
from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, searching, writing
from caseload.api.wire import Wire
from caseload.api.work import IfMatch, TheKey, TheWork, etag, nothing_more, require_version
from caseload.db.client import Clients
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import client as domain
from caseload.domain.access import Act
from caseload.domain.client import Client, Identifier, IdentifierKind, Identity, Sex, Wanted
from caseload.domain.ids import ClientId, ProgrammeId, new_id
from caseload.request.idempotency import once


class IdentityIn(Wire, frozen=True, kw_only=True):
    """What somebody is called, and when they were born."""

    given_name: str
    family_name: str
    birth_date: date
    birth_date_estimated: bool = False
    sex: Sex = Sex.UNKNOWN

    def read(self) -> Identity:
        """As the domain speaks of it."""
        return Identity(
            given_name=self.given_name,
            family_name=self.family_name,
            birth_date=self.birth_date,
            birth_date_estimated=self.birth_date_estimated,
            sex=self.sex,
        )


class IdentifierWire(Wire, frozen=True, kw_only=True):
    """A number by which a client is known."""

    kind: IdentifierKind
    value: str


class ClientIn(Wire, frozen=True, kw_only=True):
    """Somebody to be registered."""

    programme_id: UUID
    identity: IdentityIn
    identifiers: tuple[IdentifierWire, ...] = ()


class CorrectionIn(Wire, frozen=True, kw_only=True):
    """A correction of the identity."""

    identity: IdentityIn
    reason: str


class WantedIn(Wire, frozen=True, kw_only=True):
    """Whom you look for: at least one of the three."""

    name: str | None = None
    birth_date: date | None = None
    identifier: str | None = None


class DifferentPersonIn(Wire, frozen=True, kw_only=True):
    """The records lead's word that somebody is nobody we know."""

    identity: IdentityIn
    reason: str


class ClientOut(Wire, frozen=True, kw_only=True):
    """A client, under the newest version of their identity."""

    id: UUID
    programme_id: UUID
    given_name: str
    family_name: str
    birth_date: date
    birth_date_estimated: bool
    sex: Sex
    version: int
    identifiers: list[IdentifierWire]
    closed: bool = False
    """The client was registered twice, and this registration is not used any more."""
    survivor_id: UUID | None = None
    """The one that is used; null where it is not within your reach."""

    @classmethod
    def of(cls, client: Client) -> "ClientOut":
        """From the domain."""
        return cls(
            id=client.id,
            programme_id=client.programme,
            given_name=client.identity.given_name,
            family_name=client.identity.family_name,
            birth_date=client.identity.birth_date,
            birth_date_estimated=client.identity.birth_date_estimated,
            sex=client.identity.sex,
            version=client.version,
            identifiers=[IdentifierWire(kind=each.kind, value=each.value) for each in client.identifiers],
            closed=client.is_closed,
            survivor_id=client.survivor,
        )


class FoundOut(Wire, frozen=True, kw_only=True):
    """Whom a search found, likeliest first."""

    items: list[ClientOut]
    more: bool
    """More people match than are shown: say more about whom you look for."""


class MatchIn(IdentityIn, frozen=True, kw_only=True):
    """Who is to be compared with everybody we know: the registration that was refused, with its identifiers."""

    identifiers: tuple[IdentifierWire, ...] = ()


class LikelyOut(Wire, frozen=True, kw_only=True):
    """Somebody who may be the same person."""

    client_id: UUID
    programme_id: UUID
    given_name: str
    family_name: str
    birth_date: date
    because: str


class LikelyPage(Wire, frozen=True, kw_only=True):
    """Everybody who may be the same person, in every programme."""

    items: list[LikelyOut]
    closed_out: int
    """How many more there are whom only named staff see: a privacy officer looks at these."""


FOUND_AT_MOST = 20


@writing("/clients", act=Act.REGISTER_CLIENT, name="register_client", problems=(404,))
async def register_client(data: JSONBody[ClientIn], work: TheWork, key: TheKey) -> Response[ClientOut]:
    """Register somebody in their home programme."""
    clients = Clients(work.connection, work.journal, now=work.now)
    programme = await Programmes(work.connection).get(ProgrammeId(data.programme_id))
    new = ClientId(new_id())

    async def register() -> Client:
        return await domain.register(
            data.identity.read(),
            [Identifier(kind=each.kind, value=each.value) for each in data.identifiers],
            as_id=new,
            programme=programme.id,
            by=work.by,
            now=work.now,
            today=programme.today(work.now),
            clients=clients,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Client:
        return await clients.get(ClientId(kept.resource), reach=work.by.reach(Act.REGISTER_CLIENT), shows_survivor=True)

    client = await once(work, key, Kept(status=201, resource=new, version=1), do=register, again=again)
    return _versioned(client, 201)


@searching("/clients/search", act=Act.FIND_CLIENT, name="search_clients")
async def search_clients(data: JSONBody[WantedIn], work: TheWork) -> FoundOut:
    """Find clients within your reach by name, date of birth or identifier; former names count.

    Auditors and privacy officers find one client by an identifier alone.
    """
    # By what, and never what: the log keeps it for longer than the client may be kept.
    work.circumstances.filter = {
        "by": [name for name, value in msgspec.structs.asdict(data).items() if value is not None]
    }
    wanted = Wanted(name=data.name, birth_date=data.birth_date, identifier=data.identifier)
    found = await Clients(work.connection, work.journal, now=work.now).search(
        wanted, reach=work.by.reach(Act.FIND_CLIENT), limit=FOUND_AT_MOST
    )
    return FoundOut(items=[ClientOut.of(each) for each in found], more=len(found) == FOUND_AT_MOST)


@reading("/clients/{client_id:uuid}", act=Act.SEE_IDENTITY, name="read_client")
async def read_client(client_id: FromPath[UUID], work: TheWork) -> Response[ClientOut]:
    """One client's identity."""
    clients = Clients(work.connection, work.journal, now=work.now)
    found = await clients.get(ClientId(client_id), reach=work.by.reach(Act.SEE_IDENTITY), shows_survivor=True)
    return _versioned(found, 200)


@writing(
    "/clients/{client_id:uuid}/identity",
    act=Act.CORRECT_IDENTITY,
    name="correct_identity",
    method="PUT",
    status=200,
    problems=(404, 412, 428),
)
async def correct_identity(
    client_id: FromPath[UUID], data: JSONBody[CorrectionIn], work: TheWork, if_match: IfMatch = None
) -> Response[ClientOut]:
    """Correct the identity: a new version with its reason; the former stays readable."""
    clients = Clients(work.connection, work.journal, now=work.now)
    client = await clients.get(ClientId(client_id), reach=work.by.reach(Act.CORRECT_IDENTITY), shows_survivor=True)
    require_version(if_match, client.version)
    corrected = await domain.correct_identity(
        client,
        data.identity.read(),
        reason=data.reason,
        by=work.by,
        now=work.now,
        clients=clients,
        journal=work.journal,
    )
    return _versioned(corrected, 200)


@searching("/clients/matches/search", act=Act.MATCH_RECORDS, name="search_matches")
async def search_matches(data: JSONBody[MatchIn], work: TheWork) -> LikelyPage:
    """Everybody in any programme who may be this person; for the records lead only."""
    identifiers = [Identifier(kind=each.kind, value=each.value) for each in data.identifiers]
    likely = await Clients(work.connection, work.journal, now=work.now).like(data.read(), identifiers)
    closed = work.by.reach(Act.MATCH_RECORDS).closed
    shown = [each for each in likely if each.client not in closed]
    for each in shown:
        work.journal.saw(each.client, "identity")
    return LikelyPage(
        items=[
            LikelyOut(
                client_id=each.client,
                programme_id=each.programme,
                given_name=each.identity.given_name,
                family_name=each.identity.family_name,
                birth_date=each.identity.birth_date,
                because=each.because,
            )
            for each in shown
        ],
        closed_out=len(likely) - len(shown),
    )


@writing("/clients/matches/decisions", act=Act.MATCH_RECORDS, name="decide_different_person", status=204, problems=())
async def decide_different_person(data: JSONBody[DifferentPersonIn], work: TheWork, key: TheKey) -> None:
    """Record that somebody about to be registered is nobody we know; lets one registration through, within a day."""

    async def decide() -> None:
        await domain.decide_different_person(
            data.identity.read(),
            reason=data.reason,
            by=work.by,
            now=work.now,
            clients=Clients(work.connection, work.journal, now=work.now),
            journal=work.journal,
        )

    await once(work, key, Kept(status=204, resource=work.circumstances.request), do=decide, again=nothing_more)


def _versioned(client: Client, status: int) -> Response[ClientOut]:
    return Response(ClientOut.of(client), status_code=status, headers={"etag": etag(client.version)})


router = Router(
    "/",
    route_handlers=[
        register_client,
        search_clients,
        read_client,
        correct_identity,
        search_matches,
        decide_different_person,
    ],
    tags=["Clients"],
)
