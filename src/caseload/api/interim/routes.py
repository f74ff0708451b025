"""Interim treatment over HTTP: begun, planned on from, ended; how its days stand, and whom something is to be done about."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.caseload.store import caseloads_of
from caseload.api.ecg import Ahead
from caseload.api.interim.wire import (
    InterimDueOut,
    InterimEndIn,
    InterimIn,
    InterimListOut,
    InterimOut,
    InterimPlanCorrectionIn,
    InterimPlanIn,
    InterimsDueOut,
    InterimStandingOut,
    InterimWithdrawalIn,
    interim_shown,
)
from caseload.api.route import reading, writing
from caseload.api.work import IfMatch, TheKey, TheWork, require_version
from caseload.db.idempotency import Kept
from caseload.db.interim import KeptInterims, interims_in
from caseload.db.programme import Programmes
from caseload.domain import interim as domain
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, InterimId, ProgrammeId, new_id
from caseload.domain.interim import Begun, InterimTreatment
from caseload.domain.programme import Programme
from caseload.request.idempotency import once
from caseload.request.work import Work


@reading("/clients/{client_id:uuid}/interim-treatments", act=Act.SEE_CLIENT, name="list_interim_treatments")
async def list_interim_treatments(client_id: FromPath[UUID], work: TheWork) -> InterimListOut:
    """The interim treatments of a client, here and elsewhere, and how each of ours stands. It refuses no dose."""
    found, programme = await _all(work, client_id, Act.SEE_CLIENT)
    if programme is None:
        return InterimListOut(items=[])
    screened = await _kept(work).screened_on(ClientId(client_id))
    return InterimListOut(items=[interim_shown(each, found, screened, programme, work.now) for each in found])


@writing("/clients/{client_id:uuid}/interim-treatments", act=Act.ADMIT, name="begin_interim_treatment")
async def begin_interim_treatment(
    client_id: FromPath[UUID], data: JSONBody[InterimIn], work: TheWork, key: TheKey
) -> InterimOut:
    """Record the first day of an interim treatment here, or the days of one that was elsewhere.

    One that begins today is refused when no day of it is left in the months of the rule; what has begun is recorded and listed.
    """
    new = InterimId(new_id())

    async def begin() -> InterimTreatment:
        episode = await caseloads_of(work).open_episode(ClientId(client_id), reach=work.by.reach(Act.ADMIT), held=True)
        programme = await Programmes(work.connection).get(episode.programme)
        today = programme.today(work.now)
        begun = Begun(started_on=data.started_on or today, elsewhere=data.elsewhere, last_on=data.last_on)
        return await domain.begin_interim(
            episode,
            begun,
            others=await _kept(work).of(episode.client),
            as_id=new,
            rules=programme.rules_on(begun.started_on),
            today=today,
            by=work.by,
            now=work.now,
            interims=_kept(work),
            journal=work.journal,
        )

    return await _answered(work, key, client_id, Kept(status=201, resource=new), begin)


@writing(
    "/clients/{client_id:uuid}/interim-treatments/{interim_id:uuid}/plan", act=Act.ADMIT, name="plan_interim_treatment"
)
async def plan_interim_treatment(
    client_id: FromPath[UUID],
    interim_id: FromPath[UUID],
    data: JSONBody[InterimPlanIn],
    work: TheWork,
    key: TheKey,
) -> InterimOut:
    """Record that there is a plan for how the client goes on afterwards."""

    async def plan() -> InterimTreatment:
        one, programme = await _one(work, client_id, interim_id)
        today = programme.today(work.now)
        return await domain.plan_on(
            one,
            data.made_on or today,
            data.made_by,
            today=today,
            by=work.by,
            now=work.now,
            interims=_kept(work),
            journal=work.journal,
        )

    return await _answered(work, key, client_id, Kept(status=201, resource=interim_id), plan)


@writing(
    "/clients/{client_id:uuid}/interim-treatments/{interim_id:uuid}/plan",
    act=Act.ADMIT,
    name="correct_interim_plan",
    method="PUT",
    status=200,
    problems=(404, 409, 428),
)
async def correct_interim_plan(
    client_id: FromPath[UUID],
    interim_id: FromPath[UUID],
    data: JSONBody[InterimPlanCorrectionIn],
    work: TheWork,
    if_match: IfMatch = None,
) -> InterimOut:
    """Put right what was recorded of the plan, or say that there is none. What was said before stays readable.

    `If-Match` names the version that you read, the last of `plans`.
    """
    one, programme = await _one(work, client_id, interim_id)
    version = one.plan.version if one.plan is not None else 0
    require_version(if_match, version)
    await domain.correct_plan(
        one,
        data.made_on,
        data.made_by,
        data.reason,
        version=version,
        today=programme.today(work.now),
        by=work.by,
        now=work.now,
        interims=_kept(work),
        journal=work.journal,
    )
    return await _shown(work, client_id, one.id)


@writing(
    "/clients/{client_id:uuid}/interim-treatments/{interim_id:uuid}/end", act=Act.ADMIT, name="end_interim_treatment"
)
async def end_interim_treatment(
    client_id: FromPath[UUID],
    interim_id: FromPath[UUID],
    data: JSONBody[InterimEndIn],
    work: TheWork,
    key: TheKey,
) -> InterimOut:
    """Record the last day of an interim treatment here, and how it ended. A discharge or a death ends it without."""

    async def end() -> InterimTreatment:
        one, programme = await _one(work, client_id, interim_id)
        today = programme.today(work.now)
        return await domain.end_interim(
            one,
            data.last_on or today,
            data.how,
            today=today,
            by=work.by,
            now=work.now,
            interims=_kept(work),
            journal=work.journal,
        )

    return await _answered(work, key, client_id, Kept(status=201, resource=interim_id), end)


@writing(
    "/clients/{client_id:uuid}/interim-treatments/{interim_id:uuid}/withdrawal",
    act=Act.ADMIT,
    name="take_back_interim_treatment",
)
async def take_back_interim_treatment(
    client_id: FromPath[UUID],
    interim_id: FromPath[UUID],
    data: JSONBody[InterimWithdrawalIn],
    work: TheWork,
    key: TheKey,
) -> InterimOut:
    """Take back one that was recorded by mistake, with its plan and its end: it stays readable, and its days count no more."""

    async def take_back() -> InterimTreatment:
        one, _ = await _one(work, client_id, interim_id)
        return await domain.take_back_interim(
            one, data.reason, by=work.by, now=work.now, interims=_kept(work), journal=work.journal
        )

    return await _answered(work, key, client_id, Kept(status=201, resource=interim_id), take_back)


@reading("/programmes/{programme_id:uuid}/interim-due", act=Act.SEE_CLIENT, name="list_interim_due")
async def list_interim_due(programme_id: FromPath[UUID], work: TheWork, ahead_days: Ahead = 14) -> InterimsDueOut:
    """Whose plan for going on, or whose last day of interim treatment, is due or over. It refuses no dose."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.SEE_CLIENT, programme.id)
    today = programme.today(work.now)
    lines: list[InterimDueOut] = []
    for each in await interims_in(work.connection, programme.id, reach=work.by.reach(Act.SEE_CLIENT), at=work.now):
        rules = programme.rules_on(each.treatment.begun.started_on)
        stands = domain.standing(each.treatment, each.all_of_client, each.screened_on, today, rules)
        if stands is None or domain.next_date(stands) > today + timedelta(days=ahead_days):
            continue
        for kind in ("identity", "episode"):
            work.journal.saw(each.treatment.client, kind)
        lines.append(
            InterimDueOut(
                client_id=each.treatment.client,
                interim_id=each.treatment.id,
                given_name=each.given_name,
                family_name=each.family_name,
                started_on=each.treatment.begun.started_on,
                due_on=domain.next_date(stands),
                stands=InterimStandingOut.of(stands),
            )
        )
    return InterimsDueOut(items=sorted(lines, key=lambda line: (line.due_on, line.client_id)))


def _kept(work: Work) -> KeptInterims:
    return KeptInterims(work.connection, work.journal)


async def _all(work: Work, client_id: UUID, act: Act) -> tuple[Sequence[InterimTreatment], Programme | None]:
    """Every interim treatment of a client within reach, and the programme that looks after them, or did last."""
    episodes = await caseloads_of(work).episodes(ClientId(client_id), reach=work.by.reach(act))
    if not episodes:
        return (), None
    return await _kept(work).of(ClientId(client_id)), await Programmes(work.connection).get(episodes[0].programme)


async def _one(work: Work, client_id: UUID, interim_id: UUID) -> tuple[InterimTreatment, Programme]:
    found, programme = await _all(work, client_id, Act.ADMIT)
    one = next((each for each in found if each.id == interim_id), None)
    if one is None or programme is None:
        raise domain.InterimUnknown("Look at the client's interim treatments for its identifier.")
    return one, programme


async def _answered(
    work: Work, key: TheKey, client_id: UUID, kept: Kept, do: Callable[[], Awaitable[InterimTreatment]]
) -> InterimOut:
    """Do it once, and show it as it stands."""

    async def again(before: Kept) -> InterimTreatment:
        return (await _one(work, client_id, before.resource))[0]

    done = await once(work, key, kept, do=do, again=again)
    return await _shown(work, client_id, done.id)


async def _shown(work: Work, client_id: UUID, interim_id: UUID) -> InterimOut:
    shown, programme = await _one(work, client_id, interim_id)
    found, _ = await _all(work, client_id, Act.ADMIT)
    return interim_shown(shown, found, await _kept(work).screened_on(shown.client), programme, work.now)
