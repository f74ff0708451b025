"""The description of the API (OpenAPI 3.1), made from the routes themselves and completed with what they all share."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

import msgspec
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig

import caseload
from caseload.api.work import piece_of_work, request_key

_DESCRIPTION: Final = """\
The working record of an opioid aftercare programme.

Sign in at `POST /api/v1/sign-in` and send the token as `Authorization: Bearer`. Every request that shows or changes
client data leaves an entry in the audit log before its answer leaves; its id comes back as `Audit-Entry`. A client
outside your reach is 404. What is refused is a problem document (RFC 9457) that says what to do next.

Give every POST a fresh `Idempotency-Key`: a retry with the same key and body gets the first answer again. Where a
record has versions, `ETag` names the one you saw and `If-Match` says which one you mean to change.
"""

_WORDS: Final[Mapping[str, Any]] = {
    "uuid": "01a2028d-1a84-70e1-8263-4b2d84b1e769",
    "date": "2026-11-22",
    "date-time": "2026-11-22T09:30:00Z",
    "time": "09:30:00",
}
_DEEPEST: Final = 8


def describe(routers: Sequence[Router]) -> dict[str, Any]:
    """The whole description as plain data, the same for the same routes."""
    app = Litestar(
        route_handlers=[Router("/api/v1", route_handlers=list(routers))],
        dependencies={"work": Provide(piece_of_work), "key": Provide(request_key)},
        openapi_config=OpenAPIConfig(
            title="caseload",
            version=caseload.__version__,
            description=_DESCRIPTION,
            create_examples=False,
            use_handler_docstrings=True,
        ),
        logging_config=None,
    )
    document: dict[str, Any] = msgspec.to_builtins(app.openapi_schema.to_schema())
    ours = {path: operations for path, operations in document["paths"].items() if path.startswith("/api/")}
    document["paths"] = dict(sorted(ours.items()))
    components = document.setdefault("components", {})
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "The token that signing in gave."}
    }
    schemas: dict[str, dict[str, Any]] = components.get("schemas", {})
    for schema in schemas.values():
        # The default of one field that is of this type, and only when that field happened to come first.
        schema.pop("default", None)
    public = {
        handler.operation_id
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if "public" in handler.opt
    }
    for operation in _operations(document):
        operation["summary"] = operation["operationId"].replace("_", " ").capitalize()
        if operation["operationId"] not in public:
            operation["security"] = [{"bearer": []}]
        _add_examples(operation, schemas)
    return document


def _operations(document: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for operations in document["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict) and "operationId" in operation:
                yield cast("dict[str, Any]", operation)


def _add_examples(operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    """An example of what is sent and of each success."""
    answers = [each for status, each in operation.get("responses", {}).items() if status.startswith("2")]
    holders: list[dict[str, Any]] = [operation.get("requestBody") or {}, *answers]
    for holder in holders:
        contents: dict[str, dict[str, Any]] = holder.get("content") or {}
        for kind, media in contents.items():
            if kind == "application/json" and "schema" in media:
                media["example"] = example_of(media["schema"], schemas)


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int = 0) -> Any:
    """A small value that fits a schema."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas, depth)
    for told in ("example", "const", "default"):
        if told in schema:
            return schema[told]
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("enum"):
        return schema["enum"][0]
    choices = schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf")
    if choices:
        return example_of(next((c for c in choices if c.get("type") != "null"), choices[0]), schemas, depth)
    return _example_by_type(schema, schemas, depth)


def _example_by_type(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in cast("list[str]", kind) if each != "null"), "null")
    match kind:
        case "object":
            needed = schema.get("required", ()) if depth < _DEEPEST else ()
            return {name: example_of(schema["properties"][name], schemas, depth + 1) for name in needed}
        case "array":
            return [example_of(schema["items"], schemas, depth + 1)] if depth < _DEEPEST and "items" in schema else []
        case "string":
            return _WORDS.get(schema.get("format", ""), "text")
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return None
