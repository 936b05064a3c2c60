"""A client of Kubernetes' API for tests: objects are plain mappings, paths those of the API."""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

Object = dict[str, Any]

PATIENCE = 30.0
"""Seconds before a test that waits for the cluster gives up."""
INTERVAL = 0.05
"""Seconds between two looks."""
APPLIER = "kubectl-of-the-tests"


class Refused(Exception):
    """The API server refused a request.

    Attributes:
        code: The HTTP status.
        message: What it said.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class KubernetesApi:
    """Requests to an API server, one at a time.

    Args:
        url: Where it is.
        token: Who asks.
        authority: The certificate of who vouches for the server.
    """

    def __init__(self, url: str, token: str, authority: Path) -> None:
        self._address = urlsplit(url)
        self._context = ssl.create_default_context(cafile=authority)
        self._token = token
        self._authority = authority
        self.url = url

    def as_token(self, token: str) -> "KubernetesApi":
        """The same API for somebody else."""
        return KubernetesApi(self.url, token, self._authority)

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Object:
        """What a request answers.

        Raises:
            Refused: The status is 400 or more.
        """
        assert self._address.hostname
        connection = http.client.HTTPSConnection(
            self._address.hostname, self._address.port, context=self._context, timeout=PATIENCE
        )
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": content_type,
            "Accept": accept,
        }
        content = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        try:
            found: Object = json.loads(text)
        except ValueError:
            found = {"message": text}
        if response.status >= 400:
            raise Refused(response.status, str(found.get("message", text)))
        return found

    def apply(self, *objects: Mapping[str, Any]) -> list[Object]:
        """Make objects as they are given, as `kubectl apply --server-side` does."""
        query = f"?fieldManager={APPLIER}&force=true"
        content_type = "application/apply-patch+yaml"
        return [self.request("PATCH", path_of(one) + query, one, content_type) for one in objects]

    def create(self, value: Mapping[str, Any]) -> Object:
        """Make an object that is not there yet."""
        return self.request("POST", path_of(value).rpartition("/")[0], value)

    def get(self, api_version: str, kind: str, namespace: str, name: str) -> Object:
        """An object.

        Raises:
            Refused: With code 404, it is not there.
        """
        return self.request("GET", path(api_version, kind, namespace, name))

    def find(self, api_version: str, kind: str, namespace: str, name: str) -> Object | None:
        """An object, where it is there."""
        try:
            return self.get(api_version, kind, namespace, name)
        except Refused as error:
            if error.code == 404:
                return None
            raise

    def all(
        self, api_version: str, kind: str, namespace: str = "", query: str = ""
    ) -> list[Object]:
        """The objects of a kind, in all namespaces if none is named."""
        answer = self.request("GET", path(api_version, kind, namespace) + query)
        items: Sequence[Object] = answer["items"]
        return [{"apiVersion": api_version, "kind": kind, **one} for one in items]

    def table(self, path: str) -> Object:
        """What `kubectl get` shows of a path."""
        return self.request(
            "GET", path, accept="application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
        )

    def patch(self, value: Mapping[str, Any], change: object, subresource: str = "") -> Object:
        """Merge a change into an object."""
        where = path_of(value) + (f"/{subresource}" if subresource else "")
        return self.request("PATCH", where, change, "application/merge-patch+json")

    def delete(self, value: Mapping[str, Any], *, cascade: str = "Background") -> None:
        """Have an object go; it may be there for a while yet."""
        self.request("DELETE", path_of(value), {"propagationPolicy": cascade})

    def eventually(
        self,
        api_version: str,
        kind: str,
        namespace: str,
        name: str,
        is_so: Callable[[Object], bool] = lambda _: True,
        *,
        seconds: float = PATIENCE,
    ) -> Object:
        """An object, once it is there and as it should be.

        Raises:
            AssertionError: It is not so in time; with the object as it is.
        """
        deadline = time.monotonic() + seconds
        while True:
            found = self.find(api_version, kind, namespace, name)
            if found is not None and is_so(found):
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"not so after {seconds} s: {json.dumps(found, indent=1)}")
            time.sleep(INTERVAL)

    def eventually_gone(
        self,
        api_version: str,
        kind: str,
        namespace: str,
        name: str,
        *,
        seconds: float = PATIENCE,
    ) -> None:
        """Wait until an object is not there.

        Raises:
            AssertionError: It stays; with the object as it is.
        """
        deadline = time.monotonic() + seconds
        while (found := self.find(api_version, kind, namespace, name)) is not None:
            if time.monotonic() > deadline:
                raise AssertionError(f"there after {seconds} s: {json.dumps(found, indent=1)}")
            time.sleep(INTERVAL)

    def token_of(self, namespace: str, service_account: str) -> str:
        """A token of a service account, good for an hour."""
        where = path("v1", "ServiceAccount", namespace, service_account)
        answer = self.request("POST", f"{where}/token", {"spec": {"expirationSeconds": 3600}})
        return str(answer["status"]["token"])


def path(api_version: str, kind: str, namespace: str = "", name: str = "") -> str:
    """The path of an object; without a name, of all of its kind."""
    parts = ["/apis" if "/" in api_version else "/api", api_version]
    if namespace:
        parts += ["namespaces", namespace]
    parts.append(f"{kind.lower()}s".replace("policys", "policies"))
    if name:
        parts.append(quote(name))
    return "/".join(parts)


def path_of(value: Mapping[str, Any]) -> str:
    """The path of an object that has a name."""
    metadata = value["metadata"]
    return path(value["apiVersion"], value["kind"], metadata.get("namespace", ""), metadata["name"])


def condition(value: Mapping[str, Any], type_: str) -> Mapping[str, Any]:
    """A condition of an object; empty: there is none."""
    conditions: Iterable[Mapping[str, Any]] = (value.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one["type"] == type_), {})


def is_condition(type_: str, status: str = "True", reason: str = "") -> Callable[[Object], bool]:
    """Whether a condition of an object is so, of the spec as it is now."""

    def is_so(value: Object) -> bool:
        found = condition(value, type_)
        generation = value["metadata"].get("generation", 0)
        return (
            found.get("status") == status
            and (not reason or found.get("reason") == reason)
            and found.get("observedGeneration", generation) == generation
        )

    return is_so
