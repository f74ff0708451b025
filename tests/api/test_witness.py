"""Those who look at what every other test leaves see it when something is wrong."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from litestar import Router
from litestar.params import FromPath
from sqlalchemy import text

from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.app import ROUTERS, Application
from caseload.domain.access import Act, Role
from caseload.domain.ids import ClientId
from caseload.settings import Secret, Settings
from tests.api.conftest import Clinic, Person
from tests.api.whole_log import faults_in_log
from tests.api.witness import standing_before
from tests.looked_at import verdict
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio


class ShownOut(Wire, frozen=True, kw_only=True):
    id: UUID


# Routes that do what none of ours may do.


@reading("/test/silent/{shown:uuid}", act=Act.KNOW_MYSELF, name="test_silent")
async def shows_and_names_nobody(shown: FromPath[UUID], work: TheWork) -> ShownOut:
    return ShownOut(id=shown)


@reading("/test/hidden/{shown:uuid}", act=Act.KNOW_MYSELF, name="test_hidden", unaudited="of a test")
async def shows_and_leaves_no_entry(shown: FromPath[UUID], work: TheWork) -> ShownOut:
    return ShownOut(id=shown)


@reading("/test/talkative/{shown:uuid}/{other:uuid}", act=Act.KNOW_MYSELF, name="test_talkative")
async def names_more_than_it_shows(shown: FromPath[UUID], other: FromPath[UUID], work: TheWork) -> None:
    for each in (shown, other, uuid4()):
        work.journal.saw(ClientId(each), "identity")


@reading("/test/right/{shown:uuid}", act=Act.KNOW_MYSELF, name="test_right")
async def names_whom_it_shows(shown: FromPath[UUID], work: TheWork) -> ShownOut:
    work.journal.saw(ClientId(shown), "identity")
    return ShownOut(id=shown)


OF_THE_TEST = [shows_and_names_nobody, shows_and_leaves_no_entry, names_more_than_it_shows, names_whom_it_shows]


@pytest.fixture
async def clinic(throwaway_database: Addresses, tmp_path: Path) -> AsyncIterator[Clinic]:
    """A service of the test's own, with the routes above."""
    settings = Settings(database_url=Secret(throwaway_database.service), data_dir=tmp_path)
    application = Application(settings, routers=[*ROUTERS, Router("/", route_handlers=OF_THE_TEST)])
    async with application.litestar.lifespan(), standing_before(application, throwaway_database.owner) as witness:
        yield Clinic(application, witness.service, throwaway_database, witness)


async def registered(clinic: Clinic) -> tuple[Person, str]:
    """A nurse, and a client whom they have registered."""
    programme = await clinic.programme()
    nurse = await clinic.person((Role.NURSE, programme))
    identity = {"given_name": "Ada", "family_name": uuid4().hex, "birth_date": "1984-02-29"}
    made = await nurse.post("/clients", {"programme_id": str(programme), "identity": identity})
    return nurse, made.json()["id"]


async def test_an_answer_whose_entry_names_exactly_whom_it_shows_passes(clinic: Clinic) -> None:
    nurse, client = await registered(clinic)

    assert (await nurse.get(f"/test/right/{client}")).json() == {"id": client}
    assert clinic.witness is not None
    assert {"register_client", "test_right"} <= clinic.witness.looked_at


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/test/silent/{client}", "shows people whom its entry does not name"),
        ("/test/hidden/{client}", "shows people and left no entry"),
        ("/test/talkative/{client}/{client}", "names 2 people and shows 1"),
    ],
)
async def test_an_answer_that_shows_others_than_its_entry_names_is_caught(clinic: Clinic, path: str, says: str) -> None:
    nurse, client = await registered(clinic)

    with pytest.raises(AssertionError, match=says):
        await nurse.get(path.format(client=client))


WITHOUT_GUARDS = """
do $$ declare guard name; begin
    for guard in select evtname from pg_event_trigger loop
        execute format('alter event trigger %I disable', guard);
    end loop;
end $$
"""


async def test_a_whole_log_has_no_faults_until_somebody_touches_it(clinic: Clinic) -> None:
    nurse, client = await registered(clinic)
    shown = await nurse.get(f"/clients/{client}")
    assert clinic.witness is not None
    outside, entry = clinic.witness.outside, UUID(shown.headers["audit-entry"])
    assert await faults_in_log(outside, clinic.service) == []

    # Whoever owns the server can take even the triggers away.
    await outside.execute(text(WITHOUT_GUARDS))
    await outside.execute(text("alter table audit.queue disable trigger all"))
    await outside.execute(text("alter table audit.disclosure disable trigger all"))
    for change, fault in {
        "update audit.queue set actor = 'system' where entry_id = :entry": "the columns do not say",
        "update audit.queue set leaf = leaf || '\\x20'::bytea where entry_id = :entry": "not canonical",
        "update audit.disclosure set sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) where entry_id = :entry":
            "cannot be opened",
        "delete from audit.queue where entry_id = :entry": "missing without a word",
    }.items():  # fmt: skip
        await outside.execute(text(change), {"entry": entry})
        assert any(fault in told for told in await faults_in_log(outside, clinic.service)), fault


def test_an_operation_that_nobody_saw_succeed_is_told_and_so_is_every_stale_exception() -> None:
    said = list(
        verdict({"read_me", "list_staff", "sign_in"}, {"read_me"}, {"read_me": "-", "gone": "-", "sign_in": "-"})
    )

    assert [line.partition(":")[0] for line in said] == ["list_staff", "read_me", "gone"]
