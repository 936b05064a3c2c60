"""Access tokens: fetched once, renewed in time, and what is said when there is none."""

import asyncio
import base64
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import trustme

from penstock_kafka.security import OAuth
from penstock_kafka.security.token import TokenProvider, TokenUnavailable
from tests.servers.tokens import TokenServer

CLIENT, SECRET = "franz", "s3cret/+=%"


class Endpoint:
    """A token endpoint that answers what a test wants it to.

    Attributes:
        status, headers, body: Of the next answers.
        asked: The form and the authorization of each request.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b'{"access_token": "a token", "expires_in": 60}'
        self.asked: list[tuple[dict[str, list[str]], str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.uri = f"{'https' if context else 'http'}://127.0.0.1:{self._server.server_port}/token"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                endpoint.asked.append((parse_qs(form), self.headers["Authorization"]))
                self.send_response(endpoint.status)
                for name, value in endpoint.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(endpoint.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Requests are not logged."""

        return Handler


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    with TokenServer({CLIENT: "secret"}, lifetime=100) as tokens:
        yield tokens


@pytest.fixture
def now() -> list[float]:
    """The time, in seconds: `now[0] += 60` lets a minute pass."""
    return [0.0]


MakeProvider = Callable[..., TokenProvider]


@pytest.fixture
def provider(tmp_path: Path, now: list[float]) -> MakeProvider:
    """Makes providers for an endpoint."""

    def make(uri: str, secret: str = SECRET, **fields: Any) -> TokenProvider:
        file = tmp_path / "secret"
        file.write_text(f"{secret}\n")
        given = {"tokenEndpointUri": uri, "clientId": CLIENT, "clientSecret": {"file": str(file)}}
        auth = OAuth.model_validate({"type": "oauth", **given, **fields})
        return TokenProvider(auth, lambda: now[0])

    return make


async def why_not(provider: TokenProvider) -> str:
    """Why there is no token, after the field and the endpoint."""
    with pytest.raises(TokenUnavailable) as refusal:
        await provider.token()
    text = str(refusal.value.args[0])
    assert SECRET not in text
    return text.partition("/token: ")[2]


async def test_a_token_is_used_for_most_of_its_life(
    tokens: TokenServer, provider: MakeProvider, now: list[float]
) -> None:
    given = provider(tokens.token_url, "secret")
    first = await given.token()
    now[0] = 79
    assert (await given.token(), tokens.issued) == (first, 1)
    now[0] = 80
    await given.token()
    assert tokens.issued == 2
    now[0] = 159
    await given.token()
    assert tokens.issued == 2


async def test_connections_share_a_request(tokens: TokenServer, provider: MakeProvider) -> None:
    given = provider(tokens.token_url, "secret")
    assert len(set(await asyncio.gather(*(given.token() for _ in range(10))))) == 1
    assert tokens.issued == 1


async def test_a_token_that_brokers_refuse_is_fetched_anew(
    tokens: TokenServer, provider: MakeProvider
) -> None:
    given = provider(tokens.token_url, "secret")
    await given.token()
    given.forget()
    await given.token()
    assert tokens.issued == 2


async def test_a_token_is_used_to_its_end_while_there_is_no_other(
    endpoint: Endpoint,
    provider: MakeProvider,
    now: list[float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    given = provider(endpoint.uri)
    assert await given.token() == "a token"
    endpoint.status, now[0] = 503, 59
    assert await given.token() == "a token"
    assert "the access token cannot be renewed as yet: auth.tokenEndpointUri" in caplog.text
    now[0] = 60
    assert await why_not(given) == "it answers with status 503"
    endpoint.status = 200
    assert await given.token() == "a token"


@pytest.mark.parametrize("lifetime", ["", ', "expires_in": null', ', "expires_in": "soon"'])
async def test_a_token_whose_end_is_not_told_is_used_once(
    lifetime: str, endpoint: Endpoint, provider: MakeProvider
) -> None:
    endpoint.body = f'{{"access_token": "once"{lifetime}}}'.encode()
    given = provider(endpoint.uri)
    assert [await given.token(), await given.token()] == ["once", "once"]
    assert len(endpoint.asked) == 2


async def test_a_lifetime_may_be_a_text(
    endpoint: Endpoint, provider: MakeProvider, now: list[float]
) -> None:
    endpoint.body = b'{"access_token": "a", "expires_in": "100"}'
    given = provider(endpoint.uri)
    await given.token()
    now[0] = 79
    await given.token()
    assert len(endpoint.asked) == 1


async def test_what_is_asked_for(endpoint: Endpoint, provider: MakeProvider) -> None:
    await provider(endpoint.uri).token()
    await provider(endpoint.uri, scope="kafka all", audience="prod").token()
    grant = {"grant_type": ["client_credentials"]}
    assert [form for form, _ in endpoint.asked] == [
        grant,
        {**grant, "scope": ["kafka all"], "audience": ["prod"]},
    ]
    pair = base64.b64decode(endpoint.asked[0][1].removeprefix("Basic ")).decode()
    assert pair == "franz:s3cret%2F%2B%3D%25", "as RFC 6749 has it"


async def test_the_clients_secret_is_read_for_each_request(
    tokens: TokenServer, provider: MakeProvider, tmp_path: Path
) -> None:
    given = provider(tokens.token_url, "wrong")
    assert await why_not(given) == "it answers with status 401, invalid_client"
    (tmp_path / "secret").write_text("secret")
    assert await given.token()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, b'{"error": "invalid_scope"}', "it answers with status 400, invalid_scope"),
        (
            401,
            b'{"error": "invalid_client", "error_description": "No such\\nclient"}',
            "it answers with status 401, invalid_client: No such client",
        ),
        (500, b"<html>oh no</html>", "it answers with status 500"),
        (404, b'["no", "object"]', "it answers with status 404"),
        (200, b'{"token": "x"}', "its answer has no access_token"),
        (200, b'{"access_token": 5}', "its answer has no access_token"),
        (200, b"not JSON", "its answer has no access_token"),
    ],
)
async def test_a_refusal(
    status: int, body: bytes, said: str, endpoint: Endpoint, provider: MakeProvider
) -> None:
    endpoint.status, endpoint.body = status, body
    assert await why_not(provider(endpoint.uri)) == said


async def test_an_endpoint_that_repeats_the_secret_is_not_repeated(
    endpoint: Endpoint, provider: MakeProvider
) -> None:
    endpoint.status = 401
    endpoint.body = json.dumps({"error": f"wrong secret: {SECRET}"}).encode()
    assert await why_not(provider(endpoint.uri)) == "it answers with status 401, wrong secret: …"


async def test_a_redirect_is_not_followed(
    endpoint: Endpoint, tokens: TokenServer, provider: MakeProvider
) -> None:
    endpoint.status, endpoint.headers = 302, {"Location": tokens.token_url}
    said = await why_not(provider(endpoint.uri, "secret"))
    assert said == "it answers with status 302, a redirect, which is not followed"
    assert tokens.issued == 0


async def test_an_endpoint_that_is_not_there(provider: MakeProvider) -> None:
    assert await why_not(provider("http://127.0.0.1:1/token")) == "nothing listens there"
    said = await why_not(provider("http://nowhere.invalid/token"))
    assert said.startswith("the host's name cannot be resolved")


async def test_https_with_an_authority_of_ones_own(tmp_path: Path, provider: MakeProvider) -> None:
    authority = trustme.CA()
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    endpoint = Endpoint(context)
    try:
        trusting = provider(endpoint.uri, tlsTrustedCertificates=[{"file": str(file)}])
        assert await trusting.token() == "a token"
        assert await why_not(provider(endpoint.uri)) == (
            "nobody who is trusted vouches for its certificate: put its authority into "
            "auth.tlsTrustedCertificates"
        )
    finally:
        endpoint.close()
