"""The Secrets of a run: files that its user alone can read, laid out as a cluster mounts them."""

from collections.abc import Collection
from pathlib import Path

from penstock.resources.kubernetes_secret import Secret
from penstock.resources.models import ConcreteGateway
from penstock.resources.secrets import mounted, secret_references


def mount_secrets(
    gateways: Collection[ConcreteGateway], secrets: Collection[Secret], folder: Path
) -> list[ConcreteGateway]:
    """Write what the gateways name, at `<folder>/<namespace>/<secret>/<key>`, and nothing else.

    Args:
        gateways: Those of the run.
        secrets: Those of the run; each that a gateway names is there, with the key.
        folder: Made here; whoever calls removes it.

    Returns:
        The gateways, each with the files in place of the Secrets. A relative file begins at the
        folder of the gateway's manifest.
    """
    values = {(one.namespace, one.name): one.data for one in secrets}
    result = []
    for gateway in gateways:
        namespace = gateway.metadata.namespace
        for _, source in secret_references(gateway.spec):
            if source.secret_name:
                value = values[namespace, source.secret_name][source.key]
                _write(value, folder, namespace, source.secret_name, source.key)
        beside = gateway.source.file.parent.absolute()
        spec = mounted(gateway.spec, folder.absolute() / namespace, beside)
        result.append(gateway.model_copy(update={"spec": spec}))
    return result


def _write(value: bytes, folder: Path, namespace: str, name: str, key: str) -> None:
    place = folder
    place.mkdir(mode=0o700, exist_ok=True)
    for part in (namespace, name):
        place = place / part
        place.mkdir(mode=0o700, exist_ok=True)
    file = place / key
    file.touch(mode=0o600)
    file.write_bytes(value)
