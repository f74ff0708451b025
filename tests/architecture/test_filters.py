"""What a list is narrowed to stands in its entry, so it must be something that may stand there."""

import enum
from collections.abc import Iterator
from datetime import date
from uuid import UUID

from litestar.params import QueryParameter
from litestar.routes import HTTPRoute

from caseload.api.pages import PLACE_IN_LIST
from caseload.app import Application
from caseload.settings import Settings

RECORDED = (UUID, date, enum.StrEnum, bool, int)
"""Kinds of parameter that `api/route.py` puts into the entry of whatever route has them."""

TEXT = {
    ("list_audit_entries", "event"): "the name of an event, which is checked before the route records it",
    ("list_accesses", "event"): "the same",
}
"""Parameters that are text, and what their routes do so that the question is recorded and no name with it."""


def parameters() -> Iterator[tuple[str, str, tuple[type, ...]]]:
    """Every query parameter that narrows what is shown: its operation, its name, the types it may have."""
    for route in Application(Settings()).litestar.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for handler in route.route_handlers:
            for declared in handler.parsed_fn_signature.parameters.values():
                if isinstance(declared.kwarg_definition, QueryParameter):
                    name = str(declared.kwarg_definition.name)
                    types = [each.annotation for each in declared.inner_types or (declared,)]
                    if name not in PLACE_IN_LIST:
                        yield str(handler.operation_id), name, tuple(each for each in types if each is not type(None))


def test_every_parameter_that_narrows_a_list_can_be_recorded() -> None:
    found = list(parameters())
    assert len(found) > 10
    for operation, name, types in found:
        recorded = all(issubclass(each, RECORDED) for each in types)
        text = (operation, name) in TEXT
        assert recorded or text, (
            f"{operation}: record `{name}` in the route itself and say so in TEXT, or make it a code."
        )
        assert not (recorded and text), f"{operation}: `{name}` is recorded without TEXT: take it out."
    assert set(TEXT) <= {(operation, name) for operation, name, _ in found}
