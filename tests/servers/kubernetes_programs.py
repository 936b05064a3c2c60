"""Where etcd and the control plane of Kubernetes are; `scripts/kubernetes.sh` builds them."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.servers.installation import cache_folder
from tests.servers.requirement import Unavailable

MODULE = Path(__file__).parents[2] / "scripts" / "kubernetes" / "go.mod"


@dataclass(frozen=True)
class KubernetesPrograms:
    """The programs that make an API of Kubernetes without any node."""

    etcd: Path
    api_server: Path
    controller_manager: Path

    @classmethod
    def find(cls) -> Self:
        """Those in the folder that KUBEBUILDER_ASSETS names, otherwise those that were built.

        Raises:
            Unavailable: One is missing.
        """
        named = os.environ.get("KUBEBUILDER_ASSETS")
        folder = Path(named) if named else cache_folder() / f"kubernetes-{version()}"
        names = ("etcd", "kube-apiserver", "kube-controller-manager")
        programs = [folder / name for name in names]
        if missing := [one.name for one in programs if not os.access(one, os.X_OK)]:
            raise Unavailable(
                f"there is no {', '.join(missing)} in {folder}: build what is missing with "
                "scripts/kubernetes.sh, or name a folder by KUBEBUILDER_ASSETS"
            )
        return cls(*programs)


def version() -> str:
    """The version of Kubernetes that is built."""
    found = re.search(r"^\s*k8s\.io/kubernetes v(\S+)$", MODULE.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]
