"""The port of metrics and probes, request by request as it stands on the wire."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from prometheus_client import Counter
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_open_metrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse

from penstock import __version__
from penstock.observability.metrics_page import MetricsPage
from penstock.observability.metrics_server import MetricsServer
from penstock.plugin import UsageError

if TYPE_CHECKING:
    from core.tests.observability.conftest import Answer

Get = Callable[..., "Awaitable[Answer]"]


@pytest.fixture
def page() -> MetricsPage:
    return MetricsPage()


@pytest.fixture
def ready() -> list[bool]:
    """Whether it is ready: the last entry."""
    return [True]


@pytest.fixture
async def server(page: MetricsPage, ready: list[bool]) -> AsyncIterator[MetricsServer]:
    async with MetricsServer(page, "127.0.0.1", 0, lambda: ready[-1]) as server:
        yield server


@pytest.fixture
def get(server: MetricsServer, ask: Get) -> Get:
    """Asks for a path."""

    async def get(path: str, method: str = "GET", more: str = "") -> "Answer":
        head = f"{method} {path} HTTP/1.1\r\nHost: here\r\n{more}\r\n"
        return await ask(server.port, head)

    return get


async def test_the_page_has_every_metric_of_its_registry(get: Get, page: MetricsPage) -> None:
    counter = Counter("penstock_tests_total", "Tests.", ["what"], registry=page.registry)
    counter.labels("page").inc(3)
    answer = await get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in parse(answer.text)}
    assert [tuple(one) for one in families["penstock_tests"].samples] == [
        ("penstock_tests_total", {"what": "page"}, 3.0, None, None, None)
    ]
    assert families["penstock_build_info"].samples[0].labels == {"version": __version__}
    assert "process_resident_memory_bytes" in families


async def test_it_is_in_open_metrics_where_that_is_asked_for(get: Get, page: MetricsPage) -> None:
    Counter("penstock_tests_total", "Tests.", registry=page.registry).inc()
    accept = "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n"
    answer = await get("/metrics", more=accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")
    families = parse_open_metrics(answer.text)  # type: ignore[no-untyped-call] # it is typed nowhere
    assert "penstock_tests" in {family.name for family in families}


@pytest.mark.parametrize("accept", ["text/html", "application/openmetrics-text;version=x", "*/*"])
async def test_whoever_takes_something_else_gets_what_everybody_reads(
    get: Get, accept: str
) -> None:
    answer = await get("/metrics", more=f"Accept: {accept}\r\n")
    assert (answer.status, answer.headers["content-type"][:10]) == (200, "text/plain")


async def test_what_is_measured_is_brought_up_to_date_first(get: Get, page: MetricsPage) -> None:
    counter = Counter("penstock_looks_total", "Looks.", registry=page.registry)

    async def look() -> None:
        await asyncio.sleep(0)
        counter.inc()

    page.refresh_with(look)
    assert "penstock_looks_total 1.0" in (await get("/metrics?name=x")).text
    assert "penstock_looks_total 2.0" in (await get("/metrics")).text


async def test_probes_say_that_it_lives_and_whether_it_is_ready(
    get: Get, ready: list[bool]
) -> None:
    assert ((await get("/healthz")).status, (await get("/readyz")).status) == (200, 200)
    ready.append(False)
    assert ((await get("/healthz")).status, (await get("/readyz")).status) == (200, 503)


async def test_head_is_get_without_the_content(get: Get) -> None:
    answer = await get("/metrics", method="HEAD")
    assert (answer.status, answer.text) == (200, "")
    assert int(answer.headers["content-length"]) > 0


async def test_another_method_is_not_allowed(get: Get) -> None:
    answer = await get("/metrics", method="POST")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_another_path_is_not_found_and_the_right_ones_are_named(get: Get) -> None:
    answer = await get("/metric")
    assert answer.status == 404
    assert "/metrics, /healthz or /readyz" in answer.text


async def test_what_is_no_http_is_a_bad_request(server: MetricsServer, ask: Get) -> None:
    assert (await ask(server.port, "hello\r\n\r\n")).status == 400


async def test_who_sends_too_much_is_cut_off_and_nobody_else(
    server: MetricsServer, get: Get
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 10_000)
    # Either way is the end of a connection, as far as it was read.
    async with asyncio.timeout(10):
        with suppress(ConnectionError):
            assert await reader.read() == b""
    writer.close()
    assert (await get("/metrics")).status == 200


async def test_a_port_in_use_is_named(page: MetricsPage) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} of 127.0.0.1 for metrics"):
            await MetricsServer(page, "127.0.0.1", port).__aenter__()
