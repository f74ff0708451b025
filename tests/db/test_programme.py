"""Programmes in PostgreSQL."""

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.programme import Programmes
from caseload.domain.ids import ProgrammeId, new_id
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import CodeTaken, Programme, ProgrammeUnknown
from tests.factories.people import NOW

pytestmark = pytest.mark.anyio


def a_programme(code: str) -> Programme:
    return Programme(
        id=ProgrammeId(new_id()),
        code=code,
        name="Five",
        time_zone="America/New_York",
        profiles=Selected("US-CA-BRIDGE"),
    )


async def test_an_opened_programme_is_found_and_listed(connection: AsyncConnection) -> None:
    programmes, opened = Programmes(connection), a_programme("OPENED-5")
    await programmes.add(opened, opened_at=NOW)
    assert await programmes.get(opened.id) == opened
    assert opened in await programmes.all()


async def test_a_code_is_one_programmes(connection: AsyncConnection) -> None:
    programmes = Programmes(connection)
    await programmes.add(a_programme("OPENED-5"), opened_at=NOW)
    with pytest.raises(CodeTaken):
        await programmes.add(a_programme("OPENED-5"), opened_at=NOW)


async def test_an_unknown_programme_is_said_to_be_unknown(connection: AsyncConnection) -> None:
    with pytest.raises(ProgrammeUnknown):
        await Programmes(connection).get(ProgrammeId(new_id()))
