"""Consumer groups: their members, their positions, who reads which partition."""

from penstock_kafka.groups.groups import Groups

__all__ = ["Groups"]
