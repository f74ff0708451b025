"""Pages that need nobody signed in: where to go, and the description of the API. No script, nothing from elsewhere."""

import functools
import json
import re
import shlex
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader
from litestar import MediaType, Request, Response, Router, get
from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router  # pyright: ignore[reportUnknownVariableType] PathLike is left open
from markupsafe import Markup, escape

import caseload

_STATIC: Final = files("caseload.web") / "static"
_WHY: Final = "it is the same for everybody and shows nobody"
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_IN_CODE: Final = re.compile(r"`([^`]+)`")
_NOT_AN_ANCHOR: Final = re.compile(r"[^a-z0-9]+")


@functools.cache
def _pages() -> Environment:
    made = Environment(
        loader=PackageLoader("caseload.web", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters.update(in_code=in_code, anchor=_anchor, first_line=_first_line)
    return made


@functools.cache
def description() -> bytes:
    """The description of the API as this version ships it."""
    return (_STATIC / "openapi.json").read_bytes()


@functools.cache
def documentation() -> str:
    """The description as a page."""
    document = json.loads(description())
    subjects: dict[str, list[dict[str, Any]]] = {}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                subjects.setdefault(operation["tags"][0], []).append({
                    "path": path, "method": method.upper(), **operation
                })  # fmt: skip
    return _pages().get_template("docs.html").render(document=document, subjects=subjects, curl=_curl, pretty=_pretty)


def in_code(text: str) -> Markup:
    """Text with what stands between backticks set as code."""
    return Markup(_IN_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped, then only our own tag


def _anchor(text: str) -> str:
    return _NOT_AN_ANCHOR.sub("-", text.lower()).strip("-")


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0]


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _curl(operation: Mapping[str, Any], example: object) -> str:
    """The request as somebody would send it from a terminal."""
    lines = [f"curl -X {operation['method']} http://127.0.0.1:8000{operation['path']}"]
    if operation.get("security"):
        lines.append('-H "Authorization: Bearer $TOKEN"')
    lines += [
        "-H " + shlex.quote(f"{parameter['name']}: {parameter['example']}")
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "header"
    ]
    lines.append("-H 'Content-Type: application/json'")
    lines.append(f"-d {shlex.quote(_pretty(example))}")
    return " \\\n  ".join(lines)


def _html(text: str) -> Response[str]:
    return Response(text, media_type=MediaType.HTML)


@get("/", opt={"public": _WHY}, include_in_schema=False, operation_id="start", sync_to_thread=False)
def start(request: Request[Any, Any, Any]) -> Response[str]:
    """Where to go from here."""
    here = str(request.base_url).rstrip("/")
    return _html(_pages().get_template("start.html").render(version=caseload.__version__, here=here))


@get("/docs", opt={"public": _WHY}, include_in_schema=False, operation_id="docs", sync_to_thread=False)
def docs() -> Response[str]:
    """The description of the API, for people."""
    return _html(documentation())


@get("/openapi.json", opt={"public": _WHY}, include_in_schema=False, operation_id="openapi", sync_to_thread=False)
def openapi() -> Response[bytes]:
    """The description of the API, for programs."""
    return Response(description(), media_type="application/json")


router = Router(
    "/",
    route_handlers=[
        start,
        docs,
        openapi,
        create_static_files_router(
            path="/static",
            directories=[str(_STATIC)],
            opt={"public": _WHY},
            include_in_schema=False,
            cache_control=CacheControlHeader(public=True, max_age=3600),
        ),
    ],
)
