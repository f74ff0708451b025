"""The description of the API (OpenAPI 3.1), made from the routes themselves and completed with what they all share.

What a field means is said once, in the text under it in its structure; what an operation does, in the docstring of its
handler; what it may refuse, by the statuses it declares. Examples come from `examples`, problems from `problems`.
"""

import ast
import functools
import inspect
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from textwrap import dedent
from typing import Any, Final, cast

import msgspec
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

import caseload
from caseload.api.examples import Examples
from caseload.api.problems import MEANING, PROBLEM_JSON, Problem, example_problem
from caseload.api.work import piece_of_work, request_key

_DESCRIPTION: Final = """\
The working record of an opioid aftercare programme.

Sign in at `POST /api/v1/sign-in` and send the token as `Authorization: Bearer`. Every request that shows or changes
client data leaves an entry in the audit log before its answer leaves; its id comes back as `Audit-Entry`. A client
outside your reach is 404. What is refused is a problem document (RFC 9457) that says what to do next.

Give every POST a fresh `Idempotency-Key`: a retry with the same key and body gets the first answer again. Where a
record has versions, `ETag` names the one you saw and `If-Match` says which one you mean to change.

Bodies are JSON in UTF-8, at most 1 MB. A field or a query parameter that is not described here is refused, and all
that is wrong is named at once. Instants carry their offset, amounts are text, lists come in pages: give `next` of one
page as `after` of the next.
"""

SUBJECTS: Final[Mapping[str, str]] = {
    "Signing in": "Who you are, and how long.",
    "Clients": "Register, find, read and correct; one client at a glance.",
    "Caseloads": "Episodes of care, who answers for whom, handovers and cover.",
    "Departures": "Discharges, those that wait for a prescriber, and deaths.",
    "Check-ins": "Plans, what is due, what is overdue and why.",
    "Notes": "Notes about sessions: drafts, signatures, countersignatures, amendments.",
    "Sessions": "Individual and group sessions, and their registers.",
    "Front desk": "Who is expected and who has arrived.",
    "Medication": "Orders, holds and decisions, and the dispensing log.",
    "Dosing": "Today's list, and every dose given or not given.",
    "Window": "The queue of a day and what to know of each client; what was vomited, spilled and replaced.",
    "Take-home": "How many days a client may take home on a prescriber's word, dated units, and what becomes of each.",
    "Stock": "Bottles, dispensers, waste and counts: what there is by the books, to the milligram.",
    "Sign-off": "What waits for a signature, the highest risk first, and signing.",
    "Flags": "Allergies, pregnancy and what else is taken: shown beside a dose, never in its way.",
    "Naloxone": "Offered to the client and the household, supplied, and shown how to use it.",
    "Transfers": "A client goes on from one programme to another: asked, accepted, and what each side then sees.",
    "Merges": "One person registered twice: proposed, confirmed by another person, undone.",
    "Guests": "Our clients dosed by another programme for some days, and another programme's clients with us.",
    "Observations": "Withdrawal scales and QTc, scored and explained.",
    "Drug screens": "Who is screened today, drawn by chance, and what came of it.",
    "Family": "The people around a client, and what they tell us.",
    "Consent": "What may be told to whom, and the answer to that question.",
    "Disclosures": "What was told to somebody outside, by what right, what an emergency's record misses, and the accountings.",
    "History": "What was brought in from before, and what of it is still to be verified.",
    "Audit log": "Who did what, who saw whom, and the log to take away.",
    "Copies of records": "The copy of their record that a client asks for, looked through before it leaves, released once.",
    "Access reports": "Who saw my record: for the client, proved line by line, looked through before it leaves.",
    "Review of the log": "The questions an auditor asks every month, and who has looked at what they found.",
    "Requests of clients": "What clients ask for about their own record, by when it is answered, and what came of it.",
    "Patient notices": "The notice that tells clients how their record is protected: its versions, and who was given which.",
    "Restricted records": "Clients whom only named staff see, and the door for an emergency.",
    "Erasure from the log": "Making one client unlinkable in the log, by two people, when nothing must be kept.",
    "Staff": "The people who work here.",
    "Roles": "What they are, where, from when to when, confirmed by whom.",
    "Duty": "Shifts on duty.",
    "Lock-outs": "Who must wait before trying to sign in again.",
    "Programmes": "The sites.",
    "Profiles": "The rules of each jurisdiction, version by version.",
    "Operations": "For machines that look after the service.",
}
"""The subjects in the order in which somebody new would read them."""

_BRACKETED: Final = re.compile(r"^(?P<outer>\w+?)_(?:[\w.]*\.)?(?P<inner>\w+?)_$")
_OF_THE_WIRE: Final = re.compile(r"_wire_(?=[A-Z])")
_SENTENCE: Final = re.compile(r"(?<=[.:;])\s")
_LONGEST_SUMMARY: Final = 90
_DONE: Final = {"200": "Done.", "201": "Recorded.", "204": "Done; there is nothing to show."}
AT_SIGHT: Final = (414, 431)
"""What any request may be answered by its size alone, before it is known what it asks."""
_HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "Request-Id": {"description": "The request, in our log and in the audit log.", "schema": {"type": "string"}},
    "Audit-Entry": {
        "description": "The entry it left in the audit log, where it left one.",
        "schema": {"type": "string", "format": "uuid"},
    },
    "Retry-After": {"description": "Seconds to wait before the next attempt.", "schema": {"type": "integer"}},
}


def describe(routers: Sequence[Router]) -> dict[str, Any]:
    """The whole description as plain data, the same for the same routes."""
    app = Litestar(
        route_handlers=list(routers),
        dependencies={"work": Provide(piece_of_work), "key": Provide(request_key)},
        plugins=[StructuresInWords()],
        openapi_config=OpenAPIConfig(
            title="caseload", version=caseload.__version__, description=_DESCRIPTION, use_handler_docstrings=True
        ),
        logging_config=None,
    )
    document: dict[str, Any] = msgspec.to_builtins(app.openapi_schema.to_schema())
    document["paths"] = {
        path: operations
        for path, operations in sorted(document["paths"].items())
        if any("operationId" in operation for operation in operations.values())
    }
    document = _named_plainly(document)
    components: dict[str, Any] = document["components"]
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "The token that signing in gave."}
    }
    components["headers"] = dict(_HEADERS)
    components["responses"] = {}
    for operation in _operations(document):
        _complete(operation, components, public=_public(app))
    used = {tag for operation in _operations(document) for tag in operation["tags"]}
    document["tags"] = [{"name": name, "description": text} for name, text in SUBJECTS.items() if name in used]
    return document


class StructuresInWords(OpenAPISchemaPlugin):
    """Says of every structure that nothing unknown may stand in it, and of every field what the text under it says."""

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        """Structures, each by itself."""
        return not field_definition.is_union and field_definition.is_subclass_of(msgspec.Struct)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Schema:
        """As Litestar's own plugin does it, and then in words."""
        own = next(
            plugin
            for plugin in schema_creator.plugins
            if plugin is not self
            and isinstance(plugin, OpenAPISchemaPlugin)
            and plugin.is_plugin_supported_field(field_definition)
        )
        schema = own.to_openapi_schema(field_definition, schema_creator)
        made: type[msgspec.Struct] = field_definition.origin or field_definition.annotation
        schema.description = schema.description or inspect.getdoc(made)
        if made.__struct_config__.forbid_unknown_fields:
            schema.additional_properties = False
        said = field_texts(made)
        for name, held in (schema.properties or {}).items():
            if name in said and not held.description:
                held.description = said[name]
        return schema


@functools.cache
def field_texts(made: type) -> Mapping[str, str]:
    """The text under each field of a class and of those it derives from."""
    found: dict[str, str] = {}
    for each in reversed(made.__mro__):
        if each.__module__.startswith("caseload."):
            found |= dict(_texts_in(each))
    return found


def _texts_in(made: type) -> Iterator[tuple[str, str]]:
    (defined,) = ast.parse(dedent(inspect.getsource(made))).body
    body = cast("ast.ClassDef", defined).body
    for field, text in itertools.pairwise(body):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(said))),
            ):
                yield name, " ".join(inspect.cleandoc(said).split())
            case _:
                continue


def _complete(operation: dict[str, Any], components: dict[str, Any], *, public: frozenset[str]) -> None:
    """What every operation has: a line that sums it up, examples, who may call it, and its problems by name."""
    schemas: Mapping[str, Any] = components["schemas"]
    # Lines are broken for whoever reads the code; a paragraph is one line here.
    said = "\n\n".join(" ".join(part.split()) for part in operation.get("description", "").split("\n\n"))
    operation["description"] = said
    first = _SENTENCE.split(said, maxsplit=1)[0].rstrip(".:;")
    words: str = operation["operationId"].replace("_", " ").capitalize()
    operation["summary"] = first if 0 < len(first) <= _LONGEST_SUMMARY else words
    operation.pop("deprecated", None)
    if operation["operationId"] not in public:
        operation["security"] = [{"bearer": []}]
    for parameter in operation.get("parameters", ()):
        _complete_parameter(parameter, schemas)
    _exemplify(operation.get("requestBody", {}), Examples(schemas, sent=True))
    for status in AT_SIGHT:
        operation["responses"][str(status)] = _shared_problem(status, components)
    operation["responses"] = dict(sorted(operation["responses"].items()))
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            answer["description"] = _DONE.get(status, answer["description"])
            if status == "204":
                answer.pop("content", None)
            answer["headers"] = _refer_to_headers("Request-Id", "Audit-Entry") | (answer.get("headers") or {})
            _exemplify(answer, Examples(schemas))
        elif PROBLEM_JSON in answer.get("content", {}):
            operation["responses"][status] = _shared_problem(int(status), components)


def _complete_parameter(parameter: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    """A parameter that may be left out is not null, and its schema need not repeat what it is for."""
    parameter.pop("deprecated", None)
    schema: dict[str, Any] = parameter["schema"]
    choices = [each for each in schema.pop("oneOf", ()) if each.get("type") != "null"]
    if len(choices) == 1:
        schema |= choices[0]
    elif choices:
        schema["oneOf"] = choices
    schema.pop("description", None)
    parameter["example"] = Examples(schemas).of(schema, parameter["name"])


def _exemplify(holder: Mapping[str, Any], examples: Examples) -> None:
    contents: Mapping[str, dict[str, Any]] = holder.get("content") or {}
    for kind, media in contents.items():
        if kind == "application/json" and "schema" in media:
            media["example"] = examples.of(media["schema"])


def _shared_problem(status: int, components: dict[str, Any]) -> dict[str, str]:
    """Refers to the one description of this status, which is made when the first operation needs it."""
    name = f"Problem{status}"
    components["responses"].setdefault(
        name,
        {
            "description": MEANING[status],
            "headers": _refer_to_headers(
                "Request-Id", "Audit-Entry", *(("Retry-After",) if status in {429, 503} else ())
            ),
            "content": {
                PROBLEM_JSON: {
                    "schema": {"$ref": f"#/components/schemas/{Problem.__name__}"},
                    "example": example_problem(status),
                }
            },
        },
    )
    return {"$ref": f"#/components/responses/{name}"}


def _refer_to_headers(*names: str) -> dict[str, dict[str, str]]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _named_plainly(document: dict[str, Any]) -> dict[str, Any]:
    """`Page_caseload.api.audit_log.AccessOut_` is a page of accesses: call it `PageOfAccessOut`.

    And what lies in the `wire` of a subject is the subject's: `dosing_wire_CorrectionIn` is `dosing_CorrectionIn`.
    """
    schemas: dict[str, Any] = document["components"]["schemas"]
    plain = {name: _plain(name) for name in schemas}
    if len(set(plain.values())) == len(plain):
        document["components"]["schemas"] = {plain[name]: schema for name, schema in schemas.items()}
        document = cast("dict[str, Any]", _renamed(document, plain))
    for schema in document["components"]["schemas"].values():
        # The default of one field that is of this type, and only when that field happened to come first.
        schema.pop("default", None)
    return document


def _plain(name: str) -> str:
    generic = _BRACKETED.match(name)
    return f"{generic['outer']}Of{generic['inner']}" if generic else _OF_THE_WIRE.sub("_", name)


def _renamed(part: Any, names: Mapping[str, str]) -> Any:
    if isinstance(part, dict):
        held = cast("dict[str, Any]", part)
        return {key: _reference(each, names) if key == "$ref" else _renamed(each, names) for key, each in held.items()}
    if isinstance(part, list):
        return [_renamed(each, names) for each in cast("list[Any]", part)]
    return part


def _reference(ref: str, names: Mapping[str, str]) -> str:
    path, _, name = ref.rpartition("/")
    return f"{path}/{names.get(name, name)}"


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict) and "operationId" in operation:
                yield cast("dict[str, Any]", operation)


def _public(app: Litestar) -> frozenset[str]:
    return frozenset(
        handler.operation_id
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if "public" in handler.opt
    )
