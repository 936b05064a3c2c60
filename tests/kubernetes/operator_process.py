"""The operator as its command starts it, except that all gateways are at one address.

`python -m tests.kubernetes.operator_process PROVISIONER TYPES NAMESPACE…`, with KUBECONFIG.
"""

import os
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

from penstock.cli.operator import serve, served_kinds
from penstock.observability.log import set_up_log
from penstock.operator.edge.connection import find_connection
from penstock.operator.edge.operator import Operator
from penstock.plugin import load_plugins


def main(provisioner: str, types: str, namespaces: Sequence[str]) -> None:
    """Serve until SIGTERM.

    Args:
        provisioner: Where the provisioner of every gateway is, as `host:port`.
        types: The types of gateways that are served besides, with commas.
        namespaces: Where; none: everywhere.
    """
    set_up_log(os.environ)
    operator = Operator(
        find_connection(),
        core=True,
        kinds=served_kinds(types.split(","), load_plugins(), {}),
        namespaces=namespaces,
        sidecar_image="penstock-sidecar:test",
        sweep_seconds=float(os.environ.get("SWEEP_SECONDS", "300")),
        health_port=int(os.environ["HEALTH_PORT"]) if "HEALTH_PORT" in os.environ else None,
        resolve=lambda url: f"http://{provisioner}{urlsplit(url).path}",
    )
    serve(operator)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
