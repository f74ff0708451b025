"""Alerts in PostgreSQL: the row of an alert settles who raises it, and its task is kept after it."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.care_task import KeptCareTasks
from caseload.db.outreach import named_for
from caseload.db.tables.alert import consent_alert, release_alert
from caseload.domain.care_task import CareTask
from caseload.domain.disclosure import Disclosure
from caseload.domain.ids import ClientId, ConsentId, DisclosureId, StaffId
from caseload.domain.journal import Journal

_IDS: Final = any_(bindparam("ids", type_=ARRAY(Uuid())))
_NAMED = select(named_for(bindparam("client", type_=Uuid())))
_OF_CONSENTS = select(consent_alert.c.consent_id, consent_alert.c.step).where(consent_alert.c.consent_id == _IDS)
_OF_RELEASES = select(release_alert.c.disclosure_id).where(release_alert.c.disclosure_id == _IDS)
_RAISE_CONSENT = insert(consent_alert).on_conflict_do_nothing().returning(consent_alert.c.consent_id)
_RAISE_RELEASE = insert(release_alert).on_conflict_do_nothing().returning(release_alert.c.disclosure_id)


class KeptAlerts:
    """Satisfies `domain.alert.Alerts`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._tasks = KeptCareTasks(connection, journal, now=now)
        self._now = now

    async def named_for(self, client: ClientId) -> StaffId | None:
        """See `domain.alert.Alerts.named_for`."""
        found = (await self._connection.execute(_NAMED, {"client": client, "at": self._now})).scalar_one()
        return None if found is None else StaffId(found)

    async def sees(self, staff: StaffId, client: ClientId) -> bool:
        """See `domain.alert.Alerts.sees`."""
        return await self._tasks.sees(staff, client)

    async def raised_of(self, consents: Collection[ConsentId]) -> Collection[tuple[ConsentId, int]]:
        """See `domain.alert.Alerts.raised_of`."""
        rows = await self._connection.execute(_OF_CONSENTS, {"ids": list(consents)})
        return {(ConsentId(row.consent_id), row.step) for row in rows}

    async def releases_raised(self, releases: Collection[DisclosureId]) -> Collection[DisclosureId]:
        """See `domain.alert.Alerts.releases_raised`."""
        rows = await self._connection.execute(_OF_RELEASES, {"ids": list(releases)})
        return {DisclosureId(row.disclosure_id) for row in rows}

    async def raise_of_consent(self, consent: ConsentId, step: int, task: CareTask | None) -> bool:
        """See `domain.alert.Alerts.raise_of_consent`."""
        row = {"consent_id": consent, "step": step, "task_id": None if task is None else task.id}
        first = (await self._connection.execute(_RAISE_CONSENT, {**row, "raised_at": self._now})).first() is not None
        if first and task is not None:
            await self._tasks.add(task)
        return first

    async def raise_of_release(self, release: Disclosure, task: CareTask) -> bool:
        """See `domain.alert.Alerts.raise_of_release`."""
        row = {"disclosure_id": release.id, "ground": release.ground, "task_id": task.id, "raised_at": self._now}
        first = (await self._connection.execute(_RAISE_RELEASE, row)).first() is not None
        if first:
            await self._tasks.add(task)
        return first
