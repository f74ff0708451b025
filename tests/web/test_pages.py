"""The pages that need nobody signed in: they are there, hold no script, and fetch nothing from elsewhere."""

import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from caseload.app import Application
from caseload.settings import Secret, Settings
from caseload.web.pages import in_code

pytestmark = pytest.mark.anyio

STATIC = Path(__file__).parents[2] / "src" / "caseload" / "web" / "static"


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


async def test_every_structure_and_every_problem_stands_on_the_page_and_every_link_leads_somewhere(
    visitor: httpx.AsyncClient,
) -> None:
    described = (await visitor.get("/openapi.json")).json()
    page = (await visitor.get("/docs")).text

    anchors = set(re.findall(r' id="([^"]+)"', page))
    assert {f"type-{name}" for name in described["components"]["schemas"]} <= anchors
    assert {f"problem-{name.removeprefix('Problem')}" for name in described["components"]["responses"]} <= anchors
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors


def test_words_between_backticks_are_code_and_nothing_else_is_markup() -> None:
    assert in_code("Use `a<b>` & `c`, <b>not</b> bold") == (
        "Use <code>a&lt;b&gt;</code> &amp; <code>c</code>, &lt;b&gt;not&lt;/b&gt; bold"
    )


async def test_whoever_asks_only_for_the_headers_of_a_page_gets_them(visitor: httpx.AsyncClient) -> None:
    page, bare = await visitor.get("/docs"), await visitor.head("/docs")

    assert (bare.status_code, bare.content) == (200, b"")
    for name in ("content-type", "content-length", "content-security-policy"):
        assert bare.headers[name] == page.headers[name]


def test_what_others_made_is_what_they_made() -> None:
    told = re.findall(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", (STATIC / "NOTICE.md").read_text(), re.MULTILINE)

    assert {name for name, _ in told} == {f"pico/{path.name}" for path in (STATIC / "pico").iterdir()}
    for name, digest in told:
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest, name


async def test_nothing_outside_the_folder_is_served(visitor: httpx.AsyncClient) -> None:
    for path in ("/static/../pages.py", "/static/%2e%2e/pages.py", "/static/"):
        assert (await visitor.get(path)).status_code in {400, 404}, path
