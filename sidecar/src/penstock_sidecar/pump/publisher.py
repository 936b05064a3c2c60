"""One output: publishes batches as the engine says."""

import logging
from collections.abc import Callable, Sequence

from penstock.plugin import Message, PenstockError, PubSub, TemporaryError
from penstock_sidecar.engine import Event, events

_LOG = logging.getLogger(__name__)


class Publisher:
    """Publishes to one stream.

    Args:
        number: The output's number.
        name: Its alias.
        pubsub: Its gateway.
        topic: Its topic there.
        tell: The engine's ear.
    """

    def __init__(
        self, number: int, name: str, pubsub: PubSub, topic: str, tell: Callable[[Event], None]
    ) -> None:
        self._number = number
        self._name = name
        self._pubsub = pubsub
        self._topic = topic
        self._tell = tell

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish a batch, and tell what became of it."""
        try:
            results = await self._pubsub.publish(self._topic, messages)
        except PenstockError as error:
            if isinstance(error, TemporaryError):
                self._warn(len(messages), error)
            self._tell(events.PublishFailed(self._number, error))
            return
        refusals = [result for result in results if isinstance(result, TemporaryError)]
        if refusals:
            self._warn(len(refusals), refusals[0])
        self._tell(events.Published(self._number, results))

    def _warn(self, count: int, error: TemporaryError) -> None:
        _LOG.warning(
            "output %s: publishing %d messages again after: %s",
            self._name,
            count,
            error,
            extra={"output": self._name, "topic": self._topic},
        )
