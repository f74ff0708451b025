"""The composition root: the one module that knows all the others."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast

from litestar import Litestar, Router
from litestar.di import Provide

from caseload import settings as settings_of
from caseload.api import accessreport as accessreport_routes
from caseload.api import admission as admission_routes
from caseload.api import appointment as appointment_routes
from caseload.api import attendance as attendance_routes
from caseload.api import audit_log as audit_routes
from caseload.api import audit_tree as audit_tree_routes
from caseload.api import bundle as bundle_routes
from caseload.api import calendar_feed as calendar_feed_routes
from caseload.api import care_task as care_task_routes
from caseload.api import caseload as caseload_routes
from caseload.api import catalogue as catalogue_routes
from caseload.api import checkin as checkin_routes
from caseload.api import client as client_routes
from caseload.api import closure as closure_routes
from caseload.api import confidentiality as confidentiality_routes
from caseload.api import consent as consent_routes
from caseload.api import departure as departure_routes
from caseload.api import disclosure as disclosure_routes
from caseload.api import dispensing as dispensing_routes
from caseload.api import dosing as dosing_routes
from caseload.api import downtime as downtime_routes
from caseload.api import ecg as ecg_routes
from caseload.api import erasure as erasure_routes
from caseload.api import escalation as escalation_routes
from caseload.api import family as family_routes
from caseload.api import flag as flag_routes
from caseload.api import glass as glass_routes
from caseload.api import guest as guest_routes
from caseload.api import health as health_routes
from caseload.api import history as history_routes
from caseload.api import interim as interim_routes
from caseload.api import medication as medication_routes
from caseload.api import merge as merge_routes
from caseload.api import naloxone as naloxone_routes
from caseload.api import note as note_routes
from caseload.api import observation as observation_routes
from caseload.api import on_call as on_call_routes
from caseload.api import outreach as outreach_routes
from caseload.api import oversight as oversight_routes
from caseload.api import patient_notice as patient_notice_routes
from caseload.api import people as people_routes
from caseload.api import profiles as profiles_routes
from caseload.api import programme as programme_routes
from caseload.api import recordcopy as recordcopy_routes
from caseload.api import restriction as restriction_routes
from caseload.api import rights as rights_routes
from caseload.api import screening as screening_routes
from caseload.api import signature as signature_routes
from caseload.api import signoff as signoff_routes
from caseload.api import stock as stock_routes
from caseload.api import summary as summary_routes
from caseload.api import takehome as takehome_routes
from caseload.api import transfer as transfer_routes
from caseload.api import window as window_routes
from caseload.api.body import StrictRequest
from caseload.api.problems import HANDLERS
from caseload.api.route import let_in
from caseload.api.work import piece_of_work, request_key
from caseload.observability import configure, logger
from caseload.request.asgi import App, Receive, Scope, Send
from caseload.request.gate import Gate
from caseload.request.intake import Limits
from caseload.request.metrics import sample
from caseload.request.presence import present
from caseload.request.service import open_service
from caseload.request.watch import Watch
from caseload.request.work import Service
from caseload.settings import Settings
from caseload.web import pages

ROUTERS = (
    *people_routes.routers,
    audit_routes.router,
    confidentiality_routes.router,
    audit_tree_routes.router,
    accessreport_routes.router,
    oversight_routes.router,
    restriction_routes.router,
    rights_routes.router,
    recordcopy_routes.router,
    patient_notice_routes.router,
    glass_routes.router,
    ecg_routes.router,
    admission_routes.router,
    interim_routes.router,
    erasure_routes.router,
    bundle_routes.router,
    programme_routes.router,
    closure_routes.router,
    profiles_routes.router,
    catalogue_routes.router,
    client_routes.router,
    summary_routes.router,
    caseload_routes.router,
    departure_routes.router,
    transfer_routes.router,
    checkin_routes.router,
    escalation_routes.router,
    on_call_routes.router,
    outreach_routes.router,
    care_task_routes.router,
    calendar_feed_routes.router,
    attendance_routes.router,
    note_routes.router,
    appointment_routes.router,
    family_routes.router,
    consent_routes.router,
    disclosure_routes.router,
    medication_routes.router,
    dosing_routes.router,
    downtime_routes.router,
    takehome_routes.router,
    guest_routes.router,
    merge_routes.router,
    dispensing_routes.router,
    window_routes.router,
    stock_routes.router,
    signoff_routes.router,
    signature_routes.router,
    flag_routes.router,
    naloxone_routes.router,
    observation_routes.router,
    screening_routes.router,
    history_routes.router,
)


def described(routers: Sequence[Router] = ROUTERS) -> list[Router]:
    """What the description of the API describes: everything but the pages for people."""
    return [Router("/api/v1", route_handlers=list(routers)), health_routes.router]


class Application:
    """The ASGI application: Litestar behind the gate, with the service it works on."""

    def __init__(self, settings: Settings, *, routers: Sequence[Router] = ROUTERS) -> None:
        self.settings = settings
        self.service: Service | None = None
        self.limits = Limits(body_seconds=settings.body_seconds, handling_seconds=settings.request_seconds)
        self.litestar = _litestar(routers, self._lifespan, self.limits)
        self._gate = Gate(cast("App", self.litestar), self._service, self.limits)
        self._outermost = Watch(self._gate, behind_tls=settings.behind_tls, access_log=settings.access_log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request through."""
        await self._outermost(scope, receive, send)

    def _service(self) -> Service:
        if self.service is None:
            message = "a request came before the start was complete"
            raise RuntimeError(message)
        return self.service

    @asynccontextmanager
    async def _lifespan(self, _: Litestar) -> AsyncGenerator[None, None]:
        async with open_service(self.settings, takes_jobs=True) as service, present(service):
            self.service = service
            sampling = asyncio.create_task(sample(service), name="sample gauges")
            try:
                yield
            finally:
                sampling.cancel()
                await self._drain()

    async def _drain(self) -> None:
        """Let what is under way end, so that its entries are durable before the batcher closes."""
        try:
            async with asyncio.timeout(self.settings.drain_seconds):
                await self._gate.drain()
        except TimeoutError:
            logger(__name__).warning("requests were still under way when the time to drain was over")


def _litestar(
    routers: Sequence[Router],
    lifespan: Callable[[Litestar], AbstractAsyncContextManager[None]],
    limits: Limits,
) -> Litestar:
    return Litestar(
        route_handlers=[*described(routers), pages.router],
        request_class=StrictRequest,
        dependencies={
            "work": Provide(piece_of_work),
            "key": Provide(request_key),
        },
        before_request=let_in,
        exception_handlers=HANDLERS,
        lifespan=[lifespan],
        request_max_body_size=limits.body_bytes,
        openapi_config=None,
        logging_config=None,
        pdb_on_exception=False,
        debug=False,
    )


def create_app() -> Application:
    """What the server loads: reads the settings from the environment."""
    settings = settings_of.load()
    configure(settings)
    return Application(settings)
