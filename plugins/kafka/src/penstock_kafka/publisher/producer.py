"""The one producer of a publisher, connected when it is needed and replaced when it is spent."""

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ClusterAuthorizationFailedError, TopicAuthorizationFailedError
from aiokafka.producer.message_accumulator import BatchBuilder

from penstock_kafka.cluster import REQUEST_SECONDS, Cluster
from penstock_kafka.publisher.numbered_client import NumberedClient

SENDING_BYTES = 64 * 1024 * 1024
"""What is sent at a time. aiokafka puts all that waits for a broker into one request, and a broker
hangs up on one of more than 100 MiB (`socket.request.max.bytes`)."""


class Producer:
    """Sends batches by an idempotent producer: a broker stores each once, however often it is sent.

    Args:
        cluster: Where to.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._client: NumberedClient | None = None
        self._starting = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()
        self._sending_bytes = 0
        self._room = asyncio.Event()

    async def send(self, batch: BatchBuilder, topic: str, partition: int) -> int:
        """Have a batch stored, and return the offset of its first record.

        There is no limit of time, because a batch that is given up may be stored nevertheless,
        and then behind those that came later.

        Raises:
            KafkaError: As `NumberedClient.send`.
            NotReady: No broker answers.
        """
        size = batch.size()
        while self._sending_bytes and self._sending_bytes + size > SENDING_BYTES:
            self._room.clear()
            await self._room.wait()
        self._sending_bytes += size
        try:
            client = await self._connected()
            return await client.send(batch, topic, partition)
        finally:
            self._sending_bytes -= size
            self._room.set()

    def partitions(self, topic: str) -> int:
        """How many partitions a topic had when the brokers were asked last; 0: that is not known.

        They are asked regularly about topics that batches were sent to.
        """
        return self._client.partitions(topic) if self._client else 0

    async def renew(self) -> None:
        """Look for the brokers anew: all that were known may have moved.

        Raises:
            NotReady: No broker answers.
        """
        if self._client is not None:
            await self._cluster.renew(self._client.connections)

    async def close(self) -> None:
        """Hang up; nothing may be on its way that somebody still waits for."""
        self._retire()
        if self._closing:
            await asyncio.wait(self._closing)

    async def _connected(self) -> NumberedClient:
        async with self._starting:
            if self._client is None or self._client.spent:
                self._retire()
                self._client = await self._connect()
            return self._client

    async def _connect(self) -> NumberedClient:
        await self._cluster.admin()  # says best why no broker answers
        producer = AIOKafkaProducer(enable_idempotence=True, **self._cluster.client_settings())
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                await producer.start()
        except BaseException as error:
            await producer.stop()
            if isinstance(error, ClusterAuthorizationFailedError):
                # What brokers say to who may not write to any topic.
                raise TopicAuthorizationFailedError from error
            raise
        return NumberedClient(producer)

    def _retire(self) -> None:
        """Let go of the client; what it has on its way goes on."""
        if self._client is not None:
            closing = asyncio.create_task(self._client.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            self._client = None
