"""Supervisors, counsellors, clients and a clock, played at random: nobody is ever with nobody, nor with two.

What must be true is worked out from the periods as they lie in the tables, at every moment at which anything changes and
just before it, with a few lines that know nothing of the code.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from caseload.db.attendance import Sessions
from caseload.db.caseload import Caseloads
from caseload.db.checkin import Plans
from caseload.db.departure import Departures
from caseload.db.dosing import Charts
from caseload.db.engine import make_engine
from caseload.db.programme import Programmes
from caseload.db.tables import caseload as tables
from caseload.db.transfer import Transfers
from caseload.domain import caseload as domain
from caseload.domain.access import Act, Holding, Role
from caseload.domain.caseload import DischargeReason, Edition, LevelOfCare
from caseload.domain.departure import Places as Leaving
from caseload.domain.errors import Conflict, Invalid
from caseload.domain.ids import (
    AbsenceId,
    ClientId,
    EpisodeId,
    HandoverId,
    KeyworkerId,
    ProgrammeId,
    StaffId,
    TransferId,
    new_id,
)
from caseload.domain.journal import Event
from caseload.domain.people import Staff
from caseload.domain.programme import Programme
from caseload.domain.transfer import Places as TransferPlaces
from caseload.domain.transfer import Taking, accept_transfer, ask_transfer
from caseload.domain.transfer import Wish as TransferWish
from caseload.settings import Secret, Settings
from tests.conftest import Counts
from tests.factories import clients, people

T = TypeVar("T")

BEGINS: Final = datetime(2026, 10, 23, 9, tzinfo=UTC)
"""Two days before the clocks go back in London."""
LEVEL: Final = LevelOfCare(edition=Edition.ASAM_4, level="1.5")
TICK: Final = timedelta(microseconds=1)
DAY: Final = timedelta(days=1)
FAR: Final = datetime(2099, 1, 1, tzinfo=UTC)
MANY: Final = 4
WHO: Final = st.integers(0, 3)
WHOM: Final = st.integers(0, MANY - 1)
DAYS: Final = st.sampled_from([0.0, 0.0, 0.5, 1, 3, 7])


class Told:
    """A journal that nobody reads."""

    def saw(self, client: ClientId, kind: str) -> None: ...

    def tell(self, event: Event) -> None: ...


@dataclass(frozen=True)
class Span:
    """A row with a period."""

    client: UUID
    who: UUID
    since: datetime
    until: datetime
    of: UUID | None = None

    def holds(self, at: datetime) -> bool:
        return self.since <= at < self.until


@dataclass
class House:
    """The programme and its people."""

    programme: Programme
    there: Programme
    """Where clients may go on to, and come back from."""
    taker: StaffId
    """The counsellor there."""
    supervisor: Staff
    counsellors: list[StaffId]
    """The last but one counsels for ten days, the last for a while and then again."""
    clients: list[ClientId] = field(default_factory=list[ClientId])


def moments(spans: Iterable[Span], now: datetime) -> list[datetime]:
    """Whenever anything changes, and just before it."""
    changes = {edge for each in spans for edge in (each.since, each.until) if edge < FAR} | {now, FAR - DAY}
    return sorted(changes | {each - TICK for each in changes})


class Caseload(RuleBasedStateMachine):
    """One programme."""

    database: str

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.engine = make_engine(Settings(database_url=Secret(self.database)), application_name="caseload-machine")
        self.now = BEGINS
        self.here: House
        self.connection: AsyncConnection
        self.transaction: AsyncTransaction

    def run(self, act: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await act

        return self.loop.run_until_complete(awaited())

    def attempt(self, act: Awaitable[object]) -> None:
        """Do something that is committed, or refused and leaves nothing behind."""

        async def attempted() -> None:
            try:
                async with self.connection.begin_nested():
                    await act
                    await self.connection.execute(text("set constraints all immediate"))
            except (Conflict, Invalid):
                pass
            await self.connection.execute(text("set constraints all deferred"))

        self.run(attempted())
        self.now += timedelta(seconds=1)

    def teardown(self) -> None:
        self.run(self.transaction.rollback())
        self.run(self.connection.close())
        self.run(self.engine.dispose())
        self.loop.close()

    @property
    def kept(self) -> Caseloads:
        return Caseloads(self.connection, Told(), now=self.now)

    @property
    def usual(self) -> dict[str, Any]:
        return {"by": self.here.supervisor, "now": self.now, "caseloads": self.kept, "journal": Told()}

    @property
    def places(self) -> TransferPlaces:
        given: dict[str, Any] = {"connection": self.connection, "journal": Told(), "now": self.now}
        charts = Charts(**given)
        leaving = Leaving(
            departures=Departures(**given),
            caseloads=self.kept,
            plans=Plans(**given),
            sessions=Sessions(**given),
            orders=charts,
        )
        return TransferPlaces(
            transfers=Transfers(**given),
            caseloads=self.kept,
            programmes=Programmes(self.connection),
            holds=charts,
            leaving=leaving,
        )

    async def home(self, client: int) -> Programme:
        asked = select(tables.client.c.programme_id).where(tables.client.c.id == self.here.clients[client])
        return await Programmes(self.connection).get(ProgrammeId((await self.connection.execute(asked)).scalar_one()))

    def after(self, days: float) -> datetime:
        return self.now + days * DAY

    @initialize(asks=st.booleans())
    def opens(self, *, asks: bool) -> None:
        async def opened() -> None:
            self.connection = await self.engine.connect()
            self.transaction = await self.connection.begin()
            # What hypothesis does between two steps takes as long as it takes.
            await self.connection.execute(text("set local idle_in_transaction_session_timeout = 0"))
            where = await people.programme(self.connection)
            elsewhere = await people.programme(self.connection)
            supervisor = await people.staff(
                self.connection, holds=[(Role.SUPERVISOR, where), (Role.SUPERVISOR, elsewhere)]
            )
            taker = await people.staff(self.connection, holds=[(Role.COUNSELLOR, elsewhere)])
            counsellors = [(await people.staff(self.connection)).id for _ in range(4)]
            for place, (starts_at, ends_at) in enumerate(
                [
                    (BEGINS - 99 * DAY, None),
                    (BEGINS - 99 * DAY, None),
                    (BEGINS - 99 * DAY, BEGINS + 10 * DAY),
                    (BEGINS - 99 * DAY, BEGINS + 5 * DAY),
                    (BEGINS + 8 * DAY, None),
                ]
            ):
                await people.grant(
                    self.connection,
                    to=counsellors[min(place, 3)],
                    role=Role.COUNSELLOR,
                    programme=where,
                    starts_at=starts_at,
                    ends_at=ends_at,
                )
            programmes = Programmes(self.connection)
            self.here = House(
                programme=await programmes.get(where),
                there=await programmes.get(elsewhere),
                taker=taker.id,
                supervisor=supervisor,
                counsellors=counsellors,
            )
            for _ in range(MANY):
                client = ClientId(new_id())
                await self.connection.execute(
                    insert(tables.client).values(
                        id=client, programme_id=where, registered_by=supervisor.id, recorded_at=people.LONG_AGO
                    )
                )
                await clients.name(self.connection, client, by=supervisor.id)
                self.here.clients.append(client)

        self.run(opened())
        self.asks_first(wanted=asks)
        self.admits_everybody()

    @rule(hours=st.sampled_from([0.01, 1, 24, 25, 72, 240]))
    def waits(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @rule(client=WHOM, to=WHO, ago=st.sampled_from([0.0, 0.0, 0.2, 2]))
    def admits(self, client: int, to: int, ago: float) -> None:
        async def admitted() -> None:
            home = await self.home(client)
            await domain.admit(
                self.here.clients[client],
                as_id=EpisodeId(new_id()),
                programme=home,
                counsellor=self.here.taker if home == self.here.there else self.here.counsellors[to],
                at=self.after(-ago),
                level=LEVEL,
                **self.usual,
            )

        self.attempt(admitted())

    @rule(client=WHOM, to=WHO, accepted=st.sampled_from([True, True, True, False]))
    def goes_on(self, client: int, to: int, *, accepted: bool) -> None:
        async def gone() -> None:
            home, wanted = await self.home(client), TransferId(new_id())
            back = home == self.here.there
            wish = TransferWish(
                to=(self.here.programme if back else self.here.there).id,
                reason="Moves.",
                told="Stable.",
                proposed_at=self.now,
            )
            given: dict[str, Any] = {"by": self.here.supervisor, "now": self.now, "journal": Told()}
            places = self.places
            await ask_transfer(self.here.clients[client], wish, as_id=wanted, places=places, **given)
            if accepted:
                counsellor = self.here.counsellors[to] if back else self.here.taker
                await accept_transfer(wanted, Taking(counsellor=counsellor, level=LEVEL), places=places, **given)

        self.attempt(self.forgiven(gone()))

    @rule()
    def admits_everybody(self) -> None:
        for place in range(MANY):
            self.admits(client=place, to=place % 2, ago=0)
            self.names_keyworker(client=place, to=1 - place % 2, until=None)

    @rule(client=WHOM, to=WHO, days=DAYS, at_once=st.booleans())
    def hands_over(self, client: int, to: int, days: float, *, at_once: bool) -> None:
        async def handed() -> None:
            await domain.hand_over_or_offer(
                await self.episode(client),
                as_id=new_id(),
                to=self.here.counsellors[to],
                at=self.after(days),
                note="Said why.",
                at_once=at_once,
                **self.usual,
            )

        self.attempt(handed())

    @rule(of=WHO, to=WHO, whom=st.sets(WHOM), days=DAYS, at_once=st.booleans())
    def hands_many_over(self, of: int, to: int, whom: set[int], days: float, *, at_once: bool) -> None:
        wish = domain.Wish(
            programme=self.here.programme.id,
            clients=tuple(self.here.clients[each] for each in whom),
            of=None if whom else self.here.counsellors[of],
            to=self.here.counsellors[to],
            at=self.after(days),
            note="Said why.",
            at_once=at_once,
        )
        reach = self.here.supervisor.reach(Act.HAND_OVER)
        self.attempt(domain.hand_over_together(wish, as_id=HandoverId(new_id()), reach=reach, **self.usual))

    @rule(client=WHOM)
    def cancels(self, client: int) -> None:
        async def cancelled() -> None:
            reach = self.here.supervisor.reach(Act.HAND_OVER)
            found = await self.kept.handovers(self.here.clients[client], reach=reach)
            wanted = next((each.id for each in found.periods if each.since > self.now), new_id())
            if not found.periods:
                return
            await domain.cancel_handover(wanted, await self.episode(client), found, **self.usual)

        self.attempt(self.forgiven(cancelled()))

    @rule(wanted=st.booleans())
    def asks_first(self, *, wanted: bool) -> None:
        usual: dict[str, Any] = {**self.usual, "terms": self.kept}
        del usual["caseloads"]
        self.attempt(domain.set_terms(self.here.programme.id, "Agreed.", handovers_wait=wanted, **usual))

    @rule(to=WHO, answer=st.sampled_from(["accept", "accept", "decline", "withdraw"]))
    def answers(self, to: int, answer: str) -> None:
        async def answered() -> None:
            programme = self.here.programme.id
            waiting = await self.kept.offered_to(self.here.counsellors[to], programmes=[programme], after=None, limit=1)
            for each in waiting:
                by = await self.somebody(each.offer.to)
                given: dict[str, Any] = {"now": self.now, "offers": self.kept, "journal": Told()}
                match answer:
                    case "accept":
                        await domain.accept(each.offer, by=by, **given)
                    case "decline":
                        await domain.decline(each.offer, "No time.", by=by, **given)
                    case _:
                        await domain.withdraw(each.offer, by=self.here.supervisor, **given)

        self.attempt(answered())

    @rule(client=WHOM, to=WHO, days=DAYS, lasts=st.sampled_from([1, 4]))
    def covers(self, client: int, to: int, days: float, lasts: int) -> None:
        async def covered() -> None:
            await domain.arrange_cover(
                await self.episode(client),
                as_id=new_id(),
                counsellor=self.here.counsellors[to],
                starts_at=self.after(days),
                ends_at=self.after(days + lasts),
                reason="A day off.",
                **self.usual,
            )

        self.attempt(covered())

    @rule(client=WHOM, to=WHO, until=st.sampled_from([None, 0.5, 5]))
    def names_keyworker(self, client: int, to: int, until: float | None) -> None:
        async def named() -> None:
            await domain.name_keyworker(
                await self.episode(client),
                self.here.counsellors[to],
                "Gets on with them.",
                until_at=None if until is None else self.after(until),
                as_id=KeyworkerId(new_id()),
                **self.usual,
            )

        self.attempt(self.forgiven(named()))

    @rule(client=WHOM)
    def ends_keywork(self, client: int) -> None:
        async def ended() -> None:
            for each in (await self.kept.keyworkers_of(self.here.clients[client]))[:1]:
                await domain.end_keywork(each.id, await self.episode(client), **self.usual)

        self.attempt(self.forgiven(ended()))

    @rule(who=WHO, by=WHO, days=DAYS, lasts=st.sampled_from([0.5, 4, 9]))
    def goes_away(self, who: int, by: int, days: float, lasts: float) -> None:
        wish = domain.Away(
            programme=self.here.programme.id,
            counsellor=self.here.counsellors[who],
            covered_by=self.here.counsellors[by],
            starts_at=self.after(days),
            ends_at=self.after(days + lasts),
            reason="Leave.",
        )
        self.attempt(domain.arrange_absence(wish, as_id=AbsenceId(new_id()), **self.usual))

    @rule()
    def comes_back(self) -> None:
        async def back() -> None:
            for each in await self.kept.absences(self.here.programme.id, after=None, limit=1):
                await domain.end_absence(each, **self.usual)

        self.attempt(back())

    @rule(client=WHOM, ago=st.sampled_from([0.0, 0.2, 2]))
    def discharges(self, client: int, ago: float) -> None:
        async def discharged() -> None:
            episode = await self.episode(client)
            await self.kept.end_episode(
                episode,
                at=max(self.after(-ago), episode.starts_at + TICK),
                reason=DischargeReason.COMPLETED,
                note=None,
                by=self.here.supervisor.id,
                now=self.now,
            )

        self.attempt(self.forgiven(discharged()))

    async def forgiven(self, act: Awaitable[None]) -> None:
        """What is not there cannot be cancelled or ended, and that is all right."""
        try:
            await act
        except (domain.HandoverUnknown, domain.EpisodeUnknown) as missing:
            raise Conflict from missing

    async def episode(self, client: int) -> domain.Episode:
        reach = self.here.supervisor.reach(Act.HAND_OVER)
        return await self.kept.open_episode(self.here.clients[client], reach=reach, held=True)

    async def somebody(self, who: StaffId) -> Staff:
        """A counsellor of the programme; whether the role is in force is asked by the rule itself."""
        holding = Holding(role=Role.COUNSELLOR, programme=self.here.programme.id)
        return Staff(id=who, user_name="x", printed_name="x", session=None, holdings=(holding,))

    async def spans(self, statement: str, **given: object) -> list[Span]:
        rows = await self.connection.execute(text(statement), given or {"clients": list(self.here.clients)})
        return [
            Span(row.client, row.who, row.since, FAR if row.until is None else row.until, getattr(row, "of", None))
            for row in rows
        ]

    @invariant()
    def nobody_is_alone_or_with_two(self) -> None:
        if hasattr(self, "here"):
            self.run(self.everything_holds())

    async def everything_holds(self) -> None:
        programme: ProgrammeId = self.here.programme.id
        both = [programme, self.here.there.id]
        episodes, theirs, covers = [await self.spans(each) for each in (EPISODES, RESPONSIBLE, COVERS)]
        away = await self.spans(ABSENCES, programme=programme)
        roles = await self.spans(ROLES, programmes=both)
        when = moments([*episodes, *theirs, *covers, *away, *roles], self.now)
        keyworkers = await self.spans(KEYWORKERS)
        when = sorted({*when, *moments(keyworkers, self.now)})
        unseen: set[UUID] = set()
        for at in when:
            for client in self.here.clients:
                in_care = any(each.holds(at) for each in episodes if each.client == client)
                answering = [each.who for each in theirs if each.client == client and each.holds(at)]
                assert len(answering) == in_care, f"{len(answering)} answer for one client at {at}"
                knowing = [each.who for each in keyworkers if each.client == client and each.holds(at)]
                assert len(knowing) <= 1, f"{len(knowing)} keyworkers at {at}"
                if at < self.now:
                    continue
                assert in_care or not knowing, "nobody is the keyworker of somebody who has left"
                wanted = {(each.client, each.of) for each in away if each.who in answering and each.holds(at)}
                stands = {
                    (each.of, each.who) for each in covers if each.client == client and each.of and each.holds(at)
                }
                assert stands == wanted, f"covered by {stands} and not by {wanted} at {at}"
                if in_care and not any(each.who in answering and each.holds(at) for each in roles):
                    unseen.add(client)
        reach = self.here.supervisor.reach(Act.HAND_OVER)
        listed = [await self.kept.unlooked(each, reach=reach, after=None, limit=200) for each in both]
        assert {each.client for found in listed for each in found} == unseen, "whose counsellor's role ends"
        loads = [await self.kept.loads(each, after=None, limit=200) for each in both]
        carried = sum(each.responsible for found in loads for each in found)
        assert carried == sum(each.holds(self.now) for each in episodes), "everybody in care is on a caseload"
        waiting = [each.client for each in await self.spans(WAITING)]
        in_care_now = {each.client for each in episodes if each.until == FAR}
        assert len(waiting) == len(set(waiting)), "one waits at a time"
        assert set(waiting) <= in_care_now, "nothing waits for whoever has left"


EPISODES: Final = """
    select client_id as client, id as who, lower(period) as since, upper(period) as until
    from clinic.episode where client_id = any(:clients)
"""
RESPONSIBLE: Final = """
    select client_id as client, counsellor_id as who, lower(period) as since, upper(period) as until
    from clinic.responsibility where client_id = any(:clients)
"""
COVERS: Final = """
    select client_id as client, counsellor_id as who, lower(period) as since, upper(period) as until, absence_id as of
    from clinic.cover where client_id = any(:clients)
"""
KEYWORKERS: Final = """
    select client_id as client, staff_id as who, starts_at as since, least(until_at, ended_at) as until
    from clinic.keyworker where client_id = any(:clients) and not isempty(period)
"""
ABSENCES: Final = """
    select id as client, counsellor_id as who, lower(period) as since, upper(period) as until, covered_by as of
    from clinic.absence where programme_id = :programme and not isempty(period)
"""
ROLES: Final = """
    select staff_id as client, staff_id as who, lower(period) as since, upper(period) as until
    from clinic.role_grant where programme_id = any(:programmes) and role = 'counsellor'
"""
WAITING: Final = """
    select client_id as client, to_id as who, effective_at as since, effective_at as until
    from clinic.handover_offer where client_id = any(:clients) and answer is null
"""


def test_whatever_supervisors_do_nobody_is_with_nobody_or_with_two(database: str, counts: Counts) -> None:
    class Here(Caseload):
        pass

    Here.database = database
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=counts(20, full=200),
            stateful_step_count=counts(30, full=60),
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )
