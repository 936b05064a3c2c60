"""The contract between penstock and a gateway plugin. Plugin authors import this one module."""

from importlib import import_module
from typing import TYPE_CHECKING

from penstock.plugin.errors import (
    ContentTypeMismatch,
    NotReady,
    PenstockError,
    PermanentError,
    PositionExpired,
    TemporaryError,
    Unsupported,
    UsageError,
)
from penstock.plugin.gateway import Gateway, Health, PublishResult, PubSub
from penstock.plugin.group import AtOffsets, AtTime, Edge, Group, Start, start_of_version
from penstock.plugin.hooks import GatewayFactory, PubSubFactory, hookimpl
from penstock.plugin.kind import Capability, GatewayKind
from penstock.plugin.manager import BrokenPlugin, Plugin, Plugins, load_plugins
from penstock.plugin.message import NO_HEADERS, Message, Position, Record
from penstock.plugin.sharing import share_out
from penstock.plugin.stream import Address, DeletionPolicy, Retention, StreamName, StreamSettings
from penstock.plugin.subscription import (
    READ_BYTES,
    Assigned,
    Revoked,
    Subscription,
    SubscriptionEvent,
    is_unheard_of,
)

if TYPE_CHECKING:
    from penstock.duration import Duration
    from penstock.plugin.secret import SecretSource
    from penstock.quantity import Quantity
else:
    _TYPES_OF_FIELDS = {
        "Duration": "penstock.duration",
        "Quantity": "penstock.quantity",
        "SecretSource": "penstock.plugin.secret",
    }

    def __getattr__(name: str) -> object:
        """The types of a spec's fields, imported when a plugin asks: pydantic takes its time."""
        if name not in _TYPES_OF_FIELDS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_TYPES_OF_FIELDS[name]), name)


__all__ = [
    "NO_HEADERS",
    "READ_BYTES",
    "Address",
    "Assigned",
    "AtOffsets",
    "AtTime",
    "BrokenPlugin",
    "Capability",
    "ContentTypeMismatch",
    "DeletionPolicy",
    "Duration",
    "Edge",
    "Gateway",
    "GatewayFactory",
    "GatewayKind",
    "Group",
    "Health",
    "Message",
    "NotReady",
    "PenstockError",
    "PermanentError",
    "Plugin",
    "Plugins",
    "Position",
    "PositionExpired",
    "PubSub",
    "PubSubFactory",
    "PublishResult",
    "Quantity",
    "Record",
    "Retention",
    "Revoked",
    "SecretSource",
    "Start",
    "StreamName",
    "StreamSettings",
    "Subscription",
    "SubscriptionEvent",
    "TemporaryError",
    "Unsupported",
    "UsageError",
    "hookimpl",
    "is_unheard_of",
    "load_plugins",
    "share_out",
    "start_of_version",
]
