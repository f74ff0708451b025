"""The clocks of an admission over HTTP: what belongs to it, by when, and whether it was done."""

from datetime import date, datetime, timedelta
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from caseload.api.caseload.store import caseloads_of
from caseload.api.ecg import Ahead
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.admission import KeptAdmissions, admitted_in
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import admission as domain
from caseload.domain.access import Act
from caseload.domain.admission import AdmissionDone, Clock, Duty, Said, State
from caseload.domain.caseload import Episode
from caseload.domain.ids import AdmissionDoneId, ClientId, ProgrammeId, new_id
from caseload.request.idempotency import once
from caseload.request.work import Work


class AdmissionDoneIn(Wire, frozen=True, kw_only=True):
    """What belongs to the admission and was done."""

    duty: Duty
    """The full examination in person, or the initial psychosocial assessment with the care plan."""
    done_by: str
    """The name of who did it."""
    done_on: date | None = None
    """Today when left out; not before the admission."""


class AdmissionDoneWithdrawalIn(Wire, frozen=True, kw_only=True):
    """Why a record was a mistake."""

    reason: str


class AdmissionDoneOut(Wire, frozen=True, kw_only=True):
    """One record of what belongs to an admission."""

    id: UUID
    episode_id: UUID
    duty: Duty
    done_on: date
    done_by: str
    recorded_by: UUID
    recorded_at: datetime
    taken_back: str | None
    """Why it was a mistake."""
    taken_back_by: UUID | None
    taken_back_at: datetime | None

    @classmethod
    def of(cls, made: AdmissionDone) -> "AdmissionDoneOut":
        """From the domain."""
        wrong = made.taken_back
        return cls(
            id=made.id,
            episode_id=made.episode,
            duty=made.said.duty,
            done_on=made.said.done_on,
            done_by=made.said.done_by,
            recorded_by=made.recorded_by,
            recorded_at=made.recorded_at,
            taken_back=None if wrong is None else wrong.reason,
            taken_back_by=None if wrong is None else wrong.by,
            taken_back_at=None if wrong is None else wrong.at,
        )


class AdmissionClockOut(Wire, frozen=True, kw_only=True):
    """One clock of an admission, as it stands today, or stood on the last day."""

    duty: Duty
    due_on: date
    """The last day on which it is in time."""
    state: State
    done_on: date | None

    @classmethod
    def of(cls, clock: Clock) -> "AdmissionClockOut":
        """From the domain."""
        return cls(duty=clock.duty, due_on=clock.due_on, state=clock.state, done_on=clock.done_on)


class AdmissionClocksOut(Wire, frozen=True, kw_only=True):
    """The clocks of one episode, and every record that was made, also what was taken back."""

    episode_id: UUID
    admitted_on: date
    rule: str | None
    """Of the profile in force on the day of the admission; null where it sets no clock."""
    source: str | None
    clocks: list[AdmissionClockOut]
    done: list[AdmissionDoneOut]


class AdmissionClocksListOut(Wire, frozen=True, kw_only=True):
    """The clocks of every episode of a client, the newest first; of one that ended as they stood on its last day."""

    items: list[AdmissionClocksOut]


class AdmissionDueOut(Wire, frozen=True, kw_only=True):
    """A client of whose admission something is not done."""

    client_id: UUID
    episode_id: UUID
    given_name: str
    family_name: str
    admitted_on: date
    rule: str
    due_on: date
    """The earliest of its clocks."""
    clocks: list[AdmissionClockOut]


class AdmissionsDueOut(Wire, frozen=True, kw_only=True):
    """Everybody in care at a programme of whose admission something is not done, the longest due first."""

    items: list[AdmissionDueOut]


@reading("/clients/{client_id:uuid}/admission-clocks", act=Act.SEE_CLIENT, name="list_admission_clocks")
async def list_admission_clocks(client_id: FromPath[UUID], work: TheWork) -> AdmissionClocksListOut:
    """By when what belongs to each admission of a client is done, and whether it was. It refuses no dose."""
    episodes = await caseloads_of(work).episodes(ClientId(client_id), reach=work.by.reach(Act.SEE_CLIENT))
    return AdmissionClocksListOut(items=[await _clocks_of(work, each) for each in episodes])


async def _clocks_of(work: Work, episode: Episode) -> AdmissionClocksOut:
    programme = await Programmes(work.connection).get(episode.programme)
    rules, done = programme.rules_on(episode.admitted_on), await _kept(work).of(episode.id, episode.client)
    counted = [each.said for each in done if each.taken_back is None]
    day = programme.today(work.now if episode.ends_at is None else min(episode.ends_at, work.now))
    said = rules.monitoring.admission
    return AdmissionClocksOut(
        episode_id=episode.id,
        admitted_on=episode.admitted_on,
        rule=None if said is None else f"{said.rule} of {rules.label}",
        source=None if said is None else said.source,
        clocks=[AdmissionClockOut.of(each) for each in domain.clocks(episode.admitted_on, counted, day, rules)],
        done=[AdmissionDoneOut.of(each) for each in done],
    )


@writing("/clients/{client_id:uuid}/admission-done", act=Act.ADMIT, name="record_admission_done")
async def record_admission_done(
    client_id: FromPath[UUID], data: JSONBody[AdmissionDoneIn], work: TheWork, key: TheKey
) -> AdmissionDoneOut:
    """Record that the examination, or the assessment with the care plan, of an admission was done."""
    new = AdmissionDoneId(new_id())

    async def record() -> AdmissionDone:
        episode = await caseloads_of(work).open_episode(ClientId(client_id), reach=work.by.reach(Act.ADMIT), held=True)
        today = (await Programmes(work.connection).get(episode.programme)).today(work.now)
        return await domain.record_done(
            episode,
            Said(duty=data.duty, done_on=data.done_on or today, done_by=data.done_by),
            as_id=new,
            today=today,
            by=work.by,
            now=work.now,
            admissions=_kept(work),
            journal=work.journal,
        )

    async def again(kept: Kept) -> AdmissionDone:
        return await _one(work, client_id, kept.resource)

    return AdmissionDoneOut.of(await once(work, key, Kept(status=201, resource=new), do=record, again=again))


@writing(
    "/clients/{client_id:uuid}/admission-done/{done_id:uuid}/withdrawal", act=Act.ADMIT, name="take_back_admission_done"
)
async def take_back_admission_done(
    client_id: FromPath[UUID],
    done_id: FromPath[UUID],
    data: JSONBody[AdmissionDoneWithdrawalIn],
    work: TheWork,
    key: TheKey,
) -> AdmissionDoneOut:
    """Take back a record that was a mistake: it stays readable with the reason, and its clock runs again."""

    async def take_back() -> AdmissionDone:
        return await domain.take_back_done(
            await _one(work, client_id, done_id),
            data.reason,
            client=ClientId(client_id),
            by=work.by,
            now=work.now,
            admissions=_kept(work),
            journal=work.journal,
        )

    async def again(_: Kept) -> AdmissionDone:
        return await _one(work, client_id, done_id)

    return AdmissionDoneOut.of(await once(work, key, Kept(status=201, resource=done_id), do=take_back, again=again))


@reading("/programmes/{programme_id:uuid}/admissions-due", act=Act.SEE_CLIENT, name="list_admissions_due")
async def list_admissions_due(programme_id: FromPath[UUID], work: TheWork, ahead_days: Ahead = 14) -> AdmissionsDueOut:
    """Of whose admission something is due or overdue by the profile of its day. It refuses no dose."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.SEE_CLIENT, programme.id)
    today = programme.today(work.now)
    lines: list[AdmissionDueOut] = []
    for each in await admitted_in(work.connection, programme.id, reach=work.by.reach(Act.SEE_CLIENT), at=work.now):
        rules = programme.rules_on(each.admitted_on)
        said = rules.monitoring.admission
        left = domain.waiting(each, today + timedelta(days=ahead_days), today, rules)
        if said is None or not left:
            continue
        for kind in ("identity", "episode"):
            work.journal.saw(each.client, kind)
        lines.append(
            AdmissionDueOut(
                client_id=each.client,
                episode_id=each.episode,
                given_name=each.given_name,
                family_name=each.family_name,
                admitted_on=each.admitted_on,
                rule=f"{said.rule} of {rules.label}",
                due_on=left[0].due_on,
                clocks=[AdmissionClockOut.of(clock) for clock in left],
            )
        )
    return AdmissionsDueOut(items=sorted(lines, key=lambda line: (line.due_on, line.client_id)))


def _kept(work: Work) -> KeptAdmissions:
    return KeptAdmissions(work.connection, work.journal)


async def _one(work: Work, client_id: UUID, done_id: UUID) -> AdmissionDone:
    """One record, of any episode of the client."""
    episodes = await caseloads_of(work).episodes(ClientId(client_id), reach=work.by.reach(Act.ADMIT))
    for episode in episodes:
        found = [each for each in await _kept(work).of(episode.id, episode.client) if each.id == done_id]
        if found:
            return found[0]
    raise domain.AdmissionDoneUnknown("Look at the clocks of the client's admission for its identifier.")


router = Router(
    "/",
    route_handlers=[list_admission_clocks, record_admission_done, take_back_admission_done, list_admissions_due],
    tags=["Caseloads"],
)
