"""Caseloads in the tables: what lies outside somebody's reach looks as if it were not there."""

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.caseload import Caseloads
from caseload.domain.access import Reach
from caseload.domain.caseload import EpisodeUnknown, HandoverCallUnknown
from caseload.domain.ids import ClientId, EpisodeId, HandoverId, StaffId, new_id
from caseload.domain.journal import Event
from tests.factories.people import NOW

pytestmark = pytest.mark.anyio

NOBODY = Reach(staff=StaffId(new_id()), everyone_in=frozenset(), caseload_in=frozenset(), any_by_identifier=False)


class Silence:
    """A journal that must not be told anything."""

    def saw(self, client: ClientId, kind: str) -> None:
        pytest.fail(f"{kind} of {client} was shown")

    def tell(self, event: Event) -> None:
        pytest.fail(f"{event.name} was told")


async def test_what_is_not_within_reach_is_unknown_and_shows_nobody(connection: AsyncConnection) -> None:
    kept, wanted = Caseloads(connection, Silence(), now=NOW), new_id()
    with pytest.raises(EpisodeUnknown, match="Check the identifier"):
        await kept.episode(EpisodeId(wanted), reach=NOBODY)
    with pytest.raises(EpisodeUnknown):
        await kept.responsibility(wanted, reach=NOBODY)
    with pytest.raises(EpisodeUnknown):
        await kept.cover(wanted, reach=NOBODY)
    with pytest.raises(HandoverCallUnknown, match="Use the identifier"):
        await kept.call(HandoverId(wanted), reach=NOBODY)
