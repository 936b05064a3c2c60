"""A port for metrics and probes, for a process that has no HTTP server of its own.

A few lines of HTTP, because a library for it takes as much memory as a third of a sidecar.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from http import HTTPStatus
from types import TracebackType
from typing import Final, NamedTuple, Self

from penstock.observability.metrics_page import PATH, MetricsPage
from penstock.plugin import UsageError

_LARGEST_HEAD: Final = 16 * 1024  # bytes
_PATIENCE: Final = 10.0  # seconds in which a request is there and answered
_TEXT: Final = "text/plain; charset=utf-8"


class _Request(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str]


class _Answer(NamedTuple):
    status: HTTPStatus
    content: bytes
    content_type: str = _TEXT


class MetricsServer:
    """Serves `/metrics`, `/healthz` and `/readyz` from `async with` on until that is left.

    Args:
        page: The metrics.
        host: Address to listen on.
        port: The port; 0 takes a free one.
        is_ready: What `/readyz` says: 200 or 503. `/healthz` says 200 as long as anything is
            answered.

    Attributes:
        port: The one that was taken.
    """

    def __init__(
        self,
        page: MetricsPage,
        host: str,
        port: int,
        is_ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self.port = port
        self._page = page
        self._host = host
        self._is_ready = is_ready
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            UsageError: The port is not to be had.
        """
        try:
            self._server = await asyncio.start_server(
                self._serve, self._host, self.port, limit=_LARGEST_HEAD
            )
        except OSError as error:
            raise UsageError(
                f"port {self.port} of {self._host} for metrics is not to be had: "
                f"{error.strerror or error}; choose another, 0 for any that is free"
            ) from error
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request of a connection, which is closed then."""
        # Who says nothing, or too much, or goes away, gets no answer.
        silent = (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
        with closing(writer), suppress(*silent):
            async with asyncio.timeout(_PATIENCE):
                request = _parse(await reader.readuntil(b"\r\n\r\n"))
                answer = await self._answer(request)
                writer.write(_head(answer))
                if request is None or request.method != "HEAD":
                    writer.write(answer.content)
                await writer.drain()

    async def _answer(self, request: _Request | None) -> _Answer:
        if request is None:
            return _text(HTTPStatus.BAD_REQUEST, "this is not HTTP")
        if request.path not in (PATH, "/healthz", "/readyz"):
            return _text(HTTPStatus.NOT_FOUND, f"expected {PATH}, /healthz or /readyz")
        if request.method not in ("GET", "HEAD"):
            return _text(HTTPStatus.METHOD_NOT_ALLOWED, "expected GET")
        if request.path == PATH:
            page = await self._page.render(request.headers.get("accept", ""))
            return _Answer(HTTPStatus.OK, page.content, page.content_type)
        if request.path == "/readyz" and not self._is_ready():
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, "not ready")
        return _text(HTTPStatus.OK, "ok")


def _parse(head: bytes) -> _Request | None:
    """A request's head; ``None``: it is none."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split()
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        return None
    method, target, _ = words
    fields = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in fields}
    return _Request(method, target.partition("?")[0], headers)


def _head(answer: _Answer) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.content)}",
        "Connection: close",
    ]
    if answer.status is HTTPStatus.METHOD_NOT_ALLOWED:
        lines.append("Allow: GET, HEAD")
    return "\r\n".join([*lines, "", ""]).encode()


def _text(status: HTTPStatus, text: str) -> _Answer:
    return _Answer(status, f"{text}\n".encode())
