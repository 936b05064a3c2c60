"""One look at one resource: what is there, what is desired, and the writes between the two."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from penstock.operator import concrete_gateway, gateway, processor, stream
from penstock.operator.comparison import is_as_desired
from penstock.operator.conditions import Verdict, condition, observed_status
from penstock.operator.dependents import (
    BUILD_API_VERSION,
    Key,
    gateway_name,
    key_of,
    stream_names,
)
from penstock.operator.deprovisioning import (
    FINALIZER,
    is_held,
    is_to_be_held,
    reconcile_deleted,
)
from penstock.operator.desired import Desired, KubernetesObject
from penstock.operator.edge.cache import Cache
from penstock.operator.edge.client import FIELD_MANAGER, Conflict, KubernetesClient
from penstock.operator.edge.provisioner import ProvisionerClient
from penstock.operator.ownership import is_owned
from penstock.operator.provisioning import ProvisionRequest, deprovision_request
from penstock.plugin import Address, GatewayKind, PenstockError, TemporaryError
from penstock.resources.models import API_VERSION

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServedKind:
    """A kind of gateway that is turned into a `Gateway` here, and the image that serves it."""

    kind: GatewayKind
    image: str


class Reconciler:
    """Brings resources to what they desire, one at a time.

    Args:
        cache: What is there.
        client: Writes.
        provisioner: Asks gateways for streams.
        kinds: The kinds of gateways that are served here, by name.
        sidecar_image: What runs beside functions.
        clock: Gives the time.
    """

    def __init__(
        self,
        cache: Cache,
        client: KubernetesClient,
        provisioner: ProvisionerClient,
        *,
        kinds: Mapping[str, ServedKind],
        sidecar_image: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cache = cache
        self._client = client
        self._provisioner = provisioner
        self._kinds = kinds
        self._sidecar_image = sidecar_image
        self._clock = clock
        self._answers: dict[Key, tuple[ProvisionRequest, Address]] = {}
        self._said: dict[Key, str] = {}

    async def reconcile(self, key: Key) -> bool:
        """Look at a resource; returns whether nothing is left to be tried again."""
        resource = self._cache.get(*key)
        goes = resource is None or "deletionTimestamp" in resource["metadata"]
        if goes:
            self._answers.pop(key, None)
        if resource is None or (goes and not is_held(resource)):
            self._said.pop(key, None)
            return True
        try:
            if goes:
                settled = await self._deleted_stream(resource)
            else:
                settled = await self._reconcile(key, resource)
        except PenstockError as error:
            if not isinstance(error, Conflict):
                self._say(key, str(error))
            return False
        self._said.pop(key, None)
        return settled

    async def _reconcile(self, key: Key, resource: KubernetesObject) -> bool:
        desired, settled = await self._decide(key, resource)
        if await self._make(desired.children):
            # Looked at with what was made: a status on the way there would be one write for each.
            desired, settled = await self._decide(key, self._cache.get(*key) or resource)
        await self._say_status(resource, desired)
        # A name that others have is looked at again: nobody tells when it gets free.
        return settled and not _waits_for_strangers(desired)

    async def _decide(self, key: Key, resource: KubernetesObject) -> tuple[Desired, bool]:
        """What a resource desires, and whether nothing of it is left to be tried again."""
        match key.kind:
            case "Gateway":
                return await self._gateway(resource), True
            case "Stream":
                return await self._stream(key, resource)
            case "Processor":
                return await self._processor(resource), True
            case _:
                return await self._concrete_gateway(resource, self._kinds[key.kind]), True

    async def _concrete_gateway(self, resource: KubernetesObject, served: ServedKind) -> Desired:
        name = resource["metadata"]["name"]
        config_map = concrete_gateway.config_map_name(name, served.kind)
        observed = concrete_gateway.ObservedConcreteGateway(
            resource,
            await self._look(resource, API_VERSION, "Gateway", name),
            await self._look(resource, "v1", "ConfigMap", config_map),
        )
        return concrete_gateway.reconcile(
            observed, served.kind, image=served.image, now=self._now()
        )

    async def _gateway(self, resource: KubernetesObject) -> Desired:
        metadata = resource["metadata"]
        name = gateway.child_of_gateway(metadata["name"])
        streams = self._cache.all("Stream", metadata["namespace"])
        observed = gateway.ObservedGateway(
            resource,
            await self._look(resource, "apps/v1", "Deployment", name),
            await self._look(resource, "v1", "Service", name),
            [key_of(one).name for one in streams if gateway_name(one) == metadata["name"]],
        )
        return gateway.reconcile(observed, self._now())

    async def _stream(self, key: Key, resource: KubernetesObject) -> tuple[Desired, bool]:
        if is_to_be_held(resource) != is_held(resource):
            resource = await self._hold(resource, holds=is_to_be_held(resource))
        gateway_of_stream = self._gateway_of(resource)
        request = stream.request_of(resource, gateway_of_stream)
        answer = await self._provision(key, request)
        # Whose a name is matters to who is about to take it.
        makes = isinstance(answer, Address)
        observed = stream.ObservedStream(
            resource,
            await self._look(
                resource, "v1", "ConfigMap", stream.metadata_name(key.name), strangers=makes
            ),
            await self._look(
                resource, "v1", "Secret", stream.secret_name(key.name), strangers=makes
            ),
        )
        settled = not isinstance(answer, TemporaryError)
        return stream.reconcile(observed, answer, self._now()), settled

    async def _deleted_stream(self, resource: KubernetesObject) -> bool:
        """Have the data of a Stream removed; returns whether it may go."""
        answer: PenstockError | Verdict | None = None
        if is_to_be_held(resource):
            request = deprovision_request(resource, self._gateway_of(resource))
            if isinstance(request, Verdict):
                answer = request
            else:
                answer = await self._provisioner.deprovision(request)
        desired = reconcile_deleted(resource, answer, self._now())
        if desired.releases:
            await self._tell(resource, desired)
            await self._hold(resource, holds=False)
        else:
            await self._say_status(resource, desired)
        return desired.releases

    async def _hold(self, resource: KubernetesObject, *, holds: bool) -> KubernetesObject:
        found = await self._client.hold(resource, [FINALIZER] if holds else [])
        self._cache.put(found)
        return found

    def _gateway_of(self, resource: KubernetesObject) -> KubernetesObject | None:
        return self._cache.get("Gateway", resource["metadata"]["namespace"], gateway_name(resource))

    async def _provision(
        self, key: Key, request: ProvisionRequest | Verdict
    ) -> Address | PenstockError | Verdict:
        if isinstance(request, Verdict):
            return request
        asked, known = self._answers.get(key, (None, None))
        if known is not None and asked == request:
            return known
        answer = await self._provisioner.provision(request)
        if isinstance(answer, Address):
            self._answers[key] = (request, answer)
            _LOG.info("%s is topic %s at %s", key, answer.topic, answer.gateway)
        return answer

    async def _processor(self, resource: KubernetesObject) -> Desired:
        metadata = resource["metadata"]
        namespace = metadata["namespace"]
        name = processor.deployment_name(metadata["name"])
        streams = {one: self._binding(namespace, one) for one in stream_names(resource)}
        # As with a Stream: until they are bound, nothing is made.
        bound = all(one.config_map and one.secret for one in streams.values())
        observed = processor.ObservedProcessor(
            resource,
            streams,
            await self._build(resource),
            await self._look(resource, "apps/v1", "Deployment", name, strangers=bound),
        )
        return processor.reconcile(observed, sidecar_image=self._sidecar_image, now=self._now())

    def _binding(self, namespace: str, name: str) -> processor.ObservedStreamBinding:
        found = self._cache.get("Stream", namespace, name)
        children = (
            self._cache.get("ConfigMap", namespace, stream.metadata_name(name)),
            self._cache.get("Secret", namespace, stream.secret_name(name)),
        )
        owned = [one if one and found and is_owned(one, found) else None for one in children]
        return processor.ObservedStreamBinding(found, *owned)

    async def _build(self, resource: KubernetesObject) -> KubernetesObject | None:
        build = resource["spec"].get("build") or {}
        namespace = resource["metadata"]["namespace"]
        for kind, field in (("Function", "functionRef"), ("Container", "containerRef")):
            if name := build.get(field):
                found = self._cache.get(kind, namespace, name)
                return found or await self._client.get(BUILD_API_VERSION, kind, namespace, name)
        return None

    async def _look(
        self,
        parent: KubernetesObject,
        api_version: str,
        kind: str,
        name: str,
        *,
        strangers: bool = True,
    ) -> KubernetesObject | None:
        """What is there under the name of a child.

        Strangers' objects are not watched: where they are looked for, the API server is asked.
        """
        namespace = parent["metadata"]["namespace"]
        found = self._cache.get(kind, namespace, name)
        if strangers and (found is None or not is_owned(found, parent)):
            found = await self._client.get(api_version, kind, namespace, name)
        return found

    async def _make(self, children: Sequence[KubernetesObject]) -> bool:
        """Apply what is not as desired; returns whether there was any."""
        made = False
        for child in children:
            metadata = child["metadata"]
            before = self._cache.get(child["kind"], metadata["namespace"], metadata["name"])
            if not is_as_desired(child, before, FIELD_MANAGER):
                self._cache.put(await self._client.apply(child))
                made = True
                verb = "made" if before is None else "updated"
                _LOG.info("%s %s %s", verb, child["kind"], metadata["name"])
        return made

    async def _say_status(self, resource: KubernetesObject, desired: Desired) -> None:
        if desired.status != observed_status(resource):
            self._cache.put(await self._client.apply_status(resource, desired.status))
            await self._tell(resource, desired)

    async def _tell(self, resource: KubernetesObject, desired: Desired) -> None:
        for event in desired.events:
            level = logging.WARNING if event.type == "Warning" else logging.INFO
            title = f'{resource["kind"]} "{resource["metadata"]["name"]}"'
            _LOG.log(level, "%s: %s: %s", title, event.reason, event.message)
            try:
                await self._client.record(event, resource, self._now())
            except PenstockError as error:
                # Nothing depends on it.
                _LOG.warning("an event was not recorded: %s", error)

    def _say(self, key: Key, message: str) -> None:
        if self._said.get(key) != message:
            self._said[key] = message
            _LOG.warning("%s: %s; trying again", key, message)

    def _now(self) -> str:
        return self._clock().strftime("%Y-%m-%dT%H:%M:%SZ")


def _waits_for_strangers(desired: Desired) -> bool:
    found = condition({"status": desired.status}, "Stalled")
    return found.get("reason") in ("NotOwned", stream.BINDING_FAILED)
