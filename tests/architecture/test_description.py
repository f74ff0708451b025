"""The description of the API that ships is the one that the routes make, and says everything a caller needs."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from litestar import Litestar
from litestar.di import Provide

from caseload.api.body import read
from caseload.api.description import SUBJECTS, describe
from caseload.api.examples import Examples
from caseload.api.work import piece_of_work, request_key
from caseload.app import described
from caseload.web.pages import description

GIVEN = {"work": Provide(piece_of_work), "key": Provide(request_key)}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe(described())


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
        assert operation["summary"], name
        assert operation["description"], name
        problems = {status: each for status, each in operation["responses"].items() if not status.startswith("2")}
        if name not in MACHINES:
            assert {"422", "503"} <= problems.keys(), name
        for status, problem in problems.items():
            assert problem == {"$ref": f"#/components/responses/Problem{status}"}, (name, status)
        assert ("401" in problems) or not operation.get("security"), name


MACHINES = {"GET /livez", "GET /readyz", "GET /metrics"}
"""They send nothing that could be wrong."""


def test_every_problem_is_a_problem_document_with_an_example(document: dict[str, Any]) -> None:
    for name, answer in document["components"]["responses"].items():
        (kind,) = answer["content"]
        assert kind == "application/problem+json"
        example = answer["content"][kind]["example"]
        assert name == f"Problem{example['status']}"
        assert example["type"].startswith("urn:caseload:problem:"), name
        assert answer["description"], name


def test_every_subject_is_described_and_used(document: dict[str, Any]) -> None:
    used = {tag for _, operation in operations(document) for tag in operation["tags"]}

    assert used == {tag["name"] for tag in document["tags"]} == set(SUBJECTS), "say in SUBJECTS what a new tag is about"


def test_nobody_is_told_of_a_route_that_needs_nobody_signed_in_but_these(document: dict[str, Any]) -> None:
    public = {name for name, operation in operations(document) if not operation.get("security")}

    assert public == {"POST /api/v1/sign-in", "GET /api/v1/calendar/{token}", *MACHINES}


def test_what_the_text_under_a_field_says_is_in_the_description(document: dict[str, Any]) -> None:
    page = document["components"]["schemas"]["PageOfAccessOut"]

    assert page["additionalProperties"] is False
    assert page["properties"]["next"]["description"] == "Give it as `after` to get the next page; null on the last one."
    assert page["description"] == "One page of a list."


def test_what_an_example_sends_is_read_by_its_route(document: dict[str, Any]) -> None:
    sent = {
        operation["operationId"]: media["example"]
        for _, operation in operations(document)
        for media in operation.get("requestBody", {}).get("content", {}).values()
    }
    read_by_routes = 0
    for router in described():
        for route in Litestar([router], dependencies=GIVEN, openapi_config=None).routes:
            for handler in getattr(route, "route_handlers", ()):
                wanted = handler.parsed_data_field
                if wanted is not None:
                    read(json.dumps(sent[handler.operation_id]).encode(), wanted.annotation)
                    read_by_routes += 1

    assert read_by_routes == len(sent)


def examples(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example with its schema."""
    for name, operation in operations(document):
        shared = document["components"]["responses"].values()
        holders: list[dict[str, Any]] = [operation.get("requestBody") or {}, *operation["responses"].values(), *shared]
        for holder in holders:
            contents: dict[str, dict[str, Any]] = holder.get("content") or {}
            for media in contents.values():
                if "example" in media:
                    yield name, media["schema"], media["example"]


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    found = list(examples(document))
    assert len(found) > len(document["paths"])
    # One schema of them all: to read thousands of components anew for each would take a minute.
    together = {
        "properties": {str(number): schema for number, (_, schema, _) in enumerate(found)},
        "components": document["components"],
    }
    given = {str(number): example for number, (_, _, example) in enumerate(found)}
    problems = jsonschema_rs.Draft202012Validator(together).iter_errors(given)
    assert not [(found[int(error.instance_path[0])][0], error.message) for error in problems]


def test_an_example_of_what_refers_to_itself_ends() -> None:
    schemas = {"Tree": {"type": "object", "required": ["child"], "properties": {"child": {"$ref": "#/x/Tree"}}}}

    assert "child" in Examples(schemas).of({"$ref": "#/x/Tree"})


def test_an_answer_without_content_is_described_without_content(document: dict[str, Any]) -> None:
    found = [
        (name, operation["responses"]["204"])
        for name, operation in operations(document)
        if "204" in operation["responses"]
    ]
    assert found
    for name, answer in found:
        assert "content" not in answer, name
