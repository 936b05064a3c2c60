"""Where the partitions of topics begin and end, and where a time is in them."""

import asyncio
from collections import defaultdict
from collections.abc import Collection
from time import monotonic

from aiokafka.errors import LeaderNotAvailableError
from aiokafka.protocol.offset import OffsetRequest, OffsetResetStrategy

from penstock.plugin import PenstockError, TemporaryError
from penstock_kafka.errors import CLIENT_ERRORS, error_of, translated
from penstock_kafka.topics.layout import NOBODY, find_layout
from penstock_kafka.topics.requests import Requests

PATIENCE = 10.0
"""Seconds in which a partition has to have a leader that answers."""

_PAUSE = 0.1  # seconds between two tries
_CLIENT = -1  # who asks, where a broker would give its id
_READ_COMMITTED = 1
_LAST_TIME = 2**63 - 1


class Offsets:
    """Asks the leaders of partitions for offsets, all of one leader with one request.

    A partition ends where committed records do: before the first record of a transaction that
    is still open (the last stable offset).

    Each method raises `TemporaryError` where a partition has no leader that answers, as is so
    where the topic or the partition is gone.

    Args:
        requests: What asks.
    """

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def earliest(self, topic: str, partitions: Collection[int]) -> dict[int, int]:
        """The first offset that is kept, by partition; the end where none is."""
        return await self._ask(topic, partitions, OffsetResetStrategy.EARLIEST)

    async def ends(self, topic: str, partitions: Collection[int]) -> dict[int, int]:
        """The offset behind the last committed record, by partition."""
        return await self._ask(topic, partitions, OffsetResetStrategy.LATEST)

    async def at(
        self, topic: str, timestamp_ms: int, partitions: Collection[int]
    ) -> dict[int, int]:
        """The first record stored at or after a time, by partition; the end where there is none.

        Args:
            topic: The topic.
            timestamp_ms: Milliseconds since the epoch.
            partitions: Which ones.
        """
        # The ends first: a record that is stored between the two answers must not be skipped.
        ends = await self.ends(topic, partitions)
        # Times below 0 would mean something else to the broker.
        time = min(max(timestamp_ms, 0), _LAST_TIME)
        found = await self._ask(topic, partitions, time)
        return {p: offset if offset >= 0 else ends[p] for p, offset in found.items()}

    async def _ask(self, topic: str, partitions: Collection[int], timestamp: int) -> dict[int, int]:
        """Offsets by partition; tried again for a while, because leaders move."""
        deadline = monotonic() + PATIENCE
        while True:
            try:
                return await self._ask_once(topic, partitions, timestamp)
            except CLIENT_ERRORS as error:
                told = translated(error, f"reading offsets of topic {topic}")
                if not _passes(told) or monotonic() > deadline:
                    raise told from error
            await asyncio.sleep(_PAUSE)

    async def _ask_once(
        self, topic: str, partitions: Collection[int], timestamp: int
    ) -> dict[int, int]:
        layout = await find_layout(self._requests, topic)
        if layout is None:
            raise TemporaryError(f"reading offsets of topic {topic}: there is no such topic")
        led: defaultdict[int, list[int]] = defaultdict(list)
        for partition in partitions:
            leader = layout.leaders.get(partition, NOBODY)
            if leader == NOBODY:
                raise LeaderNotAvailableError(f"partition {partition} has no leader")
            led[leader].append(partition)
        replies = await asyncio.gather(
            *(self._ask_leader(leader, topic, led[leader], timestamp) for leader in led)
        )
        return {partition: offset for reply in replies for partition, offset in reply}

    async def _ask_leader(
        self, leader: int, topic: str, partitions: list[int], timestamp: int
    ) -> list[tuple[int, int]]:
        asked = [(topic, [(partition, timestamp) for partition in partitions])]
        reply = await self._requests.send(OffsetRequest(_CLIENT, _READ_COMMITTED, asked), leader)
        (answered,) = reply.to_object()["topics"]
        for answer in answered["partitions"]:
            if answer["error_code"]:
                raise error_of(answer["error_code"], f"partition {answer['partition']}")
        return [(answer["partition"], answer["offset"]) for answer in answered["partitions"]]


def _passes(error: PenstockError) -> bool:
    """Whether an error is soon over by itself; what somebody must act on is tried later."""
    return isinstance(error, TemporaryError) and error.retry_after is None
