"""A proxy before an API server: it counts what is written, and fails as servers do."""

import http.client
import json
import socket
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Final, NamedTuple, Self

from tests.servers.kubernetes import KubernetesServer
from tests.servers.ports import HOST, free_port

_CHUNK = 65_536  # bytes
_UPSTREAM_PATIENCE = 600.0
_HOP: Final = frozenset({"connection", "host", "transfer-encoding", "content-length"})


class Request(NamedTuple):
    """What a client asked of the API server."""

    method: str
    path: str

    @property
    def is_write(self) -> bool:
        """Whether it could change something."""
        return self.method not in ("GET", "HEAD")

    @property
    def is_watch(self) -> bool:
        """Whether it asks for what changes from now on."""
        return "watch=true" in self.path

    def __str__(self) -> str:
        return f"{self.method} {self.path.partition('?')[0]}"


@dataclass(frozen=True)
class Answer:
    """What a client is answered in place of the API server."""

    code: int
    body: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def failure(cls, code: int, reason: str, message: str, **headers: str) -> Self:
        """A refusal as the API server writes it."""
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
        return cls(code, {**body, "code": code, "reason": reason, "message": message}, headers)


class ApiProxy:
    """Stands before an API server; a context manager. Clients reach it by `url`, without TLS.

    Attributes:
        requests: What was asked, in order.
        seconds: How long each request waits before it is passed on.
        answer: Answers in place of the API server, where it does not return `None`.
        written: Told of each write that the API server has done, before the client is.
    """

    def __init__(self, server: KubernetesServer) -> None:
        self.requests: list[Request] = []
        self.seconds = 0.0
        self.answer: Callable[[Request], Answer | None] = lambda _: None
        self.written: Callable[[Request], None] = lambda _: None
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._server = server
        self._context = ssl.create_default_context(cafile=server.authority)
        self.port = free_port()
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._listener = _Listener((HOST, self.port), Handler)
        self._thread = Thread(target=self._listener.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """Where clients reach it."""
        return f"http://{HOST}:{self.port}"

    @property
    def writes(self) -> list[Request]:
        """The requests so far that could change something."""
        return [one for one in self.requests if one.is_write]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.shutdown()
        self._thread.join()
        self._listener.socket.close()

    def cut(self) -> None:
        """Break all connections that are open; new ones are taken."""
        with self._lock:
            connections, self._open = self._open, set()
        for one in connections:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def opened(self, connection: socket.socket) -> None:
        """Know a client's connection."""
        with self._lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """Forget one."""
        with self._lock:
            self._open.discard(connection)

    def took(self, request: Request) -> None:
        """Count a request."""
        with self._lock:
            self.requests.append(request)

    def upstream(self) -> http.client.HTTPSConnection:
        """A new connection to the API server."""
        return http.client.HTTPSConnection(
            HOST, self._server.port, context=self._context, timeout=_UPSTREAM_PATIENCE
        )


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that were killed."""
        del request, client_address
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            raise error


class _Handler(BaseHTTPRequestHandler):
    owner: ApiProxy
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.owner.opened(self.connection)

    def finish(self) -> None:
        self.owner.closed(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Say nothing."""

    def pass_on(self) -> None:
        request = Request(self.command, self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.owner.took(request)
        time.sleep(self.owner.seconds)
        if instead := self.owner.answer(request):
            self._answer(instead)
            return
        connection = self.owner.upstream()
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
            connection.request(self.command, self.path, body or None, headers)
            response = connection.getresponse()
            if request.is_write:
                content = response.read()
                self.owner.written(request)
                self._head(response, str(len(content)))
                self.wfile.write(content)
            else:
                self._stream(response)
        # The client or the API server is gone.
        except (OSError, http.client.HTTPException):
            self.close_connection = True
        finally:
            connection.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815 - the library's names

    def _answer(self, answer: Answer) -> None:
        content = (json.dumps(answer.body) + "\n").encode()
        self.send_response(answer.code)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        for name, value in {**headers, **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _head(self, response: http.client.HTTPResponse, length: str | None) -> None:
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", length)
        self.end_headers()

    def _stream(self, response: http.client.HTTPResponse) -> None:
        self._head(response, None)
        while content := response.read1(_CHUNK):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
