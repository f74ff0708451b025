"""The pages that need nobody signed in: they are there, hold no script, and fetch nothing from elsewhere."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from caseload.app import Application
from caseload.settings import Secret, Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
async def visitor(database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    application = Application(Settings(database_url=Secret(database), data_dir=tmp_path))
    async with (
        application.litestar.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://caseload.test") as client,
    ):
        yield client


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_a_page_is_whole_without_a_network(visitor: httpx.AsyncClient, path: str) -> None:
    page = await visitor.get(path)

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert " style=" not in page.text
    referred = re.findall(r'(?:href|src)="([^"#]+)', page.text)
    assert referred
    for address in referred:
        assert address.startswith("/"), f"{address} is not ours"
        assert (await visitor.get(address)).status_code in {200, 503}, address


async def test_every_operation_stands_on_the_page(visitor: httpx.AsyncClient) -> None:
    described = (await visitor.get("/openapi.json")).json()

    page = (await visitor.get("/docs")).text

    for operations in described["paths"].values():
        for operation in operations.values():
            assert f'id="{operation["operationId"]}"' in page


async def test_nothing_outside_the_folder_is_served(visitor: httpx.AsyncClient) -> None:
    for path in ("/static/../pages.py", "/static/%2e%2e/pages.py", "/static/"):
        assert (await visitor.get(path)).status_code in {400, 404}, path
