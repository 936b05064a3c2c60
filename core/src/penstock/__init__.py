"""penstock: streaming gateways on Kubernetes and on a laptop, extended by plugins."""

from importlib.metadata import version

__version__ = version("penstock")
