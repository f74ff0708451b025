"""Telling somebody outside: by consent, by an exception, or in an emergency; and the account of it."""

from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.disclosure.wire import (
    CompletionIn,
    DisclosureIn,
    DisclosureLineOut,
    DisclosureOut,
    OpenReleaseOut,
    OpenReleasesOut,
    ReleaseIn,
)
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.work import TheKey, TheWork, client_within, concerns
from caseload.db.consent import Consents
from caseload.db.disclosure import KeptDisclosures
from caseload.db.disclosure.rendering import Rendered
from caseload.db.family import Families
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import disclosure as domain
from caseload.domain.access import Act
from caseload.domain.disclosure import Desk, Disclosure
from caseload.domain.ids import DisclosureId, new_id
from caseload.request.idempotency import once
from caseload.request.work import Work


def kept(work: Work) -> KeptDisclosures:
    """What was told, as this piece of work reads and writes it."""
    return KeptDisclosures(work.connection, work.journal, now=work.now)


@writing("/clients/{client_id:uuid}/disclosures", act=Act.DISCLOSE, name="make_disclosure")
async def make_disclosure(
    client_id: FromPath[UUID], data: JSONBody[DisclosureIn], work: TheWork, key: TheKey
) -> DisclosureOut:
    """Tell somebody outside: the answer is the document, or the record of what was spoken; or it is refused."""
    client = await client_within(work, client_id, Act.DISCLOSE)
    programme = await Programmes(work.connection).get(client.programme)
    new = DisclosureId(new_id())

    async def do() -> Disclosure:
        return await domain.disclose(
            data.read(),
            client,
            programme,
            as_id=new,
            by=work.by,
            now=work.now,
            desk=Desk(
                consents=Consents(work.connection, work.journal),
                families=Families(work.connection, work.journal),
                rendering=Rendered(work.connection, work.journal, programme, now=work.now),
                disclosures=kept(work),
            ),
            journal=work.journal,
        )

    async def again(before: Kept) -> Disclosure:
        return await kept(work).disclosure(DisclosureId(before.resource), by=work.by, act=Act.DISCLOSE)

    made = await once(work, key, Kept(status=201, resource=new), do=do, again=again)
    return DisclosureOut.seen(made, by=work.by)


@writing("/clients/{client_id:uuid}/emergency-releases", act=Act.RELEASE_IN_EMERGENCY, name="release_in_emergency")
async def release_in_emergency(
    client_id: FromPath[UUID], data: JSONBody[ReleaseIn], work: TheWork, key: TheKey
) -> DisclosureOut:
    """A medical emergency: tell medical personnel at once, and fill in the rest of the record afterwards."""
    client = await client_within(work, client_id, Act.RELEASE_IN_EMERGENCY)
    programme = await Programmes(work.connection).get(client.programme)
    new = DisclosureId(new_id())

    async def do() -> Disclosure:
        return await domain.release_in_emergency(
            data.read(),
            client,
            programme,
            as_id=new,
            by=work.by,
            now=work.now,
            releases=kept(work),
            rendering=Rendered(work.connection, work.journal, programme, now=work.now),
            journal=work.journal,
        )

    async def again(before: Kept) -> Disclosure:
        return await kept(work).release(DisclosureId(before.resource), by=work.by, act=Act.RELEASE_IN_EMERGENCY)

    made = await once(work, key, Kept(status=201, resource=new), do=do, again=again)
    return DisclosureOut.seen(made, by=work.by)


@writing("/disclosures/{disclosure_id:uuid}/completion", act=Act.RELEASE_IN_EMERGENCY, name="complete_release")
async def complete_release(
    disclosure_id: FromPath[UUID], data: JSONBody[CompletionIn], work: TheWork, key: TheKey
) -> DisclosureOut:
    """Fill in what an emergency's record still misses (42 CFR 2.51(c)): all of it, or it stays open."""
    release = await kept(work).release(DisclosureId(disclosure_id), by=work.by, act=Act.RELEASE_IN_EMERGENCY)
    concerns(work, release.programme, Act.RELEASE_IN_EMERGENCY)

    async def do() -> Disclosure:
        return await domain.complete_release(
            release, data.read(), by=work.by, now=work.now, releases=kept(work), journal=work.journal
        )

    async def again(before: Kept) -> Disclosure:
        return await kept(work).release(DisclosureId(before.resource), by=work.by, act=Act.RELEASE_IN_EMERGENCY)

    made = await once(work, key, Kept(status=201, resource=release.id), do=do, again=again)
    return DisclosureOut.seen(made, by=work.by)


@reading("/emergency-releases", act=Act.SEE_CONSENT, name="list_open_releases", problems=())
async def list_open_releases(work: TheWork) -> OpenReleasesOut:
    """Emergencies whose record is not complete, and how many of them are overdue."""
    found = await domain.open_releases(by=work.by, act=Act.SEE_CONSENT, releases=kept(work))
    items = [OpenReleaseOut.of(each, at=work.now) for each in found]
    return OpenReleasesOut(items=items, open=len(items), overdue=sum(each.overdue for each in items))


@reading("/emergency-releases/{disclosure_id:uuid}", act=Act.RELEASE_IN_EMERGENCY, name="read_release")
async def read_release(disclosure_id: FromPath[UUID], work: TheWork) -> DisclosureOut:
    """What was told in an emergency, and what its record still misses; also where no other disclosure is within your reach."""
    made = await kept(work).release(DisclosureId(disclosure_id), by=work.by, act=Act.RELEASE_IN_EMERGENCY)
    return DisclosureOut.seen(made, by=work.by)


@reading("/disclosures/{disclosure_id:uuid}", act=Act.DISCLOSE, name="read_disclosure")
async def read_disclosure(disclosure_id: FromPath[UUID], work: TheWork) -> DisclosureOut:
    """What was told, as it was told, with what went with it."""
    made = await kept(work).disclosure(DisclosureId(disclosure_id), by=work.by, act=Act.DISCLOSE)
    return DisclosureOut.seen(made, by=work.by)


@reading("/clients/{client_id:uuid}/disclosures", act=Act.SEE_CONSENT, name="list_disclosures")
async def list_disclosures(
    client_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[DisclosureLineOut]:
    """A client's account of all disclosures: when, to whom, what kind of information and for what, the last first.

    So is who sat in a session with the client, as its register says now.
    """
    client = await client_within(work, client_id, Act.SEE_CONSENT)
    found = await kept(work).disclosures_of(client.id, by=work.by, act=Act.SEE_CONSENT, after=after, limit=limit)
    items = [DisclosureLineOut.of(each) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)
