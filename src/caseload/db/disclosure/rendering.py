"""What a document that leaves says from the record, kind by kind: what is asked for, and nothing beside it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.appointment import Appointments
from caseload.db.attendance import Attendances
from caseload.db.disclosure.kept import AFTER_ALL
from caseload.db.disclosure.session_records import session_records
from caseload.db.dosing import HandingOn
from caseload.db.escalation import Escalations
from caseload.db.flag import KeptFlags
from caseload.db.note import NoteList
from caseload.db.screening import KeptScreens
from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.consent import Category
from caseload.domain.dosing import NothingToHandOn, last_dose
from caseload.domain.journal import Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme
from caseload.domain.screening import Sample

MOST: Final = 100
"""Sessions, screens or warnings in one document: the newest."""


class Rendered:
    """Satisfies `domain.disclosure.Rendering`. Whoever asks has been let through to the client before."""

    def __init__(self, connection: AsyncConnection, journal: Journal, programme: Programme, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._programme = programme
        self._now = now

    async def rendered(self, client: Client, category: Category, *, by: Staff, since: datetime | None) -> object:
        """See `domain.disclosure.Rendering.rendered`."""
        write = {
            Category.PRESENCE: self._presence,
            Category.ATTENDANCE: self._attendance,
            Category.APPOINTMENTS: self._appointments,
            Category.MEDICATION: self._medication,
            Category.TAKE_HOME: self._take_home,
            Category.DRUG_SCREENS: self._drug_screens,
            Category.RISK: self._risk,
            Category.SESSION_RECORDS: self._session_records,
        }[category]
        return await write(client, by, since)

    async def _presence(self, client: Client, by: Staff, since: datetime | None) -> object:
        del client, by, since
        return {"is_a_client_of": self._programme.name}

    async def _attendance(self, client: Client, by: Staff, since: datetime | None) -> object:
        kept = Attendances(self._connection, self._journal, now=self._now)
        attended = await kept.of_client(client.id, reach=by.reach(Act.SEE_SESSIONS), after=None, limit=MOST)
        return [
            {"day": self._day(each.started_at), "status": each.status.value, "minutes": each.minutes}
            for each in attended
            if _is_told(each.started_at, since)
        ]

    async def _appointments(self, client: Client, by: Staff, since: datetime | None) -> object:
        del since
        kept = Appointments(self._connection, self._journal, now=self._now)
        coming = await kept.coming(client.id, reach=by.reach(Act.SEE_APPOINTMENTS), limit=MOST)
        return [
            {"at": each.starts_at.astimezone(self._programme.zone).isoformat(timespec="minutes")} for each in coming
        ]

    async def _medication(self, client: Client, by: Staff, since: datetime | None) -> object:
        del since
        told = await self._last_dose(client, by)
        return {name: value for name, value in told.items() if name != "take_homes"}

    async def _take_home(self, client: Client, by: Staff, since: datetime | None) -> object:
        del since
        return (await self._last_dose(client, by)).get("take_homes", [])

    async def _last_dose(self, client: Client, by: Staff) -> Mapping[str, object]:
        kept = HandingOn(self._connection, self._journal, now=self._now)
        record = await kept.record(client.id, by=by, act=Act.SEE_MEDICATION)
        try:
            return (await last_dose(record, self._now, kept)).content
        except NothingToHandOn:
            return {"medicine": None}

    async def _drug_screens(self, client: Client, by: Staff, since: datetime | None) -> object:
        del by
        kept = await KeptScreens(self._connection, self._journal).of(client.id, after=None, limit=MOST)
        samples = [each.sample for each in kept if each.sample is not None]
        return [self._screen(sample) for sample in samples if _is_told(sample.collected_at, since)]

    def _screen(self, sample: Sample) -> Mapping[str, object]:
        return {
            "day": self._day(sample.collected_at),
            "refused": sample.refused,
            "results": [f"{each.substance}: {each.finding} ({each.method})" for each in sample.results],
            "expected_medicine": None if sample.expected is None else sample.expected.value,
        }

    async def _risk(self, client: Client, by: Staff, since: datetime | None) -> object:
        del by, since
        today: date = self._programme.today(self._now)
        flags = await KeptFlags(self._connection, self._journal).of(client.id)
        raised = await Escalations(self._connection, self._journal, now=self._now).of_client(
            client.id, after=AFTER_ALL, limit=MOST
        )
        return {
            "see_first": [f"{each.said.kind}: {each.said.what}" for each in flags if each.is_shown_on(today)],
            "escalated": [{"day": self._day(each.raised_at), "ground": each.ground.value} for each in raised],
        }

    async def _session_records(self, client: Client, by: Staff, since: datetime | None) -> object:
        kept = NoteList(self._connection, self._journal, now=self._now)
        notes = await kept.of_client(client.id, by=by, after=None, limit=MOST)
        told = [each for each in await session_records(self._connection, notes) if _is_told(each[0], since)]
        return {
            "records": [{"day": self._day(at), "text": text} for at, text in told if text is not None],
            "left_out_because_they_name_somebody_else": sum(text is None for _, text in told),
        }

    def _day(self, at: datetime) -> str:
        return str(self._programme.today(at))


def _is_told(at: datetime, since: datetime | None) -> bool:
    return since is None or at > since
