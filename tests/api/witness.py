"""Stands between every test and the service, and looks at each success: has it left the entry it must leave?

- A change leaves an entry. A read leaves one too, unless its route says why not and it showed nobody.
- The entry is durable when the answer arrives, and names everybody whom the answer shows; that of a read names nobody
  else.

Whom an answer shows is worked out from the answer alone: every id in it, or in the address that it answers, that is a
client's or of a record about one.
Whom an entry names is read in the log, where a client is a reference that only the client's own key makes.
"""

import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeGuard
from uuid import UUID

import anyio
import httpx
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from sqlalchemy import any_, bindparam, select, union
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from caseload.app import Application
from caseload.audit.leaf import Leaf, decode
from caseload.audit.tables import disclosure, log
from caseload.db.engine import make_engine
from caseload.db.tables.base import metadata
from caseload.request.asgi import Receive, Scope, Send
from caseload.request.gate import REQUEST
from caseload.request.work import Service
from caseload.settings import Secret, Settings

AN_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")

NAMES_MORE_THAN_IT_SHOWS: Mapping[str, str] = {
    "export_audit_log": "an export about one client is asked for by a body, and lays nobody open",
    "export_confidentiality_lines": "the same of the file that says what was done about confidentiality",
    "list_confidentiality_lines_of_client": "its records are shown by their ids, and whoever asks has asked about the client",
    "list_accesses": "whoever asks who saw a client has asked about the client, also where nothing is found",
}
"""Reads whose entry names people whose ids are not in the answer, with the reason."""

_IDS = any_(bindparam("ids", type_=ARRAY(Uuid())))
_CLIENT = metadata.tables["clinic.client"]
ABOUT_CLIENTS = union(
    select(_CLIENT.c.id).where(_CLIENT.c.id == _IDS),
    *(
        select(table.c.client_id).where(table.c.id == _IDS, table.c.client_id.is_not(None))
        for table in metadata.tables.values()
        if {"id", "client_id"} <= set(table.c.keys())
    ),
)
ENTRY = (
    select(log.c.leaf, disclosure.c.refs)
    .select_from(log.outerjoin(disclosure, disclosure.c.entry_id == log.c.entry_id))
    .where(log.c.entry_id == bindparam("entry"))
)


def operations_of(application: Application) -> Iterator[str]:
    """Every operation of the API by its name."""
    for route in application.litestar.routes:
        if isinstance(route, HTTPRoute):
            yield from (str(each.operation_id) for each in route.route_handlers if is_operation(each))


def is_operation(handler: object) -> TypeGuard[HTTPRouteHandler]:
    """Whether it was declared as one (`api/route.py`): it is not a page, a file or what Litestar adds of its own."""
    return isinstance(handler, HTTPRouteHandler) and "event" in handler.opt


@dataclass
class Witness:
    """The application as the tests call it."""

    application: Application
    service: Service
    outside: AsyncConnection
    """Sees everything that is committed, and all of it."""
    answered: dict[str, Scope] = field(default_factory=dict[str, Scope])
    """Requests that were carried out and whose answers have not been looked at, by their ids."""
    looked_at: set[str] = field(default_factory=set[str])
    """Operations of which a success has been looked at."""
    _one_by_one: anyio.Lock = field(default_factory=anyio.Lock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and remember what became of it."""
        await self.application(scope, receive, send)
        self.answered[str(scope[REQUEST])] = scope

    async def look(self, answer: httpx.Response) -> None:
        """Look at an answer before whoever asked gets it. Raises `AssertionError`."""
        handler = self.answered.pop(answer.headers["request-id"]).get("route_handler")
        if not answer.is_success or not is_operation(handler):
            return
        await answer.aread()
        what = f"{handler.operation_id} ({answer.status_code})"
        async with self._one_by_one:
            shown = await self._shown_in(answer)
            entry = answer.headers.get("audit-entry")
            named = None if entry is None else await self._named_in(UUID(entry), answer, what)
        if named is None:
            may_leave_none = "public" in handler.opt or (handler.opt["unaudited"] and not handler.opt["writes"])
            assert may_leave_none, f"{what} left no entry"
            assert not shown, f"{what} shows people and left no entry: {set(shown.values())}"
        else:
            missing = {client for reference, client in shown.items() if reference not in named}
            assert not missing, f"{what} shows people whom its entry does not name: {missing}"
            if not handler.opt.get("writes") and handler.operation_id not in NAMES_MORE_THAN_IT_SHOWS:
                assert len(named) == len(shown), f"{what} names {len(named)} people and shows {len(shown)}"
        self.looked_at.add(str(handler.operation_id))

    async def _named_in(self, entry: UUID, answer: httpx.Response, what: str) -> set[bytes]:
        """The references of those whom the entry names."""
        rows = (await self.outside.execute(ENTRY, {"entry": entry})).all()
        assert len(rows) == 1, f"the entry of {what} is not durable"
        leaf: Leaf = decode(rows[0].leaf)
        assert (leaf.st, leaf.req) == (answer.status_code, answer.headers["request-id"]), what
        named = set[bytes](rows[0].refs or ())
        assert len(named) == (leaf.subj.n if leaf.subj else 0), f"{what}: the leaf and what lies beside it differ"
        return named

    async def _shown_in(self, answer: httpx.Response) -> dict[bytes, UUID]:
        """Whom the answer shows, by the references that the log has for them."""
        ids = {UUID(found) for found in AN_ID.findall(f"{answer.url.path} {answer.text}")}
        clients: Sequence[UUID] = (await self.outside.execute(ABOUT_CLIENTS, {"ids": list(ids)})).scalars().all()
        keys = (await self.service.trail.keys.of(self.outside, (), asked=clients)).keys
        return {keys[client].reference if client in keys else client.bytes: client for client in clients}


@asynccontextmanager
async def standing_before(application: Application, owner_url: str) -> AsyncGenerator[Witness]:
    """A witness with a connection of its own, past every privilege."""
    assert application.service is not None
    engine = make_engine(Settings(database_url=Secret(owner_url)), application_name="witness")
    async with engine.connect() as opened:
        outside = await opened.execution_options(isolation_level="AUTOCOMMIT")
        yield Witness(application, application.service, outside)
    await engine.dispose()
