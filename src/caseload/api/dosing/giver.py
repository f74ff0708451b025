"""The doses that somebody else entered under one's name, and one's word about each."""

from typing import Literal
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
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.dosing import Charted
from caseload.domain.dosing.giver import OwnWord, Word, say_as_giver
from caseload.domain.dosing.giver_left import close_for_giver
from caseload.domain.ids import DoseId, ProgrammeId
from caseload.request.idempotency import once
from caseload.request.work import Work


class GiverWordIn(Wire, frozen=True, kw_only=True):
    """Whether it was as it was entered under your name: the dose, its amount, the client, and that you gave it."""

    word: Literal["confirmed", "disputed"]
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
        word: OwnWord = Word.CONFIRMED if data.word == "confirmed" else Word.DISPUTED
        await say_as_giver(
            wanted, seen.version, word, data.reason, by=work.by, now=work.now, doses=store, journal=work.journal
        )
        return (await store.versions(wanted, by=work.by, act=Act.RECORD_DOSE))[0]

    async def again(kept: Kept) -> Charted:
        versions = await store.versions(wanted, by=work.by, act=Act.RECORD_DOSE)
        return next(each for each in versions if each.dose.version == kept.version)

    kept = Kept(status=201, resource=wanted, version=seen.version)
    return versioned(await once(work, key, kept, do=say, again=again))


@reading(
    "/programmes/{programme_id:uuid}/doses-without-giver", act=Act.CLOSE_GIVER_WORD, name="list_doses_without_giver"
)
async def list_doses_without_giver(
    programme_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[DoseOut]:
    """The doses that somebody entered under the name of a colleague who has left, or never worked here: oldest first.

    That colleague cannot say any more whether it was so. Look into it and close the question; the dose counts anyway.
    """
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.CLOSE_GIVER_WORD, programme.id)
    found = await _doses(work).without_giver(
        programme.id, by=work.by, act=Act.CLOSE_GIVER_WORD, after=after, limit=limit
    )
    return Page(items=[DoseOut.of(each) for each in found], next=found[-1].dose.id if len(found) == limit else None)


class GiverClosureIn(Wire, frozen=True, kw_only=True):
    """What you found out about a dose whose named giver cannot be asked any more."""

    reason: str


@writing(
    "/doses/{dose_id:uuid}/giver-closure",
    act=Act.CLOSE_GIVER_WORD,
    name="close_giver_word",
    problems=(404, 412, 428),
)
async def close_the_question(
    dose_id: FromPath[UUID], data: JSONBody[GiverClosureIn], work: TheWork, key: TheKey, if_match: IfMatch = None
) -> Response[DoseOut]:
    """Close the question who gave a dose, with what you found, where the named giver has left. Once of each version.

    Nobody speaks in their place, and the dose stays as it is; where you doubt it raise a hold, or let a colleague correct it as
    not given. Somebody who gave, entered or amended it may not.
    """
    store, wanted = _doses(work), DoseId(dose_id)
    seen = await store.dose(wanted, by=work.by, act=Act.CLOSE_GIVER_WORD)

    async def close() -> Charted:
        require_version(if_match, seen.version)
        await close_for_giver(
            wanted, seen.version, data.reason, by=work.by, now=work.now, doses=store, journal=work.journal
        )
        return (await store.versions(wanted, by=work.by, act=Act.CLOSE_GIVER_WORD))[0]

    async def again(kept: Kept) -> Charted:
        versions = await store.versions(wanted, by=work.by, act=Act.CLOSE_GIVER_WORD)
        return next(each for each in versions if each.dose.version == kept.version)

    kept = Kept(status=201, resource=wanted, version=seen.version)
    return versioned(await once(work, key, kept, do=close, again=again))


def _doses(work: Work) -> GiversDoses:
    return GiversDoses(work.connection, work.journal, now=work.now)
