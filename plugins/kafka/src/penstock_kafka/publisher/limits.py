"""What a topic does not take: messages above a size, or without a key."""

import asyncio

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from penstock.plugin import Message, PermanentError, TemporaryError
from penstock_kafka.cluster import Cluster
from penstock_kafka.errors import CLIENT_ERRORS

DEFAULT_BYTES = 1_048_588
"""A broker's `message.max.bytes`, unless it is told another."""

_SETTING = "max.message.bytes"

_TRUSTED_SECONDS = 30.0
"""For so long messages are refused here."""

_REMEMBERED_SECONDS = 600.0
"""For so long batches are not larger than the topic took."""


class Limits:
    """What is known of one topic. It may change at any time: what is learned is soon asked anew.

    Brokers are asked, or judge by refusing. A message that is known to be refused is not sent:
    each refusal costs the producer its numbering, and so everybody a new producer.

    Args:
        cluster: Where the topic is.
        topic: The topic.
    """

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self._cluster = cluster
        self._topic = topic
        self._setting: int | None = None
        self._max_bytes = DEFAULT_BYTES
        self._trusted_until = self._remembered_until = 0.0
        self._unkeyed_refused_until = 0.0

    @property
    def max_bytes(self) -> int:
        """The largest batch that the topic takes, as far as is known."""
        return self._max_bytes if _now() < self._remembered_until else DEFAULT_BYTES

    @property
    def refuses_unkeyed(self) -> bool:
        """Whether the topic refused a message without a key a moment ago."""
        return _now() < self._unkeyed_refused_until

    async def refuses(self, size: int) -> bool:
        """Whether a batch of this size is known to be refused.

        Args:
            size: Bytes.
        """
        if size > self.max_bytes and _now() >= self._trusted_until:
            await self._read()
        return size > self.max_bytes and _now() < self._trusted_until

    async def learn_refusal(self, size: int, records: int) -> None:
        """A broker refused a batch as too large.

        Args:
            size: Its bytes.
            records: How many records were in it.
        """
        await self._read()
        if self._setting is None or size <= self._setting:  # unknown, or another limit
            is_certain = records == 1
            self._learn(size - 1 if is_certain else size // 2, is_certain)

    def learn_unkeyed_refusal(self) -> None:
        """A broker refused a batch for its messages without a key."""
        self._unkeyed_refused_until = _now() + _TRUSTED_SECONDS

    def too_large(self, size: int) -> PermanentError:
        """What to say of a message.

        Args:
            size: Its bytes, with key and headers.
        """
        said = f"{_SETTING} is {self._setting}" if self._setting else f"see its {_SETTING}"
        return PermanentError(
            f"a message of {size} bytes with its key and headers is larger than topic "
            f"{self._topic} takes: {said}; raise it in the config of the stream, or send less"
        )

    def unkeyed(self, message: Message) -> PermanentError | None:
        """What to say of a message of a topic that refuses those without a key."""
        if message.key:
            return None
        return PermanentError(
            f"topic {self._topic} is compacted (cleanup.policy) and takes no message without a "
            "key: publish it with one"
        )

    async def _read(self) -> None:
        """Ask the brokers, where they let this client ask."""
        self._setting = None
        resource = ConfigResource(ConfigResourceType.TOPIC, self._topic, {_SETTING: ""})
        try:
            (answer,) = await (await self._cluster.admin()).describe_configs([resource])
        except (*CLIENT_ERRORS, TemporaryError):
            return
        for _, _, _, _, entries in answer.resources:
            for entry in entries:
                self._setting = int(entry[1])
                self._learn(self._setting, is_certain=True)

    def _learn(self, max_bytes: int, is_certain: bool) -> None:
        self._max_bytes = max_bytes
        self._remembered_until = _now() + _REMEMBERED_SECONDS
        self._trusted_until = _now() + _TRUSTED_SECONDS if is_certain else 0.0


def _now() -> float:
    return asyncio.get_running_loop().time()
