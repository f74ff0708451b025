"""Consent over HTTP: what was signed, what ends it, and the question whether something may be told."""

from litestar import Router

from caseload.api.consent.disclosure import ask_disclosure
from caseload.api.consent.ending import record_consent_event, revoke_consent
from caseload.api.consent.forms import list_consent_forms
from caseload.api.consent.giving import give_consent, list_consents, list_expiring_consents, read_consent

router = Router(
    "/",
    route_handlers=[
        list_consent_forms,
        list_consents,
        give_consent,
        read_consent,
        list_expiring_consents,
        revoke_consent,
        record_consent_event,
        ask_disclosure,
    ],
    tags=["Consent"],
)

__all__ = ["router"]
