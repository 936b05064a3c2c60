"""Messages by number, published and read all the time, to see what a fault does to them."""

import asyncio
from typing import Final

from penstock.plugin import Message, PermanentError, TemporaryError
from penstock.testing.expectation import BrokenPromise, expect
from penstock.testing.member import Member
from penstock.testing.rig import Rig

KEYS: Final = 8
_BATCH = 40
_PACE = 0.02  # seconds between two batches
_PAUSE = 0.1  # seconds before what failed for now is published again
_FLOWING = 200  # messages of which the last has to be read before they are said to flow


class Traffic:
    """A publisher and a member of a group, from `async with` on until that is left.

    Both do what the contract tells a host to do on a temporary error: what is not known to be
    stored is published again, a membership that is lost is made anew.

    Args:
        rig: An open gateway.
    """

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._sent = 0
        self._deliveries = 0
        self._received: set[int] = set()
        self._overtaken: list[int] = []
        self._latest = [-1] * KEYS
        self._counted: dict[int, int] = {}
        self._stopped = asyncio.Event()

    async def __aenter__(self) -> "Traffic":
        topic = await self._rig.topic(partitions=4)
        self._member: Member = await self._rig.join(topic, acks=True, rejoins=True)
        self._publishing = self._rig.watch.run("the publisher", self._publish(topic))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._publishing.cancel()
        await asyncio.gather(self._publishing, return_exceptions=True)

    async def flows(self, within: float | None = None) -> float:
        """Wait until messages are read, of every key, that are published from now on.

        Args:
            within: Seconds; the patience where left out.

        Returns:
            How many seconds that took.

        Raises:
            BrokenPromise: They are not.
        """
        loop = asyncio.get_running_loop()
        begin, wanted = loop.time(), self._sent + _FLOWING
        await self._member.until(
            lambda: self._count() and min(self._latest) >= wanted,
            f"messages flow: those from number {wanted} on are read",
            within,
        )
        return loop.time() - begin

    async def finish(self, within: float | None = None) -> str:
        """Publish no more, and hold that everything was read, in the order of its key.

        Args:
            within: Seconds until all of it is read; the patience where left out.

        Returns:
            How much was sent and received.

        Raises:
            BrokenPromise: Something was lost, or is out of order.
        """
        self._stopped.set()
        await self._member.until(
            lambda: self._publishing.done() and self._count() and len(self._received) >= self._sent,
            f"all that was published is read: {self._sent} messages",
            within,
        )
        expect("messages that were overtaken by later ones of their key", self._overtaken, [])
        duplicates = self._deliveries - len(self._received)
        return f"{self._sent} sent, {len(self._received)} received, {duplicates} more than once"

    def _count(self) -> bool:
        """Take account of what was read since; always true."""
        for partition, records in self._member.records.items():
            for record in records[self._counted.get(partition, 0) :]:
                number = int(record.message.payload)
                if number not in self._received:
                    if number < self._latest[number % KEYS]:
                        self._overtaken.append(number)
                    self._latest[number % KEYS] = number
                    self._received.add(number)
            self._deliveries += len(records) - self._counted.get(partition, 0)
            self._counted[partition] = len(records)
        return True

    async def _publish(self, topic: str) -> None:
        while not self._stopped.is_set():
            batch = [
                Message(b"%d" % number, key=b"key %d" % (number % KEYS))
                for number in range(self._sent, self._sent + _BATCH)
            ]
            self._sent += _BATCH
            await self._store(topic, batch)
            await asyncio.sleep(_PACE)

    async def _store(self, topic: str, messages: list[Message]) -> None:
        """Publish, and again what was not stored for now."""
        pause = _PAUSE
        while messages:
            try:
                results = await self._rig.pubsub.publish(topic, messages)
            except TemporaryError as error:
                pause = error.retry_after or _PAUSE
            else:
                for result in results:
                    if isinstance(result, PermanentError):
                        raise BrokenPromise(f"a good message was refused for good: {result}")
                pairs = zip(messages, results, strict=True)
                messages = [one for one, result in pairs if isinstance(result, TemporaryError)]
            if messages:
                await asyncio.sleep(pause)
