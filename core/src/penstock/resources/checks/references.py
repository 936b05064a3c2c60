"""Gateways, streams and secrets that are named and must be there."""

from collections.abc import Iterator, Sequence

from penstock.resources.declaration import Declaration
from penstock.resources.kubernetes_secret import Secret
from penstock.resources.models import ConcreteGateway, Processor, Resource, Stream
from penstock.resources.problem import Problem
from penstock.resources.secrets import SecretReference, secret_references
from penstock.resources.source import FieldPath
from penstock.resources.suggestion import did_you_mean, listing


def reference_problems(declarations: Sequence[Declaration], *, local: bool) -> Iterator[Problem]:
    """References to what is not declared, or is in another namespace.

    Args:
        declarations: What the manifests declare.
        local: Whether Secrets must be declared as well; a cluster has them.
    """
    # What is of no known kind may be what is missed; that its kind is wrong is said elsewhere.
    unclear = {
        (one.namespace, one.name)
        for one in declarations
        if not one.is_gateway and one.kind not in ("Stream", "Processor", Secret.kind)
    }
    gateways = _Names("gateway", [one for one in declarations if one.is_gateway], unclear)
    streams = _Names("Stream", [one for one in declarations if one.kind == "Stream"], unclear)
    declared_secrets = [one for one in declarations if one.kind == Secret.kind]
    secrets = _Names(
        Secret.kind,
        declared_secrets,
        unclear,
        none="there is none: name its manifest as well, or a file in its place",
    )
    for resource in (one.resource for one in declarations):
        if isinstance(resource, Stream):
            path: FieldPath = ("spec", "gateway", "name")
            yield from gateways.missing(resource, path, resource.spec.gateway.name)
        if isinstance(resource, Processor):
            sides = (("inputs", resource.spec.inputs), ("outputs", resource.spec.outputs))
            for side, bindings in sides:
                for index, binding in enumerate(bindings):
                    path = ("spec", side, index, "stream")
                    yield from streams.missing(resource, path, binding.stream)
            if name := resource.spec.delivery.dead_letter_stream:
                path = ("spec", "delivery", "deadLetter", "stream")
                yield from streams.missing(resource, path, name)
        if local and isinstance(resource, ConcreteGateway):
            for reference in secret_references(resource.spec):
                if name := reference.source.secret_name:
                    path = ("spec", *reference.path, "secretName")
                    yield from secrets.missing(resource, path, name)
                    yield from _missing_key(resource, reference, declared_secrets)


def _missing_key(
    gateway: ConcreteGateway, reference: SecretReference, secrets: Sequence[Declaration]
) -> Iterator[Problem]:
    """A key that a Secret is declared without."""
    name, key = reference.source.secret_name, reference.source.key
    for secret in (one.resource for one in secrets):
        if not isinstance(secret, Secret) or key in secret.data:
            continue
        if (secret.namespace, secret.name) == (gateway.metadata.namespace, name):
            there = f"there are: {listing(secret.data)}" if secret.data else "there is none"
            message = f'no key "{key}" in Secret "{name}" at {secret.source} ({there})'
            message += did_you_mean(key, secret.data)
            yield Problem.about(gateway, ("spec", *reference.path, "key"), message)


class _Names:
    """The names of one kind that are declared, by namespace."""

    def __init__(
        self,
        kind: str,
        declarations: Sequence[Declaration],
        unclear: set[tuple[str, str]],
        none: str = "there is none",
    ) -> None:
        self._kind = kind
        self._none = none
        self._unclear = unclear
        self._by_namespace: dict[str, set[str]] = {}
        for one in declarations:
            self._by_namespace.setdefault(one.namespace, set()).add(one.name)

    def missing(self, resource: Resource, path: FieldPath, name: str) -> Iterator[Problem]:
        namespace = resource.metadata.namespace
        names = self._by_namespace.get(namespace, set()) - {""}
        if name in names or (namespace, name) in self._unclear:
            return
        there = f"there are: {listing(names)}" if names else self._none
        message = f'no {self._kind} "{name}" in namespace "{namespace}" ({there})'
        last = name.rpartition("/")[2]
        elsewhere = sorted(
            other for other, declared in self._by_namespace.items() if last in declared
        )
        if elsewhere:
            message += f'; one is in namespace "{elsewhere[0]}", and references stay within theirs'
        else:
            message += did_you_mean(name, names)
        yield Problem.about(resource, path, message)
