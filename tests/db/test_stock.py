"""Stock in PostgreSQL: the balance is a sum, and what would disagree with the doses cannot be stored."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.db.tables import stock, stock_acts
from caseload.db.tables.base import complete
from caseload.db.tables.dosing import dose as dose_table
from caseload.db.tables.stock_acts import stock_taking
from caseload.domain.access import Act, Role
from caseload.domain.dosing import Dose, DoseMoved
from caseload.domain.errors import Invalid
from caseload.domain.ids import ClientId, ContainerId, DoseId, StationId, new_id
from caseload.domain.medicines import Form
from caseload.domain.stock.container import ContainerMoved
from caseload.domain.stock.receiving import DosesOfThatDay, StockNotKept
from caseload.domain.stock.standing import Wrong
from caseload.domain.stock.taking import TookNothing
from tests.db.test_dosing import brought_in, change, correct
from tests.factories.stock import SOLUTION, Storeroom
from tests.factories.window import MORNING, TODAY, clinician, window, wish

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
BY_WHOM = {"recorded_by", "settled_by", "confirmed_by", "counted_by", "handled_by", "count_id"}
"""Columns that nobody may write a second time, one at least in every table of the stock."""


async def storeroom(connection: AsyncConnection, *, kept: bool = True) -> Storeroom:
    here = await window(connection)
    store = Storeroom(here, await clinician(connection, here.programme, Role.PHARMACIST, "Petra Vale"))
    if kept:
        await store.begin()
    return store


async def in_use(store: Storeroom, amount_mg: str = "1000") -> tuple[ContainerId, StationId]:
    bottle, station = await store.bottle(amount_mg), await store.station()
    await store.use(bottle, station)
    return bottle, station


async def settle(connection: AsyncConnection) -> None:
    """Let what a commit would check be checked now."""
    await connection.execute(text("set constraints all immediate"))
    await connection.execute(text("set constraints all deferred"))


async def refused(connection: AsyncConnection, statement: Any, *, says: str, settled: bool = False) -> None:
    """The statement, or the check at commit, is refused by this constraint or privilege."""

    async def attempt() -> None:
        await connection.execute(statement)
        if settled:
            await settle(connection)

    savepoint = await connection.begin_nested()
    with pytest.raises((IntegrityError, ProgrammingError), match=says):
        await attempt()
    await savepoint.rollback()


async def taking(store: Storeroom, dose: Dose, **changed: Any) -> Any:
    """A statement that adds a line to what a dose took."""
    values: dict[str, Any] = {
        "dose_id": dose.id,
        "line": 9,
        "dose_version": dose.version,
        "programme_id": store.here.programme,
        "medicine": dose.medicine,
        "form": dose.form,
        "container_id": None,
        "amount_mg": Decimal(1),
        "taken_at": MORNING,
        "recorded_by": store.here.nurse.id,
        "recorded_at": MORNING,
    }
    return insert(stock_taking).values(**values | changed)


async def test_a_dose_takes_in_the_same_statement_and_the_check_at_commit_agrees(connection: AsyncConnection) -> None:
    store = await storeroom(connection)
    bottle, _ = await in_use(store)

    dose = await store.here.give(await store.here.order())
    await settle(connection)

    lines = (await connection.execute(select(stock_taking).where(stock_taking.c.dose_id == dose.id))).all()
    assert [(line.line, line.container_id, line.amount_mg) for line in lines] == [(1, bottle, Decimal(-60))]
    assert await store.balance(bottle) == Decimal(940)


async def test_neither_a_dose_without_its_taking_nor_another_amount_can_be_committed(
    connection: AsyncConnection,
) -> None:
    store = await storeroom(connection)
    await in_use(store)
    dose = await store.here.give(await store.here.order())
    await settle(connection)
    copy = select(*(column for column in dose_table.c if column.computed is None)).where(dose_table.c.id == dose.id)
    row = dict((await connection.execute(copy)).mappings().one())
    alone = row | {"id": new_id(), "dosing_day": TODAY + DAY, "order_id": row["order_id"]}
    more = row | {
        "version": 2,
        "amount_mg": Decimal(70),
        "amount_ml": Decimal(70),
        "amended_at": MORNING,
        "amended_by": store.here.nurse.id,
        "amendment_reason": "More.",
    }

    says = "stock_agrees_with_dose|is not what it says"
    await refused(connection, insert(dose_table).values(**alone), says=says, settled=True)
    await refused(connection, insert(dose_table).values(**more), says=says, settled=True)
    await refused(connection, await taking(store, dose), says=says, settled=True)
    await refused(connection, await taking(store, dose, form="tablet"), says=says, settled=True)


async def test_a_dose_of_a_programme_without_stock_takes_nothing_and_cannot(connection: AsyncConnection) -> None:
    store = await storeroom(connection, kept=False)
    dose = await store.here.give(await store.here.order())
    await settle(connection)

    says = "kept no stock"
    await refused(connection, await taking(store, dose, line=1, amount_mg=Decimal(-60)), says=says, settled=True)
    with pytest.raises(StockNotKept):
        await store.standing()
    with pytest.raises(TookNothing):
        await store.whence(dose, (ContainerId(new_id()), "60"))
    savepoint = await connection.begin_nested()
    with pytest.raises(DosesOfThatDay):
        await store.begin()
    await savepoint.rollback()
    await store.begin(TODAY + DAY)
    await correct(store.here, await change(store.here, dose, amount_mg=Decimal(50)))
    await settle(connection)
    assert (await connection.execute(select(stock_taking).where(stock_taking.c.dose_id == dose.id))).all() == []


async def test_what_a_source_tells_of_takes_nothing_and_cannot(connection: AsyncConnection) -> None:
    store = await storeroom(connection)
    await in_use(store)
    told = await brought_in(store.here, days_ago=0)
    dose = await store.here.doses().dose(told, by=store.here.nurse, act=Act.SEE_MEDICATION)
    await settle(connection)

    says = "given elsewhere"
    await refused(connection, await taking(store, dose, line=1, amount_mg=-dose.amount_mg), says=says, settled=True)
    assert (await store.standing()).unassigned == []


async def test_an_amendment_and_a_correction_put_back_what_was_taken(connection: AsyncConnection) -> None:
    store = await storeroom(connection)
    bottle, _ = await in_use(store)
    dose = await store.here.give(await store.here.order())

    amended = await change(store.here, dose, amount_mg=Decimal(50))
    await settle(connection)
    assert await store.balance(bottle) == Decimal(950)
    await correct(store.here, amended)
    await settle(connection)

    assert await store.balance(bottle) == Decimal(1000)
    order = (await store.here.doses().orders_of(store.here.client))[0]
    await store.here.give(order)
    await settle(connection)
    assert await store.balance(bottle) == Decimal(940)


async def test_a_dose_from_two_bottles_stays_so_when_it_is_amended_and_goes_back_to_both(
    connection: AsyncConnection,
) -> None:
    store = await storeroom(connection)
    one, two = await store.bottle(), await store.bottle()
    dose = await store.here.give(await store.here.order())
    [nowhere] = (await store.standing()).unassigned
    assert (nowhere.dose, nowhere.amount_mg, nowhere.client) == (dose.id, Decimal(60), store.here.client)

    await store.whence(dose, (one, "40"), (two, "20"))
    await settle(connection)
    assert (await store.balance(one), await store.balance(two)) == (Decimal(960), Decimal(980))
    await correct(store.here, dose)
    await settle(connection)
    assert (await store.balance(one), await store.balance(two)) == (Decimal(1000), Decimal(1000))
    with pytest.raises(TookNothing):
        await store.whence(dose, (one, "60"))


async def test_whence_a_dose_came_is_checked(connection: AsyncConnection) -> None:
    store = await storeroom(connection)
    one = await store.bottle()
    dose = await store.here.give(await store.here.order())

    for sources in ((), ((one, "60"), (one, "60")), ((one, "0"),), ((one, "59"),)):
        with pytest.raises(Invalid):
            await store.whence(dose, *sources)
    with pytest.raises(DoseMoved):
        await store.whence(replace(dose, version=7), (one, "60"))


async def test_which_container_a_dose_takes_from(connection: AsyncConnection) -> None:
    """By the station where one is named; else the only one in use, and of the strength that is ordered first."""
    store = await storeroom(connection)
    first, second = await store.station(), await store.station("Window 2")
    one, two, strong = await store.bottle(), await store.bottle(), await store.bottle(made=_strength("2"))
    await store.use(strong, first)
    clients = [store.here.client, *[await store.here.another_client() for _ in range(3)]]
    orders = [await store.here.order(client=client) for client in clients]

    only = await store.here.give(orders[0], at=MORNING + timedelta(minutes=1))
    await store.use(one, first, now=MORNING + timedelta(minutes=2))
    exact = await store.here.give(orders[1], at=MORNING + timedelta(minutes=3))
    await store.use(two, second, now=MORNING + timedelta(minutes=4))
    nobody = await store.here.give(orders[2], at=MORNING + timedelta(minutes=5))
    late = await store.here.late(orders[3], given_at=MORNING + timedelta(minutes=3), now=MORNING + timedelta(minutes=6))
    await settle(connection)

    found = (await connection.execute(select(stock_taking.c.dose_id, stock_taking.c.container_id))).all()
    assert {row.dose_id: row.container_id for row in found} == {
        only.id: strong,
        exact.id: one,
        nobody.id: None,
        late.id: one,
    }


async def test_nothing_of_the_books_can_be_changed_or_taken_out(connection: AsyncConnection) -> None:
    store = await storeroom(connection)
    bottle, _ = await in_use(store)
    await store.here.give(await store.here.order())
    await store.waste(bottle)
    tables = {
        name: table
        for name, table in complete().tables.items()
        if name.removeprefix("clinic.").startswith(("stock_", "station"))
    }
    assert len(tables) >= 11
    for table in tables.values():
        await refused(connection, delete(table), says="permission denied")
        column = next(column for column in table.c if column.name in BY_WHOM)
        await refused(connection, update(table).values({column.name: new_id()}), says="permission denied")


async def test_a_use_ends_once_and_a_container_closes_once(connection: AsyncConnection) -> None:
    store = await storeroom(connection)
    bottle, station = await in_use(store, "10")
    later = MORNING + timedelta(hours=1)
    use = update(stock.stock_use).where(stock.stock_use.c.container_id == bottle)
    begun_earlier = Range(MORNING - DAY, later)
    by = store.here.nurse.id
    await refused(connection, use.values(period=begun_earlier, ended_by=by), says="stock_use_ends_once|only the end")
    await store.put_away(bottle, now=later)
    again = use.values(period=Range(MORNING, later + DAY), ended_by=by)
    await refused(connection, again, says="stock_use_ends_once|only the end")
    waste = await store.waste(bottle, "10")
    await store.close(bottle)
    closed = update(stock.stock_container).where(stock.stock_container.c.id == bottle)
    await refused(connection, closed.values(closed_at=None, closed_by=None), says="closed")
    await store.withdraw(waste.id)
    [found] = (await store.standing()).discrepancies(day=TODAY, now=MORNING)
    assert (found.kind, found.container, found.amount_mg) == (Wrong.NOT_EMPTY, bottle, Decimal(10))
    assert station is not None


async def test_one_person_cannot_be_both(connection: AsyncConnection) -> None:
    store = await storeroom(connection)
    bottle, _ = await in_use(store)
    waste = await store.waste(bottle)
    count = await store.count(bottle, "990")
    signature = (await connection.execute(select(stock_acts.stock_count.c.signature_id))).scalar_one()
    nurse = store.here.nurse.id
    witnessed = {"waste_id": waste.id, "verdict": "witnessed", "settled_at": MORNING, "signature_id": signature}
    settled, confirmed = stock_acts.stock_waste_settled, stock_acts.stock_count_confirmed

    own = insert(settled).values(**witnessed, handled_by=nurse, settled_by=nurse)
    await refused(connection, own, says="signature_of_its_record|another person")
    pretended = insert(settled).values(**witnessed, handled_by=store.here.colleague.id, settled_by=nurse)
    await refused(connection, pretended, says="another person|fkey")
    unsigned = witnessed | {"signature_id": None}
    nobody = insert(settled).values(**unsigned, handled_by=nurse, settled_by=store.here.colleague.id)
    await refused(connection, nobody, says="witness_is_another")
    twice = insert(confirmed).values(
        count_id=count.id, counted_by=nurse, confirmed_by=nurse, confirmed_at=MORNING, signature_id=signature
    )
    await refused(connection, twice, says="by_another")
    await store.count(bottle, "991")
    await refused(
        connection,
        insert(confirmed).values(
            count_id=count.id,
            counted_by=nurse,
            confirmed_by=store.here.colleague.id,
            confirmed_at=MORNING,
            signature_id=signature,
        ),
        says="another person|stock_count_newest|only the newest",
    )


async def test_what_moved_after_it_was_read_is_refused(connection: AsyncConnection) -> None:
    store = await storeroom(connection)
    bottle, _ = await in_use(store)
    seen = await store.read(bottle)
    await store.waste(bottle)

    assert (await store.read(bottle)).version > seen.version
    store.read = _always(seen)  # type: ignore[method-assign]  the page that somebody still looks at
    with pytest.raises(ContainerMoved):
        await store.count(bottle, "1000")


async def test_an_expired_bottle_in_use_and_a_waste_without_witness_must_be_explained(
    connection: AsyncConnection,
) -> None:
    store = await storeroom(connection)
    bottle, _ = await in_use(store)
    await store.waste(bottle)

    stock_now = await store.standing()

    assert stock_now.discrepancies(day=TODAY, now=MORNING) == []
    years_later = stock_now.discrepancies(day=TODAY.replace(year=2031), now=MORNING + 2 * DAY)
    assert [each.kind for each in years_later] == [Wrong.EXPIRED_IN_USE, Wrong.NOT_WITNESSED]


async def test_a_transaction_killed_between_dose_and_commit_leaves_neither(engine: AsyncEngine) -> None:
    """The dose and what it takes are one statement: there is no moment at which only one of them is there."""
    async with engine.begin() as connection:
        store = await storeroom(connection)
        bottle, _ = await in_use(store)
        order = await store.here.order()
    dose_id = DoseId(new_id())
    async with engine.connect() as connection:
        store.here.connection = connection
        await store.here.give(order, dose_id=dose_id)
        pid = (await connection.execute(text("select pg_backend_pid()"))).scalar_one()
        async with engine.connect() as other:
            await other.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises((DBAPIError, ConnectionError)):
            await connection.commit()
        await connection.invalidate()
    async with engine.connect() as connection:
        store.here.connection = connection
        assert await _kept(connection, dose_id) == (0, 0)
        assert await store.balance(bottle) == Decimal(1000)
    async with engine.begin() as connection:
        store.here.connection = connection
        await store.here.give(order, dose_id=dose_id)
    async with engine.connect() as connection:
        store.here.connection = connection
        assert await _kept(connection, dose_id) == (1, 1)
        assert await store.balance(bottle) == Decimal(940)


async def test_a_form_that_is_in_use_nowhere_is_taken_from_nowhere(connection: AsyncConnection) -> None:
    store = await storeroom(connection)
    await in_use(store)
    client = await store.here.another_client()
    dose = await store.here.give(await store.here.order(wish(form=Form.ORAL_CONCENTRATE), client=client))

    [nowhere] = (await store.standing()).unassigned

    assert (nowhere.dose, nowhere.form, nowhere.client) == (dose.id, Form.ORAL_CONCENTRATE, ClientId(client))


async def _kept(connection: AsyncConnection, dose_id: UUID) -> tuple[int, int]:
    doses = (await connection.execute(select(dose_table.c.id).where(dose_table.c.id == dose_id))).all()
    taken = (await connection.execute(select(stock_taking.c.line).where(stock_taking.c.dose_id == dose_id))).all()
    return len(doses), len(taken)


def _strength(mg: str) -> Any:
    return type(SOLUTION)(medicine=SOLUTION.medicine, form=SOLUTION.form, strength_mg=Decimal(mg))


def _always(answer: Any) -> Any:
    async def read(_: ContainerId) -> Any:
        return answer

    return read
