"""An OAuth 2 token endpoint on the loopback, with the keys that its tokens are checked with."""

import base64
import json
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from tests.servers.ports import HOST

KEY_ID = "tests"
AUDIENCE = "kafka"


class TokenServer:
    """Gives JSON web tokens for client credentials; a context manager.

    Args:
        secrets: The secret of each client, by its id, which becomes the token's subject.
        lifetime: Seconds that a token is good for.

    Attributes:
        issued: How many tokens it has given.
    """

    def __init__(self, secrets: Mapping[str, str], lifetime: float = 3600.0) -> None:
        self._secrets = secrets
        self._key = generate_private_key(public_exponent=65_537, key_size=2048)
        self.lifetime = lifetime
        self.issued = 0
        self._server = ThreadingHTTPServer((HOST, 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def issuer(self) -> str:
        """Who the tokens say that they are from."""
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def token_url(self) -> str:
        """Where a client posts its credentials."""
        return f"{self.issuer}/token"

    @property
    def keys_url(self) -> str:
        """Where a broker gets the keys from."""
        return f"{self.issuer}/keys"

    def token(self, subject: str, lifetime: float | None = None) -> str:
        """A token for a subject.

        Args:
            subject: The name that the broker sees.
            lifetime: Seconds; a negative one gives a token that has expired.
        """
        now = time.time()
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": int(now),
            "exp": int(now + (self.lifetime if lifetime is None else lifetime)),
        }
        header = {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
        signed = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{encoded(self._key.sign(signed.encode(), PKCS1v15(), SHA256()))}"

    def keys(self) -> dict[str, Any]:
        """The public key, as a JSON web key set."""
        numbers = self._key.public_key().public_numbers()
        modulus, exponent = (
            encoded(number.to_bytes((number.bit_length() + 7) // 8, "big"))
            for number in (numbers.n, numbers.e)
        )
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID}
        return {"keys": [{**key, "n": modulus, "e": exponent}]}

    def grant(self, form: Mapping[str, str], authorization: str) -> tuple[HTTPStatus, object]:
        """The answer to a request for a token: its status and its JSON.

        The credentials are in the form, or in the header of the Basic scheme.
        """
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        if authorization.startswith("Basic "):
            pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
            client, _, secret = pair.partition(":")
        if form.get("grant_type") != "client_credentials":
            return HTTPStatus.BAD_REQUEST, {"error": "unsupported_grant_type"}
        if client not in self._secrets or self._secrets[client] != secret:
            return HTTPStatus.UNAUTHORIZED, {"error": "invalid_client"}
        self.issued += 1
        token = {"access_token": self.token(client), "token_type": "Bearer"}
        return HTTPStatus.OK, {**token, "expires_in": int(self.lifetime)}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        tokens = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/keys":
                    self._answer(HTTPStatus.OK, tokens.keys())
                else:
                    self._answer(HTTPStatus.NOT_FOUND, {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                if self.path == "/token":
                    self._answer(*tokens.grant(form, self.headers.get("Authorization", "")))
                else:
                    self._answer(HTTPStatus.NOT_FOUND, {})

            def _answer(self, status: HTTPStatus, content: object) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Requests are not logged."""

        return Handler


def encoded(octets: bytes) -> str:
    """Base64 as web tokens have it: for URLs, without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
