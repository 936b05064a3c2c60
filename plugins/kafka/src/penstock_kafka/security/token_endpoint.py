"""Where access tokens are had for a client's credentials: OAuth 2.0, RFC 6749, section 4.4."""

import base64
import json
from http.client import HTTPException
from typing import IO, Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from penstock.plugin import NotReady, SecretSource
from penstock_kafka.faults import NOT_TRUSTED, fault
from penstock_kafka.security.auth import OAuth
from penstock_kafka.security.context import client_context
from penstock_kafka.security.secret import of_field

TIMEOUT_SECONDS = 10.0
_TRUSTED = "auth.tlsTrustedCertificates"
_LARGEST = 1024 * 1024
_SHOWN = 200


class Grant(NamedTuple):
    """What a token endpoint gives.

    Attributes:
        token: The access token.
        lifetime: Seconds that it is good for; ``None`` where that is not told.
    """

    token: str
    lifetime: float | None


class TokenEndpoint:
    """Asks for tokens; each call reads the client's secret anew.

    Args:
        auth: Where to ask, and with what.
        secret: The client's secret.
    """

    def __init__(self, auth: OAuth, secret: SecretSource) -> None:
        self._auth = auth
        self._secret = secret

    def fetch(self) -> Grant:
        """Ask for a token; blocks for as long as that takes.

        Raises:
            NotReady: There is none to be had.
        """
        with of_field("auth.clientSecret"):
            secret = self._secret.text()
        context = client_context(_TRUSTED, self._auth.tls_trusted_certificates)
        opener = build_opener(_NoRedirects, HTTPSHandler(context=context))
        try:
            with opener.open(self._request(secret), timeout=TIMEOUT_SECONDS) as reply:
                return self._grant(reply)
        except HTTPError as error:
            with error:
                said = _refusal(error)
            # A careless endpoint may repeat what it was sent.
            raise self._failed(said.replace(secret, "…") if secret else said) from None
        except URLError as error:
            raise self._failed(_why_not(error.reason)) from error
        except OSError as error:
            raise self._failed(_why_not(error)) from error
        except HTTPException as error:
            raise self._failed("it does not speak HTTP") from error

    def _request(self, secret: str) -> Request:
        asked = {"scope": self._auth.scope, "audience": self._auth.audience}
        form = {"grant_type": "client_credentials"} | {k: v for k, v in asked.items() if v}
        pair = f"{quote(self._auth.client_id, safe='')}:{quote(secret, safe='')}"
        headers = {
            "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
            "Accept": "application/json",
        }
        return Request(self._auth.token_endpoint_uri, urlencode(form).encode(), headers)  # noqa: S310 - the spec takes http and https alone

    def _grant(self, reply: IO[bytes]) -> Grant:
        content = _content(reply)
        token = content.get("access_token")
        if not isinstance(token, str) or not token:
            raise self._failed("its answer has no access_token")
        try:
            lifetime = float(content["expires_in"])
        except (KeyError, TypeError, ValueError):
            lifetime = 0.0
        return Grant(token, lifetime if lifetime > 0 else None)

    def _failed(self, said: str) -> NotReady:
        return NotReady(f"auth.tokenEndpointUri: {self._auth.token_endpoint_uri}: {said}")


class _NoRedirects(HTTPRedirectHandler):
    """A redirect is a refusal: credentials go to the endpoint that the spec names, only there."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


def _why_not(reason: BaseException | str) -> str:
    words = reason if isinstance(reason, str) else fault(reason)
    return f"{words}: put its authority into {_TRUSTED}" if words == NOT_TRUSTED else words


def _refusal(error: HTTPError) -> str:
    content = _content(error)
    texts = [content.get(name) for name in ("error", "error_description")]
    said = ": ".join(" ".join(text.split()) for text in texts if isinstance(text, str) and text)
    if error.code in range(300, 400):
        said = "a redirect, which is not followed"
    return f"it answers with status {error.code}{f', {said[:_SHOWN]}' if said else ''}"


def _content(reply: IO[bytes]) -> dict[str, Any]:
    try:
        content = json.loads(reply.read(_LARGEST))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
