"""The SQL that says whom a person may see answers as `Reach.covers` does, on any clinic."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Uuid, bindparam, insert, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, signing_reach_of, within_reach
from caseload.db.tables import caseload as tables
from caseload.db.tables.medication import medication_record
from caseload.db.tables.transfer import client_transfer
from caseload.domain.access import EXTENT, Act, Extent, Holding, Reach, Role, reach
from caseload.domain.ids import ClientId, ProgrammeId, StaffId, new_id
from tests.factories import people
from tests.factories.people import LONG_AGO, NOW

pytestmark = pytest.mark.anyio

PROGRAMMES = st.integers(0, 2)
COUNSELLORS = st.integers(0, 1)
BEGUN = NOW - timedelta(days=10)
OVER = (LONG_AGO, LONG_AGO + timedelta(days=1))
RUNNING = (BEGUN, NOW + timedelta(microseconds=1))
JUST_BEGUN = (NOW, NOW + timedelta(days=1))
JUST_OVER = (BEGUN, NOW)
YEARS_AGO = LONG_AGO - timedelta(days=999)
TO_COME = (NOW + timedelta(microseconds=1), NOW + timedelta(days=1))
PERIODS = st.sampled_from([RUNNING, JUST_BEGUN, JUST_OVER, OVER, TO_COME])


def counts(period: tuple[datetime, datetime]) -> bool:
    return period[0] <= NOW < period[1]


def one_at_a_time(covers: list[tuple[int, tuple[datetime, datetime]]]) -> list[tuple[int, tuple[datetime, datetime]]]:
    """Nobody has two covers at once that were arranged for them alone."""
    kept = covers[:1]
    return [*kept, *(each for each in covers[1:] if each[1][1] <= kept[0][1][0] or kept[0][1][1] <= each[1][0])]


@dataclass
class Somebody:
    """A client as the strategy makes one; programmes and counsellors by their place in a list."""

    home: int
    registered_by: int
    guest_of: tuple[int, tuple[datetime, datetime]] | None
    responsible: tuple[int, tuple[datetime, datetime]] | None
    covered_by: list[tuple[int, tuple[datetime, datetime]]]
    keyworker: tuple[int, tuple[datetime, datetime]] | None
    apart: str = "no"
    """Whether whoever asks is closed out by a restriction, is named by it, or has broken a glass; two of them together too."""
    came_from: int | None = None
    """Where they were in care years ago, before they were transferred home."""
    id: ClientId = field(default_factory=lambda: ClientId(new_id()))


CLIENTS = st.lists(
    st.builds(
        Somebody,
        home=PROGRAMMES,
        registered_by=COUNSELLORS,
        guest_of=st.none() | st.tuples(PROGRAMMES, PERIODS),
        responsible=st.none() | st.tuples(COUNSELLORS, PERIODS),
        covered_by=st.lists(st.tuples(COUNSELLORS, PERIODS), max_size=2).map(one_at_a_time),
        keyworker=st.none() | st.tuples(COUNSELLORS, PERIODS),
        apart=st.sampled_from(["no", "no", "closed", "named", "opened", "closed and opened"]),
        came_from=st.none() | PROGRAMMES,
        id=st.builds(new_id),
    ),
    min_size=6,
    max_size=10,
)
FEW = st.sets(PROGRAMMES, max_size=1)
SOME = st.sets(PROGRAMMES, min_size=1, max_size=2)


@dataclass
class Clinic:
    """Three programmes and two people, made once for many examples."""

    programmes: list[ProgrammeId]
    counsellors: list[StaffId]


@pytest.fixture
async def clinic(connection: AsyncConnection) -> Clinic:
    return Clinic(
        programmes=[await people.programme(connection) for _ in range(3)],
        counsellors=[await people.bystander(connection) for _ in range(2)],
    )


async def open_clinic(connection: AsyncConnection, clinic: Clinic, clients: list[Somebody]) -> None:
    by = {"recorded_by": clinic.counsellors[0], "recorded_at": LONG_AGO}
    for client in clients:
        home = clinic.programmes[client.home]
        former = home if client.came_from is None else clinic.programmes[client.came_from]
        await connection.execute(
            insert(tables.client).values(
                id=client.id,
                programme_id=former,
                registered_by=clinic.counsellors[client.registered_by],
                recorded_at=LONG_AGO,
            )
        )
        if former != home:
            await transferred(connection, client.id, former, home, clinic.counsellors[0])
        if client.guest_of is not None:
            host, period = client.guest_of
            await connection.execute(
                insert(tables.guest_stay).values(
                    id=new_id(),
                    client_id=client.id,
                    host_programme_id=clinic.programmes[host],
                    period=Range(*period),
                    reason="work",
                    **by,
                )
            )
        if client.responsible is not None:
            await look_after(connection, client.id, home, clinic.counsellors[client.responsible[0]], client, by)
        if client.keyworker is not None and client.responsible is not None:
            await key_work(connection, client.id, clinic.counsellors[client.keyworker[0]], client.keyworker[1], by)
        for counsellor, period in client.covered_by:
            await connection.execute(
                insert(tables.cover).values(
                    id=new_id(),
                    client_id=client.id,
                    counsellor_id=clinic.counsellors[counsellor],
                    period=Range(*period),
                    reason="leave",
                    **by,
                )
            )


async def transferred(
    connection: AsyncConnection, client: ClientId, former: ProgrammeId, home: ProgrammeId, by: StaffId
) -> None:
    """They were in care there, and went on."""
    episodes, at = [new_id(), new_id()], YEARS_AGO + timedelta(days=1)
    for episode, programme, period in (
        (episodes[0], former, Range(YEARS_AGO, at)),
        (episodes[1], home, Range(at, at + timedelta(days=1))),
    ):
        await connection.execute(
            insert(tables.episode).values(
                id=episode,
                client_id=client,
                programme_id=programme,
                admitted_on=YEARS_AGO.date(),
                period=period,
                recorded_by=by,
                recorded_at=YEARS_AGO,
            )
        )
    await connection.execute(insert(medication_record).values(client_id=client))
    await connection.execute(
        insert(client_transfer).values(
            id=new_id(),
            client_id=client,
            episode_id=episodes[0],
            into_episode_id=episodes[1],
            programme_id=former,
            to_programme_id=home,
            reason="Moved.",
            told="Stable.",
            proposed_at=at,
            asked_by=by,
            asked_at=at,
            counsellor_id=by,
            edition="asam_4",
            level="1.5",
            accepted_by=by,
            accepted_at=at,
            outcome="moved",
            ended_by=by,
            ended_at=at,
        )
    )


async def key_work(
    connection: AsyncConnection,
    client: ClientId,
    staff: StaffId,
    period: tuple[datetime, datetime],
    by: Mapping[str, object],
) -> None:
    newest = tables.episode.c.period.desc()
    episodes = select(tables.episode.c.id).where(tables.episode.c.client_id == client)
    episode = episodes.order_by(newest).limit(1).scalar_subquery()
    await connection.execute(
        insert(tables.keyworker).values(
            id=new_id(),
            client_id=client,
            episode_id=episode,
            staff_id=staff,
            starts_at=period[0],
            until_at=period[1],
            reason="Asked for them.",
            **by,
        )
    )


async def look_after(
    connection: AsyncConnection,
    client: ClientId,
    home: ProgrammeId,
    counsellor: StaffId,
    somebody: Somebody,
    by: Mapping[str, object],
) -> None:
    assert somebody.responsible is not None
    period = Range(*somebody.responsible[1])
    episode = new_id()
    await connection.execute(
        insert(tables.episode).values(
            id=episode, client_id=client, programme_id=home, admitted_on=date(2020, 1, 1), period=period, **by
        )
    )
    await connection.execute(
        insert(tables.responsibility).values(
            id=new_id(), client_id=client, episode_id=episode, counsellor_id=counsellor, period=period, **by
        )
    )


def expected(
    clinic: Clinic,
    client: Somebody,
    seen: Reach,
    *,
    by_identifier: bool,
    signed_in: ProgrammeId | None = None,
    kept_in: ProgrammeId | None = None,
) -> bool:
    programmes = {clinic.programmes[client.home]}
    if client.guest_of is not None and counts(client.guest_of[1]):
        programmes.add(clinic.programmes[client.guest_of[0]])
    lookers = [client.responsible] if client.responsible is not None else []
    lookers += [client.keyworker] if client.keyworker is not None and client.responsible is not None else []
    looked_after_by = [clinic.counsellors[who] for who, period in [*lookers, *client.covered_by] if counts(period)]
    gone_from = None if client.came_from in {None, client.home} else clinic.programmes[client.came_from or 0]
    if client.responsible is None and gone_from is None:  # nobody has admitted them yet
        looked_after_by.append(clinic.counsellors[client.registered_by])
    return seen.covers(
        client.id,
        programmes=programmes,
        looked_after_by=looked_after_by,
        by_identifier=by_identifier,
        signed_in=signed_in,
        kept_in=kept_in if kept_in == gone_from else None,
    )


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    clients=CLIENTS,
    everyone_in=FEW,
    caseload_in=SOME,
    one_in=FEW,
    signs_in=FEW,
    signed_in=st.none() | PROGRAMMES,
    any_client=st.booleans(),
    by_identifier=st.booleans(),
)
async def test_sql_and_python_agree_on_whom_a_person_may_see(
    connection: AsyncConnection,
    clinic: Clinic,
    clients: list[Somebody],
    everyone_in: set[int],
    caseload_in: set[int],
    one_in: set[int],
    signs_in: set[int],
    signed_in: int | None,
    *,
    any_client: bool,
    by_identifier: bool,
) -> None:
    seen = Reach(
        staff=clinic.counsellors[0],
        everyone_in=frozenset(clinic.programmes[number] for number in everyone_in),
        caseload_in=frozenset(clinic.programmes[number] for number in caseload_in),
        any_by_identifier=any_client,
        one_in=frozenset(clinic.programmes[number] for number in one_in),
        signs_in=frozenset(clinic.programmes[number] for number in signs_in),
        closed=frozenset(client.id for client in clients if "closed" in client.apart),
        named=frozenset(client.id for client in clients if client.apart == "named"),
        opened=next((client.id for client in clients if "opened" in client.apart), None),
    )
    given_in = None if signed_in is None else clinic.programmes[signed_in]
    async with connection.begin_nested() as nested:
        await open_clinic(connection, clinic, clients)
        ids = [client.id for client in clients]
        condition = within_reach()
        found = await connection.execute(
            select(tables.client.c.id).where(tables.client.c.id.in_(ids), condition),
            reach_of(seen, at=NOW, by_identifier=by_identifier),
        )
        assert set(found.scalars()) == {
            client.id for client in clients if expected(clinic, client, seen, by_identifier=by_identifier)
        }
        for_signing = within_reach(signed_in=bindparam("signed_in", type_=Uuid()))
        found = await connection.execute(
            select(tables.client.c.id).where(tables.client.c.id.in_(ids), for_signing),
            {"signed_in": given_in, **signing_reach_of(seen, at=NOW)},
        )
        assert set(found.scalars()) == {
            client.id for client in clients if expected(clinic, client, seen, by_identifier=False, signed_in=given_in)
        }
        kept = within_reach(kept_in=bindparam("kept_in", type_=Uuid()))
        found = await connection.execute(
            select(tables.client.c.id).where(tables.client.c.id.in_(ids), kept),
            {"kept_in": given_in, **reach_of(seen, at=NOW, by_identifier=by_identifier)},
        )
        assert set(found.scalars()) == {
            client.id
            for client in clients
            if expected(clinic, client, seen, by_identifier=by_identifier, kept_in=given_in)
        }
        await nested.rollback()


async def test_an_alias_of_the_clients_can_be_asked_too(connection: AsyncConnection, clinic: Clinic) -> None:
    client = Somebody(home=0, registered_by=1, guest_of=None, responsible=None, covered_by=[], keyworker=None)
    await open_clinic(connection, clinic, [client])
    seen = Reach(
        staff=clinic.counsellors[0],
        everyone_in=frozenset({clinic.programmes[0]}),
        caseload_in=frozenset(),
        any_by_identifier=False,
    )
    person = tables.client.alias("person")
    found = await connection.execute(
        select(person.c.id).where(person.c.id == client.id, within_reach(person)), reach_of(seen, at=NOW)
    )
    assert found.scalars().all() == [UUID(str(client.id))]


@pytest.mark.parametrize("role", [role for role in Role if EXTENT[role] is Extent.NOBODY])
@pytest.mark.parametrize("act", list(Act))
def test_administrators_and_inspectors_see_no_client_by_any_act(role: Role, act: Act) -> None:
    programme = ProgrammeId(new_id())
    seen = reach(StaffId(new_id()), [Holding(role=role, programme=programme)], act)
    assert not seen.covers(programmes=[programme], looked_after_by=[seen.staff], by_identifier=True)
