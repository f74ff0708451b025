"""Where the window keeps its record, for one piece of work, and which day it is for a client."""

from datetime import date

from caseload.db.programme import Programmes
from caseload.db.window import LostDoses, WindowRecords
from caseload.domain.client import Client
from caseload.request.work import Work


def records(work: Work) -> WindowRecords:
    """Excusals, messages and photographs."""
    return WindowRecords(work.connection, work.journal)


def lost_doses(work: Work) -> LostDoses:
    """Doses that came back or were spilled, and what was decided about them."""
    return LostDoses(work.connection, work.journal, now=work.now)


async def today_of(client: Client, work: Work) -> date:
    """The local day of the client's home programme."""
    return (await Programmes(work.connection).get(client.programme)).today(work.now)
