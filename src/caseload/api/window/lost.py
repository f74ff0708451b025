"""A dose that came back, whether it is replaced, and the dose given in its place."""

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.amounts import Milligrams, Millilitres, milligrams, written
from caseload.api.dosing.wire import DoseOut, versioned
from caseload.api.proving import ProvedIn
from caseload.api.route import reading, writing
from caseload.api.window.store import lost_doses
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import window as domain
from caseload.domain.access import Act
from caseload.domain.dosing import Charted, Giving
from caseload.domain.ids import DoseId, ProgrammeId, ReplacementId, StationId, VomitId, new_id
from caseload.domain.medicines import DosePart
from caseload.domain.profiles.around import IdentifiedBy
from caseload.domain.window import Replacement, Verdict, Vomited, Wished
from caseload.request.idempotency import KeyMissing, once
from caseload.request.sign_in import prove

WAITS: Final = timedelta(days=2)
"""How long a dose that came back waits for a decision on the list: after that it can no longer be replaced."""


class VomitedIn(Wire, frozen=True, kw_only=True):
    """A dose came back."""

    minutes_after: int
    witnessed: bool
    """Whether somebody of the staff saw it."""
    note: str = ""


class VomitedOut(Wire, frozen=True, kw_only=True):
    """A dose came back; the dose itself stays as it was given."""

    id: UUID
    dose_id: UUID
    client_id: UUID
    dosing_day: date
    part: DosePart
    minutes_after: int
    witnessed: bool
    note: str
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, vomited: Vomited) -> "VomitedOut":
        """From the domain."""
        return cls(
            id=vomited.id,
            dose_id=vomited.dose,
            client_id=vomited.client,
            dosing_day=vomited.dosing_day,
            part=vomited.part,
            minutes_after=vomited.minutes_after,
            witnessed=vomited.witnessed,
            note=vomited.note,
            recorded_by=vomited.recorded_by,
            recorded_at=vomited.recorded_at,
        )


class VomitedDosesOut(Wire, frozen=True, kw_only=True):
    """The doses that came back of which nobody has decided yet, the oldest first."""

    items: list[VomitedOut]


class ReplacementDecisionIn(ProvedIn, frozen=True, kw_only=True):
    """Whether a dose that was vomited or spilled is replaced, and by how much at most."""

    verdict: Verdict
    at_most_mg: Milligrams | None = None
    reason: str
    confirmed: bool = False
    """Said a second time, where the profile asks for that."""


class ReplacementDecisionOut(Wire, frozen=True, kw_only=True):
    """A clinician's signed decision about a dose that was lost."""

    id: UUID
    dose_id: UUID
    client_id: UUID
    dosing_day: date
    part: DosePart
    verdict: Verdict
    at_most_mg: str | None
    reason: str
    asked: list[str]
    """What the profile asked before it was signed: `late`, `unwitnessed`."""
    decided_by: UUID
    decided_at: datetime
    profile: str

    @classmethod
    def of(cls, decision: Replacement) -> "ReplacementDecisionOut":
        """From the domain."""
        return cls(
            id=decision.id,
            dose_id=decision.dose,
            client_id=decision.client,
            dosing_day=decision.dosing_day,
            part=decision.part,
            verdict=decision.verdict,
            at_most_mg=written(decision.at_most_mg) if decision.at_most_mg is not None else None,
            reason=decision.reason,
            asked=list(decision.asked),
            decided_by=decision.decided_by,
            decided_at=decision.decided_at,
            profile=f"{decision.profile}-{decision.profile_version}",
        )


class ReplacementIn(Wire, frozen=True, kw_only=True):
    """What is given in the place of a dose, now: its medicine, order and part are those of that dose."""

    amount_mg: Milligrams
    amount_ml: Millilitres | None = None
    supervised: bool = True
    station_id: UUID | None = None
    identified_by: IdentifiedBy | None = None


@writing("/doses/{dose_id:uuid}/vomited", act=Act.RECORD_DOSE, name="record_vomited")
async def record_vomited(dose_id: FromPath[UUID], data: JSONBody[VomitedIn], work: TheWork, key: TheKey) -> VomitedOut:
    """Record that a dose came back so many minutes after it was given. Nothing is given in its place by that."""
    store, new = lost_doses(work), VomitId(new_id())

    async def record() -> Vomited:
        return await domain.record_vomited(
            DoseId(dose_id),
            data.minutes_after,
            data.note,
            witnessed=data.witnessed,
            as_id=new,
            by=work.by,
            now=work.now,
            doses=store,
            journal=work.journal,
        )

    async def again(_: Kept) -> Vomited:
        return await store.vomited(DoseId(dose_id), by=work.by, act=Act.RECORD_DOSE)

    return VomitedOut.of(await once(work, key, Kept(status=201, resource=new), do=record, again=again))


@reading("/programmes/{programme_id:uuid}/vomited-doses", act=Act.DECIDE_REPLACEMENT, name="list_vomited_doses")
async def list_vomited_doses(programme_id: FromPath[UUID], work: TheWork) -> VomitedDosesOut:
    """The doses of the last two days that came back, and of which nobody has decided whether they are replaced."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.DECIDE_REPLACEMENT, programme.id)
    found = await lost_doses(work).undecided(
        programme.id, since=work.now - WAITS, by=work.by, act=Act.DECIDE_REPLACEMENT
    )
    return VomitedDosesOut(items=[VomitedOut.of(each) for each in found])


@writing(
    "/doses/{dose_id:uuid}/replacement-decisions",
    act=Act.DECIDE_REPLACEMENT,
    name="decide_replacement",
    problems=(404, 429),
)
async def decide_replacement(
    dose_id: FromPath[UUID], data: JSONBody[ReplacementDecisionIn], work: TheWork, key: TheKey
) -> ReplacementDecisionOut:
    """Decide, signed with the password proved again, whether a dose that was lost is replaced. The profile says who may."""
    proof = await prove(work, data.evidence())
    store, new = lost_doses(work), ReplacementId(new_id())

    async def decide() -> Replacement:
        wished = Wished(
            verdict=data.verdict,
            at_most_mg=milligrams(data.at_most_mg) if data.at_most_mg is not None else None,
            reason=data.reason,
            confirmed=data.confirmed,
        )
        return await domain.decide_replacement(
            DoseId(dose_id),
            wished,
            as_id=new,
            by=work.by,
            proof=proof,
            now=work.now,
            replacements=store,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Replacement:
        return await store.replacement(ReplacementId(kept.resource), by=work.by, act=Act.DECIDE_REPLACEMENT)

    return ReplacementDecisionOut.of(await once(work, key, Kept(status=201, resource=new), do=decide, again=again))


@writing("/doses/{dose_id:uuid}/replacement", act=Act.RECORD_DOSE, name="replace_dose")
async def replace_dose(
    dose_id: FromPath[UUID], data: JSONBody[ReplacementIn], work: TheWork, key: TheKey
) -> Response[DoseOut]:
    """Give a dose in the place of one that was lost, as a clinician decided, and record it as a dose of its own.

    `Idempotency-Key` is mandatory. Refused with every rule that stands in the way.
    """
    if key is None:
        raise KeyMissing
    store, new = lost_doses(work), DoseId(new_id())
    lost = await store.dose(DoseId(dose_id), by=work.by, act=Act.RECORD_DOSE)

    async def replace() -> Charted:
        giving = Giving(
            client=lost.client,
            order=lost.order,
            medicine=lost.medicine,
            form=lost.form,
            amount_mg=milligrams(data.amount_mg),
            part=lost.part,
            given_at=work.now,
            supervised=data.supervised,
            amount_ml=milligrams(data.amount_ml) if data.amount_ml is not None else None,
            station=StationId(data.station_id) if data.station_id is not None else None,
            identified_by=data.identified_by,
        )
        dose = await domain.replace_dose(
            lost.id, giving, as_id=new, by=work.by, now=work.now, replacements=store, journal=work.journal
        )
        return Charted(dose=dose, identified_by=data.identified_by, replaces=lost.id)

    async def again(kept: Kept) -> Charted:
        versions = await store.versions(DoseId(kept.resource), by=work.by, act=Act.RECORD_DOSE)
        return versions[-1].as_recorded()

    return versioned(await once(work, key, Kept(status=201, resource=new, version=1), do=replace, again=again))
