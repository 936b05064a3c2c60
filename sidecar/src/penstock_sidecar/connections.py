"""The ways to the streams: past the gateway where a plugin here can, through it elsewhere."""

import json
import logging
from contextlib import AsyncExitStack
from functools import cached_property
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from penstock.plugin import Plugins, PubSub, UsageError, load_plugins
from penstock.wire.remote import RemotePubSub
from penstock_sidecar.bindings import Binding

_LOG = logging.getLogger(__name__)


class Connections:
    """One connection to each gateway or messaging system, shared by all streams of it.

    Args:
        batches: Whether gateways are tried with penstock's protocol first; else riff's is spoken.
    """

    def __init__(self, *, batches: bool) -> None:
        self._batches = batches
        self._stack = AsyncExitStack()
        self._open: dict[str, PubSub] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def to(self, binding: Binding) -> PubSub:
        """What publishes and subscribes to a stream, open.

        Raises:
            UsageError: The settings of its messaging system are wrong.
        """
        way = self._way(binding)
        if way not in self._open:
            pubsub = self._direct(binding) or RemotePubSub(binding.gateway, batches=self._batches)
            self._open[way] = await self._stack.enter_async_context(pubsub)
        return self._open[way]

    def is_direct(self, binding: Binding) -> bool:
        """Whether a stream is reached past its gateway."""
        return self._way(binding) != binding.gateway

    def _way(self, binding: Binding) -> str:
        """What two streams share when they can share a connection."""
        connection = binding.connection
        plugin = connection and self._plugins.by_kind.get(connection.kind)
        if connection is None or not plugin or not plugin.pubsub:
            return binding.gateway
        return json.dumps([connection.kind, connection.spec], sort_keys=True)

    def _direct(self, binding: Binding) -> PubSub | None:
        connection = binding.connection
        plugin = connection and self._plugins.by_kind.get(connection.kind)
        if connection is None or not plugin or not plugin.pubsub:
            return None
        try:
            return plugin.pubsub(plugin.kind.spec.model_validate(connection.spec))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, ("spec", *first["loc"])))
            file = binding.folder / "secret" / "connection"
            raise UsageError(f"{file}: {field}: {first['msg']}") from error

    @cached_property
    def _plugins(self) -> Plugins:
        plugins = load_plugins()
        for broken in plugins.broken:
            _LOG.warning("plugin %s is not used: %s", broken.name, broken.reason)
        return plugins
