"""Who watches the data path: metrics and traces, each there only where it is asked for."""

from penstock_sidecar.observability.observer import Membership, Observer
from penstock_sidecar.observability.opening import open_observer

__all__ = ["Membership", "Observer", "open_observer"]
