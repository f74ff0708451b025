"""Pages that need nobody signed in: where to go, and the description of the API. No script, nothing from elsewhere."""

import functools
import json
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader
from litestar import Response, Router, get
from litestar.static_files import create_static_files_router  # pyright: ignore[reportUnknownVariableType] PathLike is left open

import caseload

_STATIC: Final = files("caseload.web") / "static"
_WHY: Final = "it is the same for everybody and shows nobody"
_METHODS: Final = ("get", "post", "put", "delete")


@functools.cache
def _pages() -> Environment:
    return Environment(loader=PackageLoader("caseload.web", "templates"), autoescape=True, trim_blocks=True)


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
                subject = (operation.get("tags") or ["Other"])[0]
                subjects.setdefault(subject, []).append({"path": path, "method": method.upper(), **operation})
    return (
        _pages()
        .get_template("docs.html")
        .render(document=document, subjects=dict(sorted(subjects.items())), pretty=_pretty)
    )


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _html(text: str) -> Response[str]:
    return Response(text, media_type="text/html; charset=utf-8")


@get("/", opt={"public": _WHY}, include_in_schema=False, name="start", sync_to_thread=False)
def start() -> Response[str]:
    """Where to go from here."""
    return _html(_pages().get_template("start.html").render(version=caseload.__version__))


@get("/docs", opt={"public": _WHY}, include_in_schema=False, name="docs", sync_to_thread=False)
def docs() -> Response[str]:
    """The description of the API, for people."""
    return _html(documentation())


@get("/openapi.json", opt={"public": _WHY}, include_in_schema=False, name="openapi", sync_to_thread=False)
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
            path="/static", directories=[str(_STATIC)], opt={"public": _WHY}, include_in_schema=False
        ),
    ],
)
