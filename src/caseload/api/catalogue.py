"""The catalogue of medicines over HTTP, as its file says it: products, how long each acts, and how a country controls it."""

from litestar import Router

from caseload.api.route import reading
from caseload.domain.access import Act
from caseload.domain.catalogue import Catalogue, catalogue


@reading(
    "/medicines",
    act=Act.KNOW_MYSELF,
    name="list_medicines",
    problems=(),
    unaudited="shows published facts, and nothing of any client",
)
async def list_medicines() -> Catalogue:
    """Every medicine and every product that can be ordered, with the source of each fact."""
    return catalogue()


router = Router("/", route_handlers=[list_medicines], tags=["Medication"])
