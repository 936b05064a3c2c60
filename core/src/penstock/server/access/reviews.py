"""The two questions that Kubernetes answers: who has this token, and may this user do that?"""

import json
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import aiohttp

from penstock.plugin import NotReady, StreamName, UsageError
from penstock.resources.models import GROUP
from penstock.server.access.caller import Caller

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its own token and the authority of the API server."""

_TIMEOUT = aiohttp.ClientTimeout(total=10)


class Reviews:
    """Asks an API server; used from `async with` on until that is left.

    Args:
        server: Its URL.
        folder: The files `token`, which is read anew for each question because it is replaced
            every hour or so, and `ca.crt`.
    """

    def __init__(self, server: str, folder: Path = SERVICE_ACCOUNT) -> None:
        self._server = server.rstrip("/")
        self._folder = folder
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def of_this_pod(cls, environment: Mapping[str, str]) -> Self:
        """Ask the API server of the cluster in which this runs.

        Raises:
            UsageError: It runs in none.
        """
        host = environment.get("KUBERNETES_SERVICE_HOST")
        port = environment.get("KUBERNETES_SERVICE_PORT")
        if not host or not port or not (SERVICE_ACCOUNT / "token").exists():
            raise UsageError(
                "access is decided by the API server of the cluster in which the gateway runs, "
                "and this is no pod with a service account: set automountServiceAccountToken on "
                "it, or serve without --access"
            )
        return cls(f"https://{f'[{host}]' if ':' in host else host}:{port}")

    async def __aenter__(self) -> Self:
        trust = ssl.create_default_context(cafile=str(self._folder / "ca.crt"))
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust), timeout=_TIMEOUT
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()

    async def authenticate(self, token: str, audiences: Sequence[str]) -> Caller | None:
        """Who has a token; ``None``: it is nobody's, or not meant for any of the audiences.

        Raises:
            NotReady: The API server does not answer.
        """
        spec: dict[str, Any] = {"token": token, "audiences": list(audiences)}
        status = await self._review("authentication.k8s.io", "TokenReview", spec)
        meant = set(status.get("audiences", ())) & set(audiences)
        if not status.get("authenticated") or not meant:
            return None
        user = status["user"]
        extra = user.get("extra") or {}
        return Caller(
            user["username"],
            user.get("uid", ""),
            tuple(user.get("groups") or ()),
            tuple((key, tuple(values)) for key, values in extra.items()),
        )

    async def is_allowed(self, caller: Caller, verb: str, stream: StreamName) -> bool:
        """Whether a user may do something with a Stream.

        Raises:
            NotReady: The API server does not answer.
        """
        spec = {
            "user": caller.name,
            "uid": caller.uid,
            "groups": caller.groups,
            "extra": dict(caller.extra),
            "resourceAttributes": {
                "namespace": stream.namespace,
                "name": stream.name,
                "verb": verb,
                "group": GROUP,
                "resource": "streams",
            },
        }
        status = await self._review("authorization.k8s.io", "SubjectAccessReview", spec)
        return bool(status.get("allowed"))

    async def _review(self, group: str, kind: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        assert self._session, "used within async with"
        body = {"apiVersion": f"{group}/v1", "kind": kind, "spec": spec}
        url = f"{self._server}/apis/{group}/v1/{kind.lower()}s"
        try:
            own_token = (self._folder / "token").read_text().strip()
            headers = {"Authorization": f"Bearer {own_token}"}
            async with self._session.post(url, json=body, headers=headers) as response:
                text = await response.text()
                if response.status >= 300:
                    raise NotReady(f"it cannot be decided who may do this: {_reason(text)}")
                status: Mapping[str, Any] = json.loads(text).get("status") or {}
                return status
        # What went wrong may quote what was sent, and that was a token.
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise NotReady(
                "it cannot be decided who may do this: the API server does not answer "
                f"({type(error).__name__})"
            ) from None


def _reason(text: str) -> str:
    try:
        return str(json.loads(text)["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return "the API server refuses to say"
