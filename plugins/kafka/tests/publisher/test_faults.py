"""Publishing while brokers and networks fail."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import pytest
from aiokafka.producer.sender import Sender

from penstock.plugin import Message, NotReady, Position, PublishResult, TemporaryError
from penstock_kafka.publisher import Publisher, numbered_client, producer
from tests.servers.fixtures import OwnKafka, ProxiedKafka
from tests.servers.ports import free_port

if TYPE_CHECKING:
    from plugins.kafka.tests.publisher.conftest import Broker, OpenPublisher

PATIENCE = 30.0

Call = tuple[Sequence[Message], Sequence[PublishResult]]


def messages(count: int, first: int = 0, keys: int = 5, size: int = 100) -> list[Message]:
    """Every second message has a key."""
    return [
        Message(
            bytes(size),
            "text/plain",
            b"key-%d" % (number % keys) if number % 2 else None,
            id=f"id-{number}",
        )
        for number in range(first, first + count)
    ]


def all_stored(results: Sequence[PublishResult]) -> bool:
    return all(isinstance(result, Position) for result in results)


class Load:
    """Publishers that publish all the time, until they have done so many calls.

    Args:
        publish: Publishes messages.
        calls: How many.
        size: Bytes of a message.
    """

    def __init__(
        self,
        publish: Callable[[Sequence[Message]], Awaitable[Sequence[PublishResult]]],
        calls: int,
        size: int = 100,
    ) -> None:
        self.done: list[Call] = []
        self._publish = publish
        self._size = size
        self._numbers = iter(range(calls))
        self._progress = asyncio.Condition()

    async def run(self) -> None:
        """Publish, four calls at a time."""
        await asyncio.gather(*(self._work() for _ in range(4)))

    async def until(self, calls: int) -> None:
        """Wait until so many calls are done."""
        async with asyncio.timeout(PATIENCE), self._progress:
            await self._progress.wait_for(lambda: len(self.done) >= calls)

    async def _work(self) -> None:
        for number in self._numbers:
            published = messages(100, first=1000 * number, size=self._size)
            results = await self._publish(published)
            async with self._progress:
                self.done.append((published, results))
                self._progress.notify_all()


async def test_no_broker_at_all_is_said_at_once(
    open_publisher: "OpenPublisher", topic: str
) -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(NotReady, match=address):
        await open_publisher(address).publish(topic, messages(1))


async def test_connections_that_are_cut_lose_repeat_and_reorder_nothing(
    proxied_kafka: ProxiedKafka,
    broker_of: "Callable[[str], Broker]",
    open_publisher: "OpenPublisher",
    topic: str,
) -> None:
    broker = broker_of(proxied_kafka.server.bootstrap_servers)
    await broker.make(topic)
    publisher = open_publisher(proxied_kafka.bootstrap_servers)
    await publisher.publish(topic, [])
    # So slow that a request is on its way whenever the network is cut.
    proxied_kafka.proxy.slow(bytes_per_second=3_000_000)
    load = Load(lambda published: publisher.publish(topic, published), calls=120, size=1000)
    running = asyncio.create_task(load.run())
    for cut in range(10):
        await load.until(10 * cut + 5)
        await proxied_kafka.proxy.cut()
        await proxied_kafka.proxy.restore()
        proxied_kafka.proxy.slow(bytes_per_second=3_000_000)
    await running
    assert all(all_stored(results) for _, results in load.done)
    await broker.check(topic, *load.done)


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_a_broker_that_is_started_anew_loses_repeats_and_reorders_nothing(
    own_kafka: OwnKafka,
    broker_of: "Callable[[str], Broker]",
    open_publisher: "OpenPublisher",
    topic: str,
    how: str,
) -> None:
    server = own_kafka()
    broker = broker_of(server.bootstrap_servers)
    await broker.make(topic)
    publisher = open_publisher(server.bootstrap_servers)
    load = Load(lambda published: publisher.publish(topic, published), calls=400)
    running = asyncio.create_task(load.run())
    await load.until(100)
    await asyncio.to_thread(server.stop if how == "stop" else server.kill)
    await asyncio.to_thread(server.start)
    await running
    assert all(all_stored(results) for _, results in load.done)
    await broker.check(topic, *load.done)


async def test_a_broker_that_stays_away_fails_what_is_published_and_nothing_that_comes_later(
    own_kafka: OwnKafka,
    broker_of: "Callable[[str], Broker]",
    open_publisher: "OpenPublisher",
    topic: str,
) -> None:
    server = own_kafka()
    broker = broker_of(server.bootstrap_servers)
    await broker.make(topic)
    publisher = open_publisher(server.bootstrap_servers, patience=2.0)
    before = messages(100)
    stored = await publisher.publish(topic, before)
    server.freeze()
    published = messages(100, first=1000)
    started = time.monotonic()
    results = await publisher.publish(topic, published)
    assert time.monotonic() - started < 10
    for result in results:
        assert type(result) is TemporaryError
        assert topic in str(result)
        assert "may be stored" in str(result)
    server.thaw()
    async with asyncio.timeout(PATIENCE):
        again = await publisher.publish(topic, published)
        while not all_stored(again):
            again = await publisher.publish(topic, published)
    after = messages(100, first=2000)
    await broker.check(topic, (before, stored), (after, await publisher.publish(topic, after)))
    # What was sent while nobody answered may be there, but then before what was sent again.
    for partition, records in (await broker.stored(topic)).items():
        offsets = {record.message.id: record.offset for record in records}
        for message, result in zip(published, again, strict=True):
            if isinstance(result, Position) and result.partition == partition:
                assert offsets[message.id] == result.offset


async def test_nothing_is_stored_behind_what_failed(
    proxied_kafka: ProxiedKafka,
    broker_of: "Callable[[str], Broker]",
    open_publisher: "OpenPublisher",
    topic: str,
) -> None:
    broker = broker_of(proxied_kafka.server.bootstrap_servers)
    await broker.make(topic, partitions=1)
    publisher = open_publisher(proxied_kafka.bootstrap_servers, patience=1.0)
    await publisher.publish(topic, messages(1))
    proxied_kafka.proxy.freeze()
    published = messages(20, first=1000, size=50_000)
    results = await publisher.publish(topic, published)
    assert all(isinstance(result, TemporaryError) for result in results)
    await proxied_kafka.proxy.restore()
    # The batch that was on its way comes, and nothing that was behind it.
    after = messages(2, first=2000)
    async with asyncio.timeout(PATIENCE):
        while not all_stored(await publisher.publish(topic, after)):
            pass
    (records,) = (await broker.stored(topic)).values()
    ids = [record.message.id for record in records]
    late = ids[1 : ids.index("id-2000")]
    assert 0 < len(late) < 20
    assert late == [message.id for message in published[: len(late)]]
    assert not any("id-1000" < each < "id-2000" for each in ids[1 + len(late) :])


async def test_a_publisher_is_closed_though_a_batch_is_on_its_way(
    proxied_kafka: ProxiedKafka,
    broker_of: "Callable[[str], Broker]",
    open_publisher: "OpenPublisher",
    topic: str,
) -> None:
    broker = broker_of(proxied_kafka.server.bootstrap_servers)
    await broker.make(topic)
    publisher = open_publisher(proxied_kafka.bootstrap_servers, patience=1.0)
    await publisher.publish(topic, messages(8))
    proxied_kafka.proxy.freeze()
    results = await publisher.publish(topic, messages(8, first=1000))
    assert not any(isinstance(result, Position) for result in results)
    started = time.monotonic()
    await publisher.close()
    assert time.monotonic() - started < 8
    await proxied_kafka.proxy.restore()
    left = [repr(task) for task in asyncio.all_tasks()]
    assert not any("Sender" in task or "MessageAccumulator" in task for task in left), left


async def test_a_producer_that_ends_is_replaced(
    publisher: Publisher, broker: "Broker", topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: Sender) -> None:
        raise RuntimeError("the sender ends")

    await broker.make(topic)
    await publisher.publish(topic, messages(10))
    with monkeypatch.context() as patched:
        patched.setattr(Sender, "_maybe_wait_for_pid", broken)
        ended = await publisher.publish(topic, messages(10, first=1000))
    assert not any(isinstance(result, Position) for result in ended) or all_stored(ended)
    published = messages(10, first=2000)
    results = await publisher.publish(topic, published)
    assert all_stored(results)
    await broker.check(topic, (published, results))


async def test_a_producer_is_replaced_before_its_numbers_run_out(
    publisher: Publisher, broker: "Broker", topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbered_client, "_LAST_NUMBER", 500)
    await broker.make(topic)
    load = Load(lambda published: publisher.publish(topic, published), calls=20)
    await load.run()
    first = publisher._producer._client
    await publisher.publish(topic, messages(600, first=900_000))
    await publisher.publish(topic, messages(1, first=990_000))
    assert publisher._producer._client is not first
    assert all(all_stored(results) for _, results in load.done)
    await broker.check(topic, *load.done)


async def test_a_request_is_not_larger_than_a_broker_takes(
    own_kafka: OwnKafka,
    broker_of: "Callable[[str], Broker]",
    open_publisher: "OpenPublisher",
    topic: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(producer, "SENDING_BYTES", 600_000)
    server = own_kafka({"socket.request.max.bytes": "1000000"})
    broker = broker_of(server.bootstrap_servers)
    await broker.make(topic, partitions=8)
    publisher = open_publisher(server.bootstrap_servers, patience=10.0)
    published = messages(64, size=50_000)
    results = await publisher.publish(topic, published)
    assert all_stored(results)
    await broker.check(topic, (published, results))
