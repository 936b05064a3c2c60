"""The project's own kinds, made known to an API server."""

from pathlib import Path

import yaml

from tests.servers.kubernetes_api import KubernetesApi, Object, is_condition

CRDS = Path(__file__).parents[2] / "crds"
API_VERSION = "apiextensions.k8s.io/v1"


def definitions() -> list[Object]:
    """What `crds/` holds."""
    return [
        yaml.safe_load(file.read_text())
        for file in sorted(CRDS.glob("streaming.projectriff.io_*.yaml"))
    ]


def define_resources(api: KubernetesApi) -> None:
    """Apply `crds/`, and wait until the kinds can be used."""
    for one in api.apply(*definitions()):
        name = one["metadata"]["name"]
        api.eventually(
            API_VERSION, "CustomResourceDefinition", "", name, is_condition("Established")
        )
