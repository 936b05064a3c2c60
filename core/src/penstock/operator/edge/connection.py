"""How the API server is reached: from within the cluster, or as a kubeconfig says."""

import logging
import os
from pathlib import Path

import kopf
import yaml

from penstock.plugin import UsageError

# What kopf's reading of a kubeconfig that is none comes to.
_UNREADABLE = (OSError, AttributeError, KeyError, TypeError, ValueError)


def find_connection() -> kopf.ConnectionInfo:
    """The service account of the pod; without one, the kubeconfig.

    Raises:
        UsageError: There is neither, or it cannot be read.
    """
    settings = kopf.OperatorSettings()
    try:
        found = kopf.login_with_service_account(
            settings=settings, logger=logging.getLogger(__name__)
        ) or kopf.login_with_kubeconfig(settings=settings, logger=logging.getLogger(__name__))
    except (*_UNREADABLE, kopf.LoginError, yaml.YAMLError) as error:
        where = os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
        raise UsageError(f"the kubeconfig {where} cannot be used: {error!r}") from error
    if found is None:
        raise UsageError(
            "there is no Kubernetes to talk to: run it in a pod with a service account, or name "
            "a kubeconfig in KUBECONFIG"
        )
    return found
