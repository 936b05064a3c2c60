"""The few requests that the operator makes to the API server, besides watching."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import aiohttp
import kopf

from penstock.operator.desired import Event, KubernetesObject
from penstock.plugin import NotReady, PermanentError, TemporaryError

FIELD_MANAGER: Final = "penstock"

_TIMEOUT = aiohttp.ClientTimeout(total=30)
_PAGE = 500  # objects in one answer
_NAMES = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_NAME_LIMIT = 200  # characters of a resource's name that begin an Event's name


class Conflict(PermanentError):
    """Somebody else was first: what is there has to be looked at again."""


class Versions(NamedTuple):
    """Which objects there are.

    Attributes:
        version: The resource version as of which this is so.
        uids: What tells them from all others.
    """

    version: int
    uids: set[str]


class KubernetesClient:
    """Reads and applies objects; used from `async with` on until that is left.

    Args:
        connection: Where the API server is, and who one is.
    """

    def __init__(self, connection: kopf.ConnectionInfo) -> None:
        self._connection = connection
        self._server = connection.server.rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        self.writes = 0
        """Requests so far that could change something."""

    async def __aenter__(self) -> "KubernetesClient":
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._connection.as_ssl_context()),
            headers=self._connection.as_http_headers(),
            timeout=_TIMEOUT,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()

    async def get(
        self, api_version: str, kind: str, namespace: str, name: str
    ) -> KubernetesObject | None:
        """An object, or ``None`` where it is not there.

        Raises:
            TemporaryError: Ask again.
            PermanentError: It is not allowed.
        """
        return await self._request("GET", path_of(api_version, kind, namespace, name))

    async def versions(
        self, api_version: str, kind: str, namespace: str, selector: str
    ) -> "Versions":
        """Which objects of a kind there are.

        Args:
            api_version: The group and version of the kind.
            kind: The kind.
            namespace: Where; empty: everywhere.
            selector: Labels that they have; empty: all.

        Raises:
            TemporaryError: Ask again.
            PermanentError: It is not allowed.
        """
        path = path_of(api_version, kind, namespace)
        query = {"limit": str(_PAGE), "labelSelector": selector}
        uids: set[str] = set()
        while True:
            page = await self._request("GET", f"{path}?{urlencode(query)}", accept=_NAMES) or {}
            uids |= {one["metadata"]["uid"] for one in page.get("items") or ()}
            metadata = page.get("metadata", {})
            if not metadata.get("continue"):
                # A kind that nobody knows has no objects, and no version: nothing follows of it.
                return Versions(int(metadata.get("resourceVersion", -1)), uids)
            query["continue"] = metadata["continue"]

    async def kinds(self, api_version: str) -> set[str]:
        """The kinds that the API server serves of a version of a group.

        Raises:
            TemporaryError: Ask again.
            PermanentError: It is not allowed.
        """
        found = await self._request("GET", f"/apis/{api_version}") or {}
        return {str(one["kind"]) for one in found.get("resources", ())}

    async def apply(self, desired: KubernetesObject) -> KubernetesObject:
        """Make an object what is desired, on the server; returns it as it is then.

        Raises:
            TemporaryError: Try again.
            PermanentError: It is refused.
        """
        return await self._apply(_path_of(desired), desired)

    async def apply_status(
        self, resource: KubernetesObject, status: Mapping[str, Any]
    ) -> KubernetesObject:
        """Make a resource's status what is desired; returns the resource as it is then.

        Raises:
            Conflict: The resource is gone, or another of its name is there.
            TemporaryError: Try again.
            PermanentError: It is refused.
        """
        desired = {**_identity(resource), "status": status}
        return await self._apply(f"{_path_of(resource)}/status", desired)

    async def hold(self, resource: KubernetesObject, finalizers: Sequence[str]) -> KubernetesObject:
        """Have a resource stay, when it is deleted, until these finalizers are gone.

        Args:
            resource: The resource.
            finalizers: Those of penstock; others' stay as they are. None lets it go.

        Raises:
            Conflict: The resource is gone, or another of its name is there.
            TemporaryError: Try again.
            PermanentError: It is refused.
        """
        desired = _identity(resource)
        desired["metadata"] |= {"finalizers": list(finalizers)} if finalizers else {}
        return await self._apply(_path_of(resource), desired)

    async def record(self, event: Event, resource: KubernetesObject, now: str) -> None:
        """Tell people of an event.

        Raises:
            PenstockError: It cannot be stored.
        """
        metadata = resource["metadata"]
        namespace = metadata["namespace"]
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "generateName": f"{metadata['name'][:_NAME_LIMIT]}.",
                "namespace": namespace,
            },
            "involvedObject": {
                "apiVersion": resource["apiVersion"],
                "kind": resource["kind"],
                "name": metadata["name"],
                "namespace": namespace,
                "uid": metadata["uid"],
            },
            "type": event.type,
            "reason": event.reason,
            "message": event.message[:1024],
            "source": {"component": FIELD_MANAGER},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        await self._request("POST", f"/api/v1/namespaces/{namespace}/events", body)

    async def _apply(self, path: str, desired: KubernetesObject) -> KubernetesObject:
        query = f"?fieldManager={FIELD_MANAGER}&force=true"
        found = await self._request("PATCH", path + query, desired, "application/apply-patch+yaml")
        if found is None:
            raise Conflict(f"{path} is not there: its namespace, its kind or its owner is gone")
        return found

    async def _request(
        self,
        method: str,
        path: str,
        body: KubernetesObject | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> KubernetesObject | None:
        assert self._session, "the client is used within async with"
        self.writes += method != "GET"
        content = None if body is None else json.dumps(body)
        headers = {"Accept": accept, **({"Content-Type": content_type} if content else {})}
        asking: AbstractAsyncContextManager[aiohttp.ClientResponse] = self._session.request(
            method, self._server + path, data=content, headers=headers
        )
        try:
            async with asking as response:
                if response.status < 400:
                    found: KubernetesObject = await response.json()
                    return found
                if response.status == 404:
                    return None
                raise _error(response, await response.text())
        except (aiohttp.ClientError, TimeoutError) as error:
            message = f"the API server does not answer: {type(error).__name__} {error}".strip()
            raise NotReady(message) from error


def path_of(api_version: str, kind: str, namespace: str, name: str = "") -> str:
    """The path of an object on the API server; without a name, of all of its kind.

    Args:
        api_version: The group and version of the kind.
        kind: The kind.
        namespace: Where; empty: everywhere.
        name: The object's name.
    """
    root = "/apis" if "/" in api_version else "/api"
    where = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}/{api_version}{where}/{kind.lower()}s" + (f"/{name}" if name else "")


def _identity(resource: KubernetesObject) -> dict[str, Any]:
    """What tells a resource from all others; with its uid, nobody makes anew what is gone."""
    metadata = resource["metadata"]
    return {
        "apiVersion": resource["apiVersion"],
        "kind": resource["kind"],
        "metadata": {field: metadata[field] for field in ("name", "namespace", "uid")},
    }


def _path_of(value: KubernetesObject) -> str:
    metadata = value["metadata"]
    return path_of(value["apiVersion"], value["kind"], metadata["namespace"], metadata["name"])


def _error(response: aiohttp.ClientResponse, text: str) -> Exception:
    try:
        message = str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        message = " ".join(text.split())[:300]
    message = f"{response.method} {response.url.path}: {message or response.reason}"
    if response.status == 409:
        return Conflict(message)
    if response.status == 429 or response.status >= 500:
        after = response.headers.get("Retry-After", "")
        return TemporaryError(message, float(after) if after.isdigit() else None)
    return PermanentError(message)
