"""The composition root: the one module that knows all the others."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig

import caseload
from caseload import settings as settings_of
from caseload.api import appointment as appointment_routes
from caseload.api import attendance as attendance_routes
from caseload.api import audit_log as audit_routes
from caseload.api import caseload as caseload_routes
from caseload.api import checkin as checkin_routes
from caseload.api import client as client_routes
from caseload.api import consent as consent_routes
from caseload.api import dispensing as dispensing_routes
from caseload.api import dosing as dosing_routes
from caseload.api import family as family_routes
from caseload.api import history as history_routes
from caseload.api import medication as medication_routes
from caseload.api import people as people_routes
from caseload.api import profiles as profiles_routes
from caseload.api import programme as programme_routes
from caseload.api import signoff as signoff_routes
from caseload.api import summary as summary_routes
from caseload.api.problems import HANDLERS
from caseload.api.route import acceptable, admitted
from caseload.api.work import piece_of_work, request_key
from caseload.request.gate import App, Gate, Receive, Scope, Send
from caseload.request.service import open_service
from caseload.request.work import Service
from caseload.settings import Settings

LARGEST_BODY = 1_000_000
"""Bytes of a request body; the largest we ask for, a register of 200 people, has a tenth of it."""

ROUTERS = (
    *people_routes.routers,
    audit_routes.router,
    programme_routes.router,
    profiles_routes.router,
    client_routes.router,
    summary_routes.router,
    caseload_routes.router,
    checkin_routes.router,
    attendance_routes.router,
    appointment_routes.router,
    family_routes.router,
    consent_routes.router,
    medication_routes.router,
    dosing_routes.router,
    dispensing_routes.router,
    signoff_routes.router,
    history_routes.router,
)


class Application:
    """The ASGI application: Litestar behind the gate, with the service it works on."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.service: Service | None = None
        self.litestar = _litestar(self._lifespan)
        self._gate = Gate(_asgi(self.litestar), self._service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request through."""
        await self._gate(scope, receive, send)

    def _service(self) -> Service:
        if self.service is None:
            message = "a request came before the start was complete"
            raise RuntimeError(message)
        return self.service

    @asynccontextmanager
    async def _lifespan(self, _: Litestar) -> AsyncGenerator[None, None]:
        async with open_service(self.settings) as service:
            self.service = service
            yield


def _asgi(app: Litestar) -> App:
    return app  # type: ignore[return-value]


def _litestar(lifespan: Callable[[Litestar], AbstractAsyncContextManager[None]]) -> Litestar:
    return Litestar(
        route_handlers=[Router("/api/v1", route_handlers=list(ROUTERS))],
        dependencies={
            "work": Provide(piece_of_work),
            "key": Provide(request_key),
        },
        guards=[admitted],
        before_request=acceptable,
        exception_handlers=HANDLERS,
        lifespan=[lifespan],
        request_max_body_size=LARGEST_BODY,
        openapi_config=OpenAPIConfig(
            title="caseload",
            version=caseload.__version__,
            description="The working record of an opioid aftercare programme.",
        ),
        logging_config=None,
        pdb_on_exception=False,
        debug=False,
    )


def create_app() -> Application:
    """What the server loads: reads the settings from the environment."""
    return Application(settings_of.load())
