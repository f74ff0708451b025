"""Copies as they are kept: no table of the record is forgotten, and what the database itself refuses."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.recordcopy import LEFT_OUT, SOURCES
from caseload.db.recordcopy.reading import _columns
from caseload.db.tables.base import complete
from caseload.db.tables.recordcopy import record_copy, record_copy_decision, record_copy_entry, record_copy_release
from caseload.db.tables.rights import rights_request
from caseload.domain.ids import new_id
from caseload.domain.recordcopy import Labels, labels
from tests.factories import clients, people
from tests.factories.people import NOW

pytestmark = pytest.mark.anyio


def _about_clients() -> set[str]:
    """Every table that names a client, or refers to one that does."""
    tables = {table.name: table for table in complete().tables.values() if table.schema == "clinic"}
    about = {"client"}
    while True:
        more = {
            name
            for name, table in tables.items()
            if "client_id" in table.c or about & {key.column.table.name for key in table.foreign_keys}
        }
        if more <= about:
            return about
        about |= more


def test_every_table_about_a_client_is_in_the_copy_or_left_out_for_a_reason() -> None:
    in_it = {each.name for each in SOURCES}
    forgotten = sorted(_about_clients() - in_it - LEFT_OUT.keys())
    assert not forgotten, f"{forgotten}: add each to SOURCES of db/recordcopy/sources.py, or say in LEFT_OUT why not."
    assert not in_it & LEFT_OUT.keys()
    assert not (in_it | LEFT_OUT.keys()) - _about_clients(), "what no table is called any more"


def test_every_table_and_column_of_a_copy_has_a_label_and_no_label_is_left_over() -> None:
    known = labels()
    said = {
        each.name: {column.name for column in _columns(each.table)} | set(each.beside or {})
        for each in SOURCES
        if not each.is_apart
    }
    tables, columns = {each.name for each in SOURCES}, set[str]().union(*said.values())
    where = "src/caseload/domain/recordcopy/labels.toml"
    assert not tables - known.tables.keys(), f"Say in {where} what these are called: {tables - known.tables.keys()}"
    assert not columns - known.columns.keys(), f"Say in {where} what these are called: {columns - known.columns.keys()}"
    assert not known.tables.keys() - tables, "what no table is called any more"
    assert not known.columns.keys() - columns, "what no column is called any more"
    for name, own in known.of.items():
        assert own.keys() <= said[name], f"{name} has no such column: {own.keys() - said[name]}"
    for label in (
        *known.tables.values(),
        *known.columns.values(),
        *(each for own in known.of.values() for each in own.values()),
    ):
        assert label[:1].isupper(), label
        assert "_" not in label, label


def test_what_has_no_label_yet_is_called_by_its_bare_words() -> None:
    none = Labels(tables={}, columns={"says": "What it says"}, of={"rights_answer": {"says": "What you were told"}})
    assert none.table("rights_answer") == "rights answer"
    assert none.column("told_on", of="rights_answer") == "told on"
    assert [none.column("says", of=table) for table in ("rights_answer", "care_task")] == [
        "What you were told",
        "What it says",
    ]


@dataclass(frozen=True)
class Kept:
    connection: AsyncConnection
    copy: UUID
    request: UUID
    officer: UUID

    async def entry(self, **changes: Any) -> UUID:
        new = new_id()
        given = {"section": "doses", "kind": "dose", "content": "{}", "held_for": None, **changes}
        await self.connection.execute(insert(record_copy_entry).values(id=new, copy_id=self.copy, **given))
        return new

    async def decide(self, entry: UUID, *, reason: str | None = None, leaves: bool = True) -> None:
        async with self.connection.begin_nested():
            await self.connection.execute(
                insert(record_copy_decision).values(
                    copy_id=self.copy,
                    entry_id=entry,
                    leaves=leaves,
                    reason=reason,
                    note="They agree.",
                    decided_by=self.officer,
                    decided_at=NOW,
                )
            )

    async def release(self, **changes: Any) -> None:
        given = {"entries": 1, "withheld": 0, "unsaid": 0, "later": 0, **changes}
        async with self.connection.begin_nested():
            await self.connection.execute(
                insert(record_copy_release).values(
                    copy_id=self.copy,
                    request_id=self.request,
                    to_representative=False,
                    manner="post",
                    detail="To the address on file.",
                    sha256=bytes(32),
                    released_by=self.officer,
                    released_at=NOW,
                    **given,
                )
            )


@pytest.fixture
async def kept(connection: AsyncConnection) -> Kept:
    programme = await people.programme(connection)
    officer = await people.bystander(connection)
    client = await clients.in_care(connection, programme=programme, counsellor=officer)
    request, copy = new_id(), new_id()
    await connection.execute(
        insert(rights_request).values(
            id=request,
            client_id=client.id,
            programme_id=programme,
            kind="record_copy",
            says="All of it.",
            received_at=NOW,
            received_on=NOW.date(),
            check_method="in_person",
            is_self_paid=False,
            rule="US-1/us.rights.record_copy",
            due_on=NOW.date() + timedelta(days=30),
            recorded_by=officer,
            recorded_at=NOW,
        )
    )
    await connection.execute(
        insert(record_copy).values(
            id=copy,
            request_id=request,
            kind="record_copy",
            client_id=client.id,
            prepared_by=officer,
            prepared_at=NOW,
        )
    )
    return Kept(connection, copy, request, officer)


async def test_no_copy_leaves_while_an_entry_waits_and_nothing_is_added_afterwards(kept: Kept) -> None:
    plain = await kept.entry()
    held = await kept.entry(held_for="in_confidence")
    await kept.entry(held_for="counselling_note", content=None)
    with pytest.raises(IntegrityError, match="wait for a decision"):
        await kept.release()
    await kept.decide(held)
    await kept.release()
    with pytest.raises(IntegrityError, match="has been released"):
        await kept.decide(plain)
    with pytest.raises(IntegrityError, match="has been released"):
        await kept.entry()


async def test_what_lies_apart_holds_nothing_and_is_never_let_go(kept: Kept) -> None:
    apart = await kept.entry(held_for="counselling_note", content=None)
    with pytest.raises(IntegrityError, match="lies apart"):
        await kept.decide(apart)
    with pytest.raises(IntegrityError, match="apart_is_empty"):
        await kept.entry(held_for="counselling_note")


async def test_an_entry_is_withheld_only_for_a_reason(kept: Kept) -> None:
    entry = await kept.entry()
    with pytest.raises(IntegrityError, match="withheld_for_a_reason"):
        await kept.decide(entry, leaves=False)


async def test_no_more_is_withheld_than_there_is(kept: Kept) -> None:
    with pytest.raises(IntegrityError, match="withheld"):
        await kept.release(entries=1, withheld=1, unsaid=1)
