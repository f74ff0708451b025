"""One piece of work: its pages become entries of one transaction, or none of them does."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from caseload.app import open_service
from caseload.audit.key_names import NAMED
from caseload.domain.ids import ClientId, new_id
from caseload.domain.people import the_command_line
from caseload.request.work import Service
from caseload.settings import Secret, Settings
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio


@pytest.fixture
async def service(throwaway_database: Addresses, tmp_path: Path) -> AsyncIterator[Service]:
    async with open_service(Settings(database_url=Secret(throwaway_database.service), data_dir=tmp_path)) as opened:
        yield opened


async def events(addresses: Addresses) -> list[str]:
    """What happened, in order, without the entries that name the keys of the service."""
    owner = await asyncpg.connect(addresses.owner)
    try:
        queued = await owner.fetch(
            "select event, entry_id from audit.queue union select event, entry_id from audit.entry order by 2"
        )
        return [entry["event"] for entry in queued if entry["event"] != NAMED]
    finally:
        await owner.close()


async def test_every_page_becomes_an_entry_of_its_own(service: Service, throwaway_database: Addresses) -> None:
    async with service.work(by=the_command_line(), event="book.written") as work:
        for chapter in ("book.first", "book.second"):
            work.journal.saw(ClientId(new_id()), "identity")
            await work.turn_page(chapter)
        await work.turn_page("book.empty")
    assert await events(throwaway_database) == ["book.first", "book.second", "book.written"]


async def test_what_is_given_up_leaves_none_of_its_pages(service: Service, throwaway_database: Addresses) -> None:
    async def give_up() -> None:
        async with service.work(by=the_command_line(), event="book.written") as work:
            work.journal.saw(ClientId(new_id()), "identity")
            await work.turn_page("book.first")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await give_up()
    async with service.work(by=the_command_line(), event="book.after"):
        pass
    assert await events(throwaway_database) == ["book.written", "book.after"]
