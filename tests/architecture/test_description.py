"""The description of the API that ships is the one that the routes make, and says everything a caller needs."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from caseload.api.description import describe, example_of
from caseload.app import ROUTERS
from caseload.web.pages import description


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe(ROUTERS)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                yield f"{method.upper()} {path}", operation


def test_what_ships_is_what_the_routes_say(document: dict[str, Any]) -> None:
    renewed = "caseload openapi --out src/caseload/web/static/openapi.json"

    assert json.loads(description()) == json.loads(json.dumps(document)), f"the routes have changed: run `{renewed}`"


def test_every_operation_says_what_it_does_and_what_it_may_answer(document: dict[str, Any]) -> None:
    found = dict(operations(document))
    assert len({each["operationId"] for each in found.values()}) == len(found)
    for name, operation in found.items():
        assert operation["description"], name
        problems = {status: each for status, each in operation["responses"].items() if not status.startswith("2")}
        assert {"422", "503"} <= problems.keys(), name
        for status, problem in problems.items():
            assert list(problem["content"]) == ["application/problem+json"], (name, status)
        assert ("401" in problems) or not operation.get("security"), name


def examples(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example with its schema."""
    for name, operation in operations(document):
        holders: list[dict[str, Any]] = [operation.get("requestBody") or {}, *operation["responses"].values()]
        for holder in holders:
            contents: dict[str, dict[str, Any]] = holder.get("content") or {}
            for media in contents.values():
                if "example" in media:
                    yield name, {**media["schema"], "components": document["components"]}, media["example"]


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    found = list(examples(document))
    assert len(found) > len(document["paths"])
    for name, schema, example in found:
        problems = [error.message for error in jsonschema_rs.Draft202012Validator(schema).iter_errors(example)]
        assert not problems, (name, problems)


def test_an_example_of_what_refers_to_itself_ends() -> None:
    schemas = {"Tree": {"type": "object", "required": ["child"], "properties": {"child": {"$ref": "#/x/Tree"}}}}

    assert "child" in example_of({"$ref": "#/x/Tree"}, schemas)
