"""Fetching partitions of a topic ahead of who reads them: one request to each leader at a time.

aiokafka's own consumer holds up all partitions of a broker while one of them is being read, and
forgets what it has fetched of all of them when one comes or goes.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest

from penstock.plugin import PenstockError
from penstock_kafka.cluster import Cluster
from penstock_kafka.errors import CLIENT_ERRORS, error_of
from penstock_kafka.groups.batches import Aborted
from penstock_kafka.groups.buffer import Buffer
from penstock_kafka.groups.client import hang_up, open_client
from penstock_kafka.groups.topic_state import look_at
from penstock_kafka.topics.layout import NOBODY
from penstock_kafka.topics.requests import Requests

FETCH_BYTES = 512 * 1024
"""What is fetched of a partition at a time, or one batch; a buffer holds twice as much at most."""
ALL_BYTES = 16 * 1024 * 1024
"""What is fetched at a time of all partitions of a member, where they are many."""

_LEAST_BYTES = 32 * 1024
_REPLY_BYTES = 4 * 1024 * 1024
_READ_COMMITTED = 1

# While nothing new comes, a leader holds a request back for so long, and with it those partitions
# that have got room in the meantime.
_IDLE_MILLISECONDS = 250
_BUSY_MILLISECONDS = 50
_PAUSE = 0.1  # seconds until a partition whose leader is away is tried again

_OTHER_LEADER = frozenset({3, 5, 6, 9, 56, 74, 75, 78, 100, 103})
"""Codes that a broker answers with who does not lead a partition, or not yet, or no more."""


class Fetcher:
    """Fills the buffers of partitions, as long as they have room.

    Args:
        cluster: The cluster.
        topic: The topic.
    """

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self._cluster = cluster
        self._topic = topic
        self._look = Requests(cluster)
        self._buffers: dict[int, Buffer] = {}
        self._leaders: Mapping[int, int] = {}
        self._topic_id = b""
        self._requests: dict[int, asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self._client: AIOKafkaClient | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect.

        Raises:
            TemporaryError: The cluster is away.
            PermanentError: The cluster refuses it.
        """
        self._client = await open_client(self._cluster, f"connecting to read topic {self._topic}")
        self._task = asyncio.create_task(self._run(self._client))

    async def close(self) -> None:
        """Hang up."""
        tasks = [*self._requests.values(), *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        client, self._client = self._client, None
        if client:
            await hang_up(client)

    def add(self, buffers: Mapping[int, Buffer]) -> None:
        """Fill the buffers of these partitions too."""
        self._buffers |= buffers
        self._news.set()

    def remove(self, partitions: Iterable[int]) -> None:
        """Fill the buffers of these partitions no more."""
        for partition in partitions:
            self._buffers.pop(partition, None)

    def wake(self) -> None:
        """Look anew at which buffers have room."""
        self._news.set()

    async def _run(self, client: AIOKafkaClient) -> None:
        while True:
            self._news.clear()
            for leader, partitions in self._due().items():
                if leader not in self._requests:
                    request = asyncio.create_task(self._ask(client, leader, partitions))
                    self._requests[leader] = request
                    request.add_done_callback(partial(self._done, leader))
            await self._news.wait()

    def _done(self, leader: int, _: asyncio.Task[None]) -> None:
        del self._requests[leader]
        self._news.set()

    def _due(self) -> dict[int, list[int]]:
        """Partitions whose buffers have room, by leader."""
        due: dict[int, list[int]] = defaultdict(list)
        for partition, buffer in self._buffers.items():
            if buffer.has_room:
                due[self._leaders.get(partition, NOBODY)].append(partition)
        return due

    async def _ask(self, client: AIOKafkaClient, leader: int, partitions: list[int]) -> None:
        try:
            if leader == NOBODY:
                await self._find_leaders(client)
            elif await self._fetch(client, leader, partitions):
                return
            else:
                await asyncio.sleep(_PAUSE)
                await self._find_leaders(client)
        except (*CLIENT_ERRORS, PenstockError):
            # Who led them is away, or starting: somebody else may lead them by now.
            self._leaders = {}
            await asyncio.sleep(_PAUSE)
        # Whoever reads must hear even of a bug: nobody else would.
        except Exception as error:  # noqa: BLE001
            for partition in partitions:
                if buffer := self._buffers.get(partition):
                    buffer.fail(error)

    async def _fetch(self, client: AIOKafkaClient, leader: int, partitions: list[int]) -> bool:
        """Fetch from a leader; whether it leads all these partitions."""
        # Meanwhile some may have been taken out.
        here = [partition for partition in partitions if partition in self._buffers]
        if not here:
            return True
        asked = {partition: self._buffers[partition].next_fetch for partition in here}
        led = sum(1 for one in self._buffers if self._leaders.get(one) == leader)
        size = max(_LEAST_BYTES, min(FETCH_BYTES, ALL_BYTES // len(self._buffers)))
        request = FetchRequest(
            _IDLE_MILLISECONDS if len(asked) == led else _BUSY_MILLISECONDS,
            1,
            _REPLY_BYTES,
            _READ_COMMITTED,
            [(self._topic, [(at, offset, size) for at, offset in asked.items()])],
        )
        reply = await client.send(leader, request)
        if code := getattr(reply, "error_code", 0):
            raise error_of(code)
        leads = True
        for entry in _entries(reply):
            buffer = self._buffers.get(entry["partition"])
            # It may have been taken out by now, or put somewhere else.
            if buffer and buffer.next_fetch == asked[entry["partition"]]:
                leads &= self._take_in(entry, buffer)
        return leads

    def _take_in(self, entry: Mapping[str, Any], buffer: Buffer) -> bool:
        """Buffer what was fetched; whether the broker leads the partition."""
        code, partition = entry["error_code"], entry["partition"]
        if code in _OTHER_LEADER:
            return False
        if code:
            buffer.fail(error_of(code))
        elif entry["message_set"]:
            aborted = (Aborted(*one) for one in entry["aborted_transactions"] or ())
            buffer.add(entry["message_set"], aborted)
            # A reply has room for so much: next time, others come first.
            self._buffers[partition] = self._buffers.pop(partition)
        return True

    async def _find_leaders(self, client: AIOKafkaClient) -> None:
        topic = await look_at(self._look, self._topic)
        self._topic_id = self._topic_id or (topic.id if topic else b"")
        # Of one that was made anew nothing is fetched: its offsets mean something else.
        self._leaders = topic.leaders if topic and topic.id == self._topic_id else {}
        if any(client.cluster.broker_metadata(one) is None for one in self._leaders.values()):
            await client.force_metadata_update()
        if NOBODY in self._due():
            await asyncio.sleep(_PAUSE)


def _entries(reply: Any) -> Iterator[Mapping[str, Any]]:
    """What a reply has of each partition, by name; aiokafka's own way stumbles over null lists."""
    topics = reply.SCHEMA.fields[reply.SCHEMA.names.index("topics")].array_of
    names = topics.fields[topics.names.index("partitions")].array_of.names
    for _, partitions in reply.topics:
        for entry in partitions:
            yield dict(zip(names, entry, strict=True))
