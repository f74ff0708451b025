"""What has been brought in before, and who is known: asked before any more is kept."""

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import bindparam, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db import locks
from caseload.db.client import LIKE_ENOUGH
from caseload.db.tables.caseload import client_identifier, client_identity
from caseload.db.tables.dosing import dose
from caseload.db.tables.history import client_history, history_drug_screen, history_replaced_dose, history_visit
from caseload.domain.client import IdentifierKind
from caseload.domain.dosing import Kind
from caseload.domain.history import ClientRow, Outcome
from caseload.domain.history.bringing_in import Known
from caseload.domain.history.comparing import Kept, VisitKey, VisitSource
from caseload.domain.ids import ClientId, HistoryId
from caseload.domain.medicines import Form, Medicine

_newer = client_history.alias("newer")
_later = history_visit.alias("later")

_IS_NEWEST = ~exists().where(
    _newer.c.source == client_history.c.source,
    _newer.c.external_id == client_history.c.external_id,
    _newer.c.number > client_history.c.number,
)
_OF_SOURCE = select(
    client_history.c.external_id, client_history.c.client_id, client_history.c.number, client_history.c.content
).where(client_history.c.source == bindparam("source"), _IS_NEWEST)
_ONE_OF_SOURCE = _OF_SOURCE.where(client_history.c.external_id == bindparam("external_id"))


_FROM_ELSEWHERE = ~exists().where(
    client_history.c.client_id == client_identity.c.client_id, client_history.c.source == bindparam("source")
)
_KNOWN_ELSEWHERE = select(
    or_(
        exists().where(
            client_identity.c.birth_date == bindparam("birth_date"),
            func.similarity(client_identity.c.whole_name, func.lower(bindparam("name"))) >= LIKE_ENOUGH,
            _FROM_ELSEWHERE,
        ),
        exists().where(
            client_identifier.c.kind == IdentifierKind.BROUGHT_IN,
            func.lower(client_identifier.c.value) == func.lower(bindparam("external_id")),
        ),
    )
)

_KEPT_DOSES = (
    select(dose.c.dosing_day, dose.c.medicine, dose.c.form, dose.c.amount_mg)
    .join(client_history, client_history.c.id == dose.c.source_id)
    .where(
        dose.c.client_id == bindparam("client"),
        dose.c.kind == Kind.BROUGHT_IN,
        client_history.c.source == bindparam("source"),
    )
    .union_all(
        select(
            history_replaced_dose.c.given_on,
            history_replaced_dose.c.medicine,
            history_replaced_dose.c.form,
            history_replaced_dose.c.amount_mg,
        )
        .join(client_history, client_history.c.id == history_replaced_dose.c.history_id)
        .where(history_replaced_dose.c.client_id == bindparam("client"), client_history.c.source == bindparam("source"))
    )
)
_KEPT_VISITS = (
    select(
        history_visit.c.history_id,
        history_visit.c.line,
        history_visit.c.scheduled_on,
        history_visit.c.label,
        history_visit.c.status,
        history_visit.c.reason,
    )
    .join(client_history, client_history.c.id == history_visit.c.history_id)
    .where(
        history_visit.c.client_id == bindparam("client"),
        client_history.c.source == bindparam("source"),
        ~exists().where(
            _later.c.replaces_history_id == history_visit.c.history_id,
            _later.c.replaces_line == history_visit.c.line,
        ),
    )
    .order_by(history_visit.c.history_id, history_visit.c.line)
)
_KEPT_SCREENS = (
    select(history_drug_screen.c.collected_on, history_drug_screen.c.substance, history_drug_screen.c.result)
    .join(client_history, client_history.c.id == history_drug_screen.c.history_id)
    .where(history_drug_screen.c.client_id == bindparam("client"), client_history.c.source == bindparam("source"))
)


class KnownHistories:
    """What `domain.history.bringing_in.Histories` asks of what is there."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_source(self, source: str) -> Mapping[str, Known]:
        """Everybody who was brought in from a source, by the identifier that they have there."""
        rows = await self._connection.execute(_OF_SOURCE, {"source": source})
        return {
            row.external_id: Known(client=ClientId(row.client_id), number=row.number, content=row.content)
            for row in rows
        }

    async def lock(self, source: str, external_id: str) -> Known | None:
        """See `Histories.lock`."""
        await locks.hold(self._connection, f"history {source} {external_id}")
        found = await self._connection.execute(_ONE_OF_SOURCE, {"source": source, "external_id": external_id})
        row = found.first()
        if row is None:
            return None
        return Known(client=ClientId(row.client_id), number=row.number, content=row.content)

    async def known_elsewhere(self, person: ClientRow, source: str) -> bool:
        """See `Histories.known_elsewhere`. Nobody is shown, so nobody is noted as seen."""
        identity = person.identity
        found = await self._connection.execute(
            _KNOWN_ELSEWHERE,
            {
                "birth_date": identity.birth_date,
                "name": f"{identity.given_name} {identity.family_name}",
                "external_id": person.external_id,
                "source": source,
            },
        )
        return bool(found.scalar_one())

    async def kept_of(self, client: ClientId, source: str) -> Kept:
        """See `Histories.kept_of`."""
        wanted = {"client": client, "source": source}
        doses = Counter(
            (row.dosing_day, Medicine(row.medicine), Form(row.form), row.amount_mg)
            for row in await self._connection.execute(_KEPT_DOSES, wanted)
        )
        visits: dict[VisitKey, list[VisitSource]] = {}
        for row in await self._connection.execute(_KEPT_VISITS, wanted):
            key = (row.scheduled_on, row.label, Outcome(row.status), row.reason)
            visits.setdefault(key, []).append(VisitSource(history=HistoryId(row.history_id), line=row.line))
        screens = Counter(
            (row.collected_on, row.substance, row.result)
            for row in await self._connection.execute(_KEPT_SCREENS, wanted)
        )
        return Kept(doses=doses, visits=visits, screens=screens)
