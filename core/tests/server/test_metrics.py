"""`GET /metrics` of a gateway server, after real messages over both protocols."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

import aiohttp
import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from penstock.observability import lag
from penstock.observability.forwarding import ForwardingSubscription
from penstock.observability.metrics_page import MetricsPage
from penstock.plugin import (
    READ_BYTES,
    Edge,
    Group,
    Health,
    Message,
    NotReady,
    PermanentError,
    Position,
    PositionExpired,
    PublishResult,
    Record,
    Retention,
    Start,
    StreamSettings,
    Subscription,
    TemporaryError,
    Unsupported,
)
from penstock.server import GatewayServer, batch_session
from penstock.server import metrics as metrics_module
from penstock.server.batch_session import BatchSession
from penstock.server.metrics import GatewayMetrics
from penstock.wire.protocol import gateway_pb2
from penstock.wire.protocol.gateway_pb2_grpc import BatchGatewayStub
from penstock.wire.protocol.liiklus_pb2 import PublishRequest, SubscribeRequest
from penstock.wire.remote import RemotePubSub
from penstock_inmemory import InMemoryGateway

if TYPE_CHECKING:
    from core.tests.server.conftest import RiffClient

PATIENCE = 10.0
PREFIX = "penstock_gateway_"

Scrape = Callable[[], Awaitable["Found"]]


class Found:
    """What a scrape found."""

    def __init__(self, text: str) -> None:
        self._samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def __call__(self, name: str, **labels: str) -> float | None:
        """The value of a series of the gateway; ``None``: there is none."""
        wanted = {"gateway": "memory", **labels}
        values = [
            one.value for one in self._samples if (one.name, one.labels) == (PREFIX + name, wanted)
        ]
        return values[0] if values else None

    def by(self, label: str, name: str) -> dict[str, float]:
        """The values of a metric by one of its labels."""
        return {one.labels[label]: one.value for one in self._samples if one.name == PREFIX + name}


class Fussy(InMemoryGateway):
    """Fails where it is told to.

    Attributes:
        refusals: Why a payload is refused.
        failure: What a publish, a read and an ack raises, once.
        mood: What it says of itself.
        slow: Publishing waits until it is set.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refusals: dict[bytes, PublishResult] = {}
        self.failure: Exception | None = None
        self.mood: Health | Exception = Health(ready=True)
        self.slow = asyncio.Event()
        self.slow.set()

    def fail(self) -> None:
        failure, self.failure = self.failure, None
        if failure:
            raise failure

    async def check(self) -> Health:
        if isinstance(self.mood, Exception):
            raise self.mood
        return self.mood

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        self.fail()
        await self.slow.wait()
        fitting = [one for one in messages if one.payload not in self.refusals]
        stored = iter(await super().publish(topic, fitting))
        return [self.refusals.get(one.payload) or next(stored) for one in messages]

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        self.fail()
        await super().ack(topic, group, positions)


@pytest.fixture
def gateway() -> Fussy:
    return Fussy()


@pytest.fixture
async def server(gateway: Fussy) -> AsyncIterator[GatewayServer]:
    metrics = GatewayMetrics(MetricsPage(), lag_interval=0)
    async with GatewayServer(
        gateway, port=0, provisioner_port=0, check_interval=0.05, name="memory", metrics=metrics
    ) as server:
        yield server
        await server.stop(grace=0.1)


@pytest.fixture
async def http(server: GatewayServer) -> AsyncIterator[aiohttp.ClientSession]:
    base = f"http://127.0.0.1:{server.provisioner_port}"
    async with aiohttp.ClientSession(base) as session:
        yield session


@pytest.fixture
def scrape(http: aiohttp.ClientSession) -> Scrape:
    async def scrape() -> Found:
        async with http.get("/metrics") as answer:
            assert answer.status == 200
            return Found(await answer.text())

    return scrape


@pytest.fixture
async def remote(server: GatewayServer) -> AsyncIterator[RemotePubSub]:
    async with RemotePubSub(server.address) as remote:
        yield remote


async def until(scrape: Scrape, condition: Callable[[Found], bool]) -> Found:
    """Scrape until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition(found := await scrape()):
            pass
        return found


async def read(member: Subscription, count: int, partition: int = 0) -> list[Record]:
    """So many records of a partition of a new member."""
    records: list[Record] = []
    async with asyncio.timeout(PATIENCE):
        await member.next_event()
        while len(records) < count:
            records += await member.read(partition, count - len(records))
    return records


# The route, beside riff's.


async def test_it_is_beside_the_provisioner_which_answers_as_before(
    http: aiohttp.ClientSession,
) -> None:
    async with http.get("/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    accept = {"Accept": "application/openmetrics-text;version=1.0.0"}
    async with http.get("/metrics", headers=accept) as answer:
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    async with http.put("/default/metrics") as answer:
        assert answer.status == 201
    async with http.put("/metrics") as answer:
        assert answer.status == 400
    async with http.post("/metrics") as answer:
        assert answer.status == 405
    async with http.get("/metrics/more") as answer:
        assert answer.status == 405


async def test_without_asking_for_it_it_is_there_and_without_a_port_nothing_is_counted() -> None:
    async with GatewayServer(InMemoryGateway(), port=0, provisioner_port=0) as server:
        url = f"http://127.0.0.1:{server.provisioner_port}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert 'penstock_gateway_ready{gateway="gateway"} 1.0' in await answer.text()
    store = InMemoryGateway()
    async with GatewayServer(store, port=0, provisioner_port=None) as server:
        assert server._gateway is store


# Publishing.


async def test_what_is_published_is_counted_once_for_each_batch(
    scrape: Scrape, remote: RemotePubSub, riff: "RiffClient"
) -> None:
    # The first publish of a client is a call of its own, the others share a stream.
    for size in (3, 40, 500):
        await remote.publish("letters", [Message(b"12345")] * size)
    await riff.publish("numbers", b"12")
    found = await scrape()
    assert found.by("topic", "published_messages_total") == {"letters": 543, "numbers": 1}
    assert found.by("topic", "published_bytes_total") == {"letters": 5 * 543, "numbers": 2}
    assert found("publish_batch_messages_count") == 4
    assert found("publish_batch_messages_sum") == 544
    assert found("publish_batch_messages_bucket", le="1.0") == 1
    assert found("publish_batch_messages_bucket", le="50.0") == 3
    assert found("publish_seconds_count") == 4
    assert found("publish_seconds_bucket", le="10.0") == 4
    assert found("publishing_messages") == 0


async def test_messages_that_are_refused_are_counted_by_the_reason(
    scrape: Scrape, remote: RemotePubSub, gateway: Fussy
) -> None:
    gateway.refusals = {b"bad": PermanentError("bad"), b"busy": TemporaryError("busy")}
    payloads = [b"good", b"bad", b"busy", b"bad", b"good"]
    results = await remote.publish("letters", [Message(payload) for payload in payloads])
    assert [isinstance(one, Position) for one in results] == [True, False, False, False, True]
    found = await scrape()
    assert found("published_messages_total", topic="letters") == 2
    assert found("published_bytes_total", topic="letters") == 8
    assert found("refused_messages_total", topic="letters", reason="permanent") == 2
    assert found("refused_messages_total", topic="letters", reason="temporary") == 1


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (NotReady("away"), "not_ready"),
        (TemporaryError("busy"), "temporary"),
        (Unsupported("no"), "unsupported"),
        (PermanentError("never"), "permanent"),
        (KeyError("plugin"), "internal"),
    ],
)
async def test_a_batch_that_fails_as_a_whole_is_counted_as_such(
    scrape: Scrape, remote: RemotePubSub, gateway: Fussy, failure: Exception, reason: str
) -> None:
    await remote.publish("letters", [Message(b"x")])
    gateway.failure = failure
    with pytest.raises((TemporaryError, PermanentError)):
        await remote.publish("letters", [Message(b"x")] * 7)
    found = await scrape()
    assert found("refused_messages_total", topic="letters", reason=reason) == 7
    assert found("published_messages_total", topic="letters") == 1
    assert found("publishing_messages") == 0


async def test_what_does_not_fit_the_stream_never_reaches_the_gateway_and_is_counted(
    scrape: Scrape, remote: RemotePubSub, riff: "RiffClient", server: GatewayServer
) -> None:
    stream = StreamSettings("default", "numbers", content_type="application/json")
    topic = (await server.provision(stream)).topic
    messages = [Message(b"1", type_) for type_ in ("application/json", "text/plain", "text/html")]
    await remote.publish(topic, messages)
    await riff.refused(riff.publish(topic, b"1", "text/plain"))
    found = await scrape()
    assert found("refused_messages_total", topic=topic, reason="content_type") == 3
    assert found("published_messages_total", topic=topic) == 1


async def test_a_topic_that_there_is_not_is_no_label(
    scrape: Scrape, remote: RemotePubSub, riff: "RiffClient"
) -> None:
    for topic in ("not a topic", "", "x" * 300):
        await riff.refused(riff.publish(topic, b"1"))
        with pytest.raises(PermanentError):
            await remote.publish(topic, [Message(b"1")] * 2)
    with pytest.raises(PermanentError):
        await remote.publish("letters!", [Message(b"1")])
    await riff.refused(riff.stub.Publish(PublishRequest(topic="letters", value=b"old")))
    found = await scrape()
    assert found.by("topic", "refused_messages_total") == {"": 11}
    assert found("refused_messages_total", topic="", reason="permanent") == 11
    assert found.by("topic", "published_messages_total") == {}


async def test_topics_beyond_a_bound_share_a_label(
    scrape: Scrape, riff: "RiffClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_module, "TOPICS", 2)
    for topic in ("a", "b", "c", "d", "a"):
        await riff.publish(topic, b"1")
    found = await scrape()
    assert found.by("topic", "published_messages_total") == {"a": 2, "b": 1, "(other)": 2}


# Subscribing.


async def test_what_subscribers_receive_and_ack_is_counted(
    scrape: Scrape, remote: RemotePubSub, riff: "RiffClient"
) -> None:
    await remote.publish("letters", [Message(b"12345")] * 100)
    async with await remote.subscribe("letters", Group("batch"), Edge.EARLIEST) as member:
        await read(member, 100)
        await member.ack({0: 49})
        await member.ack({0: 99})
        found = await scrape()
        assert found("subscriptions", topic="letters") == 1
        assert found("received_messages_total", topic="letters") == 100
        assert found("received_bytes_total", topic="letters") == 500
        assert found("receive_batch_messages_sum") == 100
        assert found("acks_total", topic="letters") == 2
    await riff.read("letters", 100, "single")
    await riff.ack("letters", 5, "single")
    found = await until(scrape, lambda found: found("subscriptions", topic="letters") == 0)
    assert found("received_messages_total", topic="letters") == 200
    assert found("acks_total", topic="letters") == 3


async def test_a_rebalance_is_counted_in_partitions(
    scrape: Scrape, remote: RemotePubSub, two_partitions: str
) -> None:
    async with await remote.subscribe(two_partitions, Group("g"), Edge.EARLIEST) as first:
        await first.next_event()
        async with await remote.subscribe(two_partitions, Group("g"), Edge.EARLIEST) as second:
            revoked = await first.next_event()
            await first.release(revoked.partitions)
            await second.next_event()
            found = await scrape()
    assert found("assigned_partitions_total", topic=two_partitions) == 3
    assert found("revoked_partitions_total", topic=two_partitions) == 1
    assert found("subscriptions", topic=two_partitions) == 2


class Slow(ForwardingSubscription):
    """A member whose first reads fail, and its first ack."""

    def __init__(self, inner: Subscription, failures: list[Exception]) -> None:
        super().__init__(inner)
        self._failures = failures
        self._acks = False

    async def ack(self, positions: Mapping[int, int]) -> None:
        if not self._acks:
            self._acks = True
            raise TemporaryError("busy")
        await super().ack(positions)

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        if self._failures:
            raise self._failures.pop(0)
        return await super().read(partition, max_records, max_bytes)


class Failing(Fussy):
    """Reads fail before they succeed."""

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        inner = await super().subscribe(topic, group, start, member)
        return Slow(inner, [TemporaryError("busy", 0.01), PositionExpired(0, 0, 2)])


class TestOfSubscriptionsThatFail:
    """What is done again is counted."""

    @pytest.fixture
    def gateway(self) -> Failing:
        return Failing()

    async def test_retries_and_gaps_are_counted(self, scrape: Scrape, remote: RemotePubSub) -> None:
        await remote.publish("letters", [Message(b"1")] * 3)
        async with await remote.subscribe("letters", Group("g"), Edge.EARLIEST) as member:
            with pytest.raises(PositionExpired):
                await read(member, 3)
            found = await scrape()
        assert found("retries_total", topic="letters", operation="read") == 1
        assert found("expired_positions_total", topic="letters") == 1

    async def test_an_ack_that_has_to_be_repeated_is_counted_as_such(
        self, scrape: Scrape, remote: RemotePubSub
    ) -> None:
        async with await remote.subscribe("letters", Group("g"), Edge.EARLIEST) as member:
            await member.next_event()
            with pytest.raises(TemporaryError):
                await member.ack({0: 1})
            await member.ack({0: 1})
            found = await scrape()
        assert found("retries_total", topic="letters", operation="ack") == 1
        assert found("acks_total", topic="letters") == 1


async def test_what_waits_for_the_messaging_system_is_shown(
    scrape: Scrape, remote: RemotePubSub, gateway: Fussy
) -> None:
    await remote.publish("letters", [Message(b"1")])
    gateway.slow.clear()
    publishing = asyncio.create_task(remote.publish("letters", [Message(b"1")] * 7))
    await until(scrape, lambda found: found("publishing_messages") == 7)
    gateway.slow.set()
    await publishing
    assert (await scrape())("publishing_messages") == 0


async def test_what_a_client_does_not_take_is_shown(
    scrape: Scrape, remote: RemotePubSub, channel: grpc.aio.Channel
) -> None:
    mebibyte = Message(b"x" * 1024 * 1024)
    for _ in range(4):
        await remote.publish("letters", [mebibyte] * 5)
    call = BatchGatewayStub(channel).Subscribe()
    start = gateway_pb2.Start(edge=gateway_pb2.Start.EARLIEST)
    opening = gateway_pb2.Open(topic="letters", group=gateway_pb2.Group(name="g"), start=start)
    await call.write(gateway_pb2.SubscribeRequest(open=opening))
    async with asyncio.timeout(PATIENCE):
        # That it is open, and what it is given; after that nothing is taken any more.
        await call.read()
        await call.read()
    credit = gateway_pb2.Credit(partition=0, records=100, bytes=1 << 40)
    await call.write(gateway_pb2.SubscribeRequest(credit=credit))
    found = await until(scrape, lambda found: (found("unsent_messages") or 0) > 0)
    assert 0 < (found("credit_messages") or 0) < 100
    call.cancel()
    found = await until(scrape, lambda found: found("unsent_messages") == 0)
    assert found("credit_messages") == 0


async def test_what_is_not_sent_of_a_partition_that_is_revoked_does_not_count() -> None:
    assigned = asyncio.Event()

    async def grants() -> AsyncIterator[gateway_pb2.SubscribeRequest]:
        await assigned.wait()
        for partition in (0, 1):
            credit = gateway_pb2.Credit(partition=partition, records=100, bytes=1 << 40)
            yield gateway_pb2.SubscribeRequest(credit=credit)
        await asyncio.Event().wait()

    async def unsent(count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while session.buffered.unsent_messages != count:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)

    async with InMemoryGateway() as store:
        pair = StreamSettings("default", "pair", partitions=2)
        topic = (await store.provision(pair)).topic
        await store.publish(topic, [Message(b"x" * batch_session.READ_BYTES)] * 6)
        session = BatchSession(await store.subscribe(topic, Group("g"), Edge.EARLIEST))
        async with aclosing(session.replies(grants())) as replies:
            # That it is open, and what it is given; after that nothing is taken any more.
            await anext(replies)
            await anext(replies)
            assigned.set()
            await unsent(2)
            async with await store.subscribe(topic, Group("g"), Edge.EARLIEST):
                await unsent(1)


async def test_credit_and_what_is_not_sent_yet_are_shown(
    scrape: Scrape, remote: RemotePubSub
) -> None:
    await remote.publish("letters", [Message(b"12345")])
    async with await remote.subscribe("letters", Group("g"), Edge.EARLIEST) as member:
        await read(member, 1)
        found = await until(scrape, lambda found: (found("credit_messages") or 0) > 0)
        # What the client asks for at first, less the one that it got.
        assert found("credit_messages") == 3999
        assert 0 < (found("credit_bytes") or 0) < 4 * 1024 * 1024
        assert found("unsent_messages") == 0
    found = await until(scrape, lambda found: found("credit_messages") == 0)
    assert found("credit_bytes") == 0


# Lag.


async def test_the_lag_is_what_was_published_and_not_acked(
    scrape: Scrape, remote: RemotePubSub, two_partitions: str
) -> None:
    async def lag() -> dict[str, float]:
        return (await scrape()).by("partition", "group_lag_messages")

    async with await remote.subscribe(two_partitions, Group("g", 2), Edge.EARLIEST) as member:
        await member.next_event()
        assert await lag() == {"0": 0, "1": 0}
        await remote.publish(two_partitions, [Message(b"1")] * 20)
        assert await lag() == {"0": 10, "1": 10}
        await member.ack({0: 3})
        found = await scrape()
        labels = {"topic": two_partitions, "group": "g-v2"}
        assert found("group_lag_messages", **labels, partition="0") == 6
        assert found("group_lag_messages", **labels, partition="1") == 10
        await remote.publish(two_partitions, [Message(b"1")] * 2)
        assert await lag() == {"0": 7, "1": 11}
        await member.ack({0: 10, 1: 10})
        assert await lag() == {"0": 0, "1": 0}
    # The group is there, though its member has left.
    await remote.publish(two_partitions, [Message(b"1")] * 2)
    assert await lag() == {"0": 1, "1": 1}


async def test_a_group_that_has_acked_nothing_lags_by_what_came_since_it_began(
    scrape: Scrape, remote: RemotePubSub, riff: "RiffClient"
) -> None:
    await remote.publish("letters", [Message(b"1")] * 5)
    await riff.subscribe("letters", "late", reset=SubscribeRequest.LATEST)
    await riff.subscribe("letters", "early")
    await remote.publish("letters", [Message(b"1")] * 2)
    assert (await scrape()).by("group", "group_lag_messages") == {"late": 2, "early": 7}


async def test_where_a_group_began_is_told_by_the_first_record_that_it_gets(
    scrape: Scrape, remote: RemotePubSub, gateway: Fussy
) -> None:
    await remote.publish("letters", [Message(b"1")] * 5)
    # It began at the latest, before this server knew of it.
    await (await gateway.subscribe("letters", Group("g"), Edge.LATEST)).close()
    await remote.publish("letters", [Message(b"1")] * 3)
    async with await remote.subscribe("letters", Group("g"), Edge.LATEST) as member:
        await read(member, 3)
        assert (await scrape()).by("group", "group_lag_messages") == {"g": 3}


async def test_a_group_that_is_gone_for_long_is_shown_no_more(
    scrape: Scrape, remote: RemotePubSub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lag, "REMEMBERED_SECONDS", 0.0)
    await remote.publish("letters", [Message(b"1")])
    async with await remote.subscribe("letters", Group("g"), Edge.EARLIEST):
        assert (await scrape()).by("group", "group_lag_messages") == {"g": 1}
    await until(scrape, lambda found: found.by("group", "group_lag_messages") == {})


async def test_an_ack_by_somebody_who_is_not_subscribed_counts_too(
    scrape: Scrape, remote: RemotePubSub, riff: "RiffClient"
) -> None:
    await remote.publish("letters", [Message(b"1")] * 5)
    await riff.ack("letters", 2, "outsider")
    assert (await scrape()).by("group", "group_lag_messages") == {"outsider": 2}


async def test_the_lag_is_exact_after_retention(
    scrape: Scrape, remote: RemotePubSub, server: GatewayServer
) -> None:
    kept = StreamSettings("default", "kept", retention=Retention(messages=5))
    topic = (await server.provision(kept)).topic
    await remote.publish(topic, [Message(b"1")] * 5)
    async with await remote.subscribe(topic, Group("g"), Edge.EARLIEST) as member:
        await read(member, 5)
        await member.ack({0: 2})
        await remote.publish(topic, [Message(b"1")] * 5)
        # Of those the member has two that the gateway has not any more.
        assert (await scrape()).by("group", "group_lag_messages") == {"g": 7}
    # Whoever comes after them finds a gap: what is in it is nobody's to do.
    async with await remote.subscribe(topic, Group("g"), Edge.EARLIEST) as member:
        with pytest.raises(PositionExpired):
            await read(member, 1)
        assert (await scrape()).by("group", "group_lag_messages") == {"g": 5}


# The gateway itself.


async def test_whether_the_gateway_is_ready_is_shown(scrape: Scrape, gateway: Fussy) -> None:
    assert (await scrape())("ready") == 1
    gateway.mood = Health(ready=False, message="away")
    await until(scrape, lambda found: found("ready") == 0)
    gateway.mood = Health(ready=True)
    await until(scrape, lambda found: found("ready") == 1)
    gateway.mood = RuntimeError("it broke its promise")
    await until(scrape, lambda found: found("ready") == 0)


async def test_a_stream_says_which_topic_it_has_until_it_is_gone(
    scrape: Scrape, server: GatewayServer, remote: RemotePubSub
) -> None:
    stream = StreamSettings("shop", "orders")
    topic = (await server.provision(stream)).topic
    await remote.publish(topic, [Message(b"1")])
    found = await scrape()
    assert found("stream_info", topic=topic, namespace="shop", stream="orders") == 1
    assert found("published_messages_total", topic=topic) == 1
    await server._gateway.deprovision(stream)
    found = await scrape()
    assert found.by("topic", "stream_info") == {}
    assert found.by("topic", "published_messages_total") == {}


async def test_a_failed_ack_is_no_ack(scrape: Scrape, riff: "RiffClient", gateway: Fussy) -> None:
    await riff.publish("letters", b"1")
    gateway.failure = NotReady("away")
    status, _ = await riff.refused(riff.ack("letters", 0))
    assert status is grpc.StatusCode.UNAVAILABLE
    assert (await scrape())("acks_total", topic="letters") == 0
