"""The doses that somebody else entered under one's name, and one's word about each."""

from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.dosing.wire import DoseOut, versioned
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import IfMatch, TheKey, TheWork, require_version
from caseload.db.dosing.giver import GiversDoses
from caseload.db.idempotency import Kept
from caseload.domain.access import Act
from caseload.domain.dosing import Charted
from caseload.domain.dosing.giver import Word, say_as_giver
from caseload.domain.ids import DoseId
from caseload.request.idempotency import once
from caseload.request.work import Work


class GiverWordIn(Wire, frozen=True, kw_only=True):
    """Whether it was as it was entered under your name: the dose, its amount, the client, and that you gave it."""

    word: Word
    reason: str | None = None
    """Of a disputed one: what was not so."""


@reading("/doses/to-confirm", act=Act.RECORD_DOSE, name="list_doses_to_confirm", problems=())
async def list_doses_to_confirm(work: TheWork, after: After = None, limit: Limit = USUAL) -> Page[DoseOut]:
    """The doses that a colleague entered from paper under your name, and of which you have said nothing: oldest first.

    None of them waits for you with anything else: each counts as swallowed, and its second look is somebody else's.
    """
    found = await _doses(work).to_confirm(by=work.by, act=Act.RECORD_DOSE, after=after, limit=limit)
    return Page(items=[DoseOut.of(each) for each in found], next=found[-1].dose.id if len(found) == limit else None)


@writing("/doses/{dose_id:uuid}/giver-word", act=Act.RECORD_DOSE, name="say_as_giver", problems=(404, 412, 428))
async def say_as_the_giver(
    dose_id: FromPath[UUID], data: JSONBody[GiverWordIn], work: TheWork, key: TheKey, if_match: IfMatch = None
) -> Response[DoseOut]:
    """Say of a dose that was entered under your name that it was so, or that it was not, with a reason; once of each version.

    What you dispute goes on counting as swallowed: the client is held until a prescriber has looked. Only the named giver may.
    """
    store, wanted = _doses(work), DoseId(dose_id)
    seen = await store.dose(wanted, by=work.by, act=Act.RECORD_DOSE)

    async def say() -> Charted:
        require_version(if_match, seen.version)
        await say_as_giver(
            wanted, seen.version, data.word, data.reason, by=work.by, now=work.now, doses=store, journal=work.journal
        )
        return (await store.versions(wanted, by=work.by, act=Act.RECORD_DOSE))[0]

    async def again(kept: Kept) -> Charted:
        versions = await store.versions(wanted, by=work.by, act=Act.RECORD_DOSE)
        return next(each for each in versions if each.dose.version == kept.version)

    kept = Kept(status=201, resource=wanted, version=seen.version)
    return versioned(await once(work, key, kept, do=say, again=again))


def _doses(work: Work) -> GiversDoses:
    return GiversDoses(work.connection, work.journal, now=work.now)
