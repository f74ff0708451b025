"""How a route says in the description of the API that its answer is a file."""

from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, Operation, Schema
from litestar.openapi.spec.enums import OpenAPIType


def filed(description: str, *media_types: str) -> type[Operation]:
    """The operation whose answer is a file of one of these kinds; for `operation_class` of a route."""

    @dataclass
    class Filed(Operation):
        def __post_init__(self) -> None:
            text = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
            answer = OpenAPIResponse(description=description, content=dict.fromkeys(media_types, text))
            self.responses = {**(self.responses or {}), "200": answer}

    return Filed
