"""Any gateway over the network: the client side of both gateway protocols."""

from penstock.wire.remote.pubsub import RemotePubSub

__all__ = ["RemotePubSub"]
