"""KEDA's external scaler: how many messages a group has to do, asked as KEDA asks."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from penstock.plugin import (
    AtTime,
    Edge,
    Message,
    NotReady,
    PublishResult,
    Retention,
    StreamSettings,
    Unsupported,
)
from penstock.server import GatewayServer
from penstock.server.calls import Calls
from penstock.server.external_scaler import ExternalScaler
from penstock.wire.channel import open_channel
from penstock.wire.protocol.externalscaler_pb2 import (
    GetMetricsRequest,
    IsActiveResponse,
    MetricSpec,
    MetricValue,
    ScaledObjectRef,
)
from penstock.wire.protocol.externalscaler_pb2_grpc import (
    ExternalScalerStub,
    add_ExternalScalerServicer_to_server,
)
from penstock_inmemory import InMemoryGateway

if TYPE_CHECKING:
    from core.tests.server.conftest import RiffClient

PATIENCE = 20.0
EARLIEST = {"topic": "numbers", "group": "readers", "startOffset": "earliest"}
LATEST = {**EARLIEST, "startOffset": "latest"}


class Keda:
    """Asks as KEDA does."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.stub = ExternalScalerStub(channel)

    async def is_active(self, metadata: Mapping[str, str]) -> bool:
        return (await self.stub.IsActive(reference(metadata))).result

    async def metrics(self, metadata: Mapping[str, str], name: str = "") -> MetricValue:
        name = name or (await self.spec(metadata)).metricName
        request = GetMetricsRequest(scaledObjectRef=reference(metadata), metricName=name)
        (value,) = (await self.stub.GetMetrics(request)).metricValues
        assert value.metricValueFloat == value.metricValue
        return value

    async def lag(self, metadata: Mapping[str, str]) -> int:
        """The metric's value, not capped."""
        return (await self.metrics({**metadata, "limitToPartitions": "false"})).metricValue

    async def spec(self, metadata: Mapping[str, str]) -> MetricSpec:
        (spec,) = (await self.stub.GetMetricSpec(reference(metadata))).metricSpecs
        return spec

    async def changes(self, metadata: Mapping[str, str]) -> AsyncGenerator[bool, None]:
        """What `StreamIsActive` tells."""
        call = self.stub.StreamIsActive(reference(metadata))
        try:
            async with asyncio.timeout(PATIENCE):
                while isinstance(reply := await call.read(), IsActiveResponse):
                    yield reply.result
        finally:
            call.cancel()


def reference(metadata: Mapping[str, str]) -> ScaledObjectRef:
    own = {"scalerAddress": "gateway.default.svc:6565"}
    return ScaledObjectRef(name="averager", namespace="default", scalerMetadata={**own, **metadata})


@asynccontextmanager
async def served(scaler: ExternalScaler) -> AsyncIterator[Keda]:
    """A scaler on a server of its own, and who asks it."""
    server = grpc.aio.server(interceptors=[Calls()])
    add_ExternalScalerServicer_to_server(scaler, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with open_channel(f"127.0.0.1:{port}") as channel:
            yield Keda(channel)
    finally:
        await server.stop(None)


class Troubled(InMemoryGateway):
    """Cannot do what it is told that it cannot."""

    away = False
    seeks = True
    silent = False

    def __init__(self) -> None:
        super().__init__()
        self.looks: asyncio.Queue[str] = asyncio.Queue()

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        self.looks.put_nowait(topic)
        if self.away:
            raise NotReady("no broker at 10.0.0.1:9092")
        if self.silent:
            await asyncio.Event().wait()
        return await super().end_positions(topic)

    async def locate(self, topic: str, start: Edge | AtTime) -> Mapping[int, int]:
        if not self.seeks:
            raise Unsupported("no seek")
        return await super().locate(topic, start)

    async def store(self, topic: str, count: int) -> list[PublishResult]:
        return list(await self.publish(topic, [Message(b"")] * count))


@pytest.fixture
def gateway() -> Troubled:
    return Troubled()


@pytest.fixture
def keda(channel: grpc.aio.Channel) -> Keda:
    return Keda(channel)


async def test_the_first_message_counts(keda: Keda, riff: "RiffClient") -> None:
    assert not await keda.is_active(EARLIEST)
    await riff.publish("numbers", b"1")
    assert await keda.is_active(EARLIEST)
    assert await keda.lag(EARLIEST) == 1
    await riff.ack("numbers", 0)
    assert not await keda.is_active(EARLIEST)
    assert await keda.lag(EARLIEST) == 0


async def test_without_any_ack_all_that_is_there_counts_from_the_earliest(
    keda: Keda, gateway: Troubled
) -> None:
    await gateway.store("numbers", 7)
    assert await keda.lag(EARLIEST) == 7


async def test_without_any_ack_only_what_comes_counts_from_the_latest(
    keda: Keda, gateway: Troubled
) -> None:
    await gateway.store("numbers", 7)
    assert await keda.lag(LATEST) == 0
    assert not await keda.is_active(LATEST)
    await gateway.store("numbers", 2)
    assert await keda.lag(LATEST) == 2
    assert await keda.is_active(LATEST)


async def test_the_latest_is_where_a_group_begins_that_says_nothing(
    keda: Keda, gateway: Troubled
) -> None:
    await gateway.store("numbers", 7)
    assert await keda.lag({"topic": "numbers", "group": "readers"}) == 0


async def test_the_first_message_of_a_topic_that_was_not_there_counts_from_the_latest(
    keda: Keda, gateway: Troubled
) -> None:
    assert await keda.lag(LATEST) == 0
    await gateway.store("numbers", 1)
    assert await keda.lag(LATEST) == 1


async def test_a_topic_that_was_made_anew_counts_from_its_beginning(
    keda: Keda, server: GatewayServer, gateway: Troubled
) -> None:
    stream = StreamSettings("default", "anew")
    topic = (await server.provision(stream)).topic
    latest = {**LATEST, "topic": topic}
    await gateway.store(topic, 7)
    assert await keda.lag(latest) == 0
    await gateway.deprovision(stream)
    await gateway.store(topic, 3)
    assert await keda.lag(latest) == 3


async def test_an_ack_counts_whatever_the_start_is(
    keda: Keda, riff: "RiffClient", gateway: Troubled
) -> None:
    await gateway.store("numbers", 7)
    await riff.ack("numbers", 2)
    assert await keda.lag(EARLIEST) == await keda.lag(LATEST) == 4


async def test_what_is_gone_by_retention_does_not_count(
    keda: Keda, server: GatewayServer, riff: "RiffClient", gateway: Troubled
) -> None:
    stream = StreamSettings("default", "short", retention=Retention(messages=3))
    topic = (await server.provision(stream)).topic
    earliest = {**EARLIEST, "topic": topic}
    await gateway.store(topic, 10)
    kept = len(range((await gateway.locate(topic, Edge.EARLIEST))[0], 10))
    assert kept < 9
    assert await keda.lag(earliest) == kept
    await riff.ack(topic, 0)
    assert await keda.lag(earliest) == kept
    await riff.ack(topic, 8)
    assert await keda.lag(earliest) == 1


async def test_a_lag_is_never_negative(keda: Keda, riff: "RiffClient", gateway: Troubled) -> None:
    await gateway.store("numbers", 2)
    await riff.ack("numbers", 100)
    assert await keda.lag(EARLIEST) == 0


async def test_partitions_add_up_and_one_behind_is_not_made_good_by_another(
    keda: Keda, riff: "RiffClient", gateway: Troubled, two_partitions: str
) -> None:
    earliest = {**EARLIEST, "topic": two_partitions}
    await gateway.store(two_partitions, 10)
    assert await keda.lag(earliest) == 10
    await riff.ack(two_partitions, 100, partition=0)
    await riff.ack(two_partitions, 1, partition=1)
    assert await keda.lag(earliest) == 3


async def test_the_metric_asks_for_no_more_replicas_than_there_are_partitions(
    keda: Keda, gateway: Troubled, two_partitions: str
) -> None:
    metadata = {**EARLIEST, "topic": two_partitions, "lagThreshold": "4"}
    await gateway.store(two_partitions, 7)
    assert (await keda.metrics(metadata)).metricValue == 7
    await gateway.store(two_partitions, 100)
    assert (await keda.metrics(metadata)).metricValue == 8
    assert (await keda.metrics({**metadata, "limitToPartitions": "false"})).metricValue == 107


async def test_versions_of_a_group_have_lags_of_their_own(
    keda: Keda, riff: "RiffClient", gateway: Troubled
) -> None:
    await gateway.store("numbers", 7)
    await riff.ack("numbers", 4, version=2)
    assert await keda.lag({**EARLIEST, "group": "readers-v2"}) == 2
    assert await keda.lag({**EARLIEST, "group": "readers-v3"}) == 7
    # It would begin where its lowest version is.
    assert await keda.lag(EARLIEST) == 2


async def test_a_gateway_that_cannot_seek_has_a_lag(
    keda: Keda, riff: "RiffClient", gateway: Troubled
) -> None:
    gateway.seeks = False
    await gateway.store("numbers", 7)
    assert await keda.lag(EARLIEST) == 7
    await riff.ack("numbers", 2)
    assert await keda.lag(EARLIEST) == 4
    assert (await keda.metrics({**EARLIEST, "lagThreshold": "1"})).metricValue == 1


async def test_a_few_messages_need_no_replica_where_the_trigger_says_so(
    keda: Keda, gateway: Troubled
) -> None:
    metadata = {**EARLIEST, "activationLagThreshold": "3"}
    await gateway.store("numbers", 3)
    assert not await keda.is_active(metadata)
    await gateway.store("numbers", 1)
    assert await keda.is_active(metadata)


async def test_to_ask_makes_no_topic(keda: Keda, gateway: Troubled) -> None:
    await keda.lag(EARLIEST)
    assert await gateway.locate("numbers", Edge.EARLIEST) == {}


@pytest.mark.parametrize(("metadata", "size"), [({}, 10), ({"lagThreshold": "250"}, 250)])
async def test_the_metric_has_the_topics_name_and_the_thresholds_size(
    keda: Keda, gateway: Troubled, metadata: Mapping[str, str], size: int
) -> None:
    gateway.away = True  # nobody is asked
    spec = await keda.spec({**EARLIEST, "topic": "default_some.numbers", **metadata})
    assert spec.metricName == "penstock-lag-default_some-numbers"
    assert (spec.targetSize, spec.targetSizeFloat) == (size, size)


@pytest.mark.parametrize("name", ["penstock-lag-numbers", "s0-penstock-lag-numbers"])
async def test_the_metric_is_known_with_kedas_index_and_without(keda: Keda, name: str) -> None:
    assert (await keda.metrics(EARLIEST, name)).metricName == name


async def test_changes_are_told_at_once_and_each_of_them_once(
    keda: Keda, riff: "RiffClient", gateway: Troubled
) -> None:
    changes = keda.changes(EARLIEST)
    assert not await anext(changes)
    for _ in range(3):
        await gateway.looks.get()
    await riff.publish("numbers", b"1")
    assert await anext(changes)
    await riff.publish("numbers", b"2")
    await riff.ack("numbers", 1)
    assert not await anext(changes)
    await changes.aclose()


async def test_the_server_stops_while_somebody_waits_for_changes() -> None:
    async with (
        GatewayServer(InMemoryGateway(), port=0, provisioner_port=None) as server,
        open_channel(server.address) as channel,
    ):
        changes = Keda(channel).changes(EARLIEST)
        assert not await anext(changes)
        await server.stop()
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await anext(changes)
    assert failure.value.code() == grpc.StatusCode.UNAVAILABLE
    assert "stopping" in (failure.value.details() or "")


class Watched(ExternalScaler):
    """Shows when nobody waits for changes any more."""

    ended: asyncio.Event

    async def StreamIsActive(  # noqa: N802 - the protocol's name
        self, request: ScaledObjectRef, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[IsActiveResponse]:
        try:
            async for reply in super().StreamIsActive(request, context):
                yield reply
        finally:
            self.ended.set()


async def test_nobody_is_asked_any_more_when_the_client_has_gone() -> None:
    scaler = Watched(InMemoryGateway(), interval=0.01)
    scaler.ended = asyncio.Event()
    async with asyncio.timeout(PATIENCE), served(scaler) as keda:
        changes = keda.changes(EARLIEST)
        assert not await anext(changes)
        await changes.aclose()
        await scaler.ended.wait()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"topic": ""}, "topic is missing: expected the topic to be read"),
        ({"topic": "a b"}, "topic: 'a b' is not a topic"),
        ({"group": ""}, "group is missing: expected the consumer group"),
        ({"lagThreshold": "ten"}, "lagThreshold: expected a whole number .* from 1 .*got 'ten'"),
        ({"lagThreshold": "0"}, "lagThreshold: expected .* got '0'"),
        ({"lagThreshold": "1.5"}, "lagThreshold: expected .* got '1.5'"),
        ({"lagThreshold": "9" * 16}, "lagThreshold: expected .* to 9007199254740992, got"),
        ({"activationLagThreshold": "-1"}, "activationLagThreshold: .* from 0 .* got '-1'"),
        ({"startOffset": "first"}, "startOffset: expected earliest or latest, got 'first'"),
        ({"limitToPartitions": "no"}, "limitToPartitions: expected true or false, got 'no'"),
        ({"lagTreshold": "5"}, 'lagTreshold\' is not a field; did you mean "lagThreshold"'),
    ],
)
async def test_a_bad_trigger_is_refused_with_what_is_wrong(
    keda: Keda, riff: "RiffClient", change: Mapping[str, str], reason: str
) -> None:
    bad = reference({**EARLIEST, **change})
    request = GetMetricsRequest(scaledObjectRef=bad, metricName="penstock-lag-numbers")
    stream = keda.stub.StreamIsActive(bad)
    for call in (
        keda.stub.IsActive(bad),
        keda.stub.GetMetricSpec(bad),
        keda.stub.GetMetrics(request),
        stream.read(),
    ):
        code, text = await riff.refused(call)
        assert code == grpc.StatusCode.INVALID_ARGUMENT
        assert text.startswith("ScaledObject default/averager: trigger metadata ")
        assert re.search(reason, text)


async def test_another_metric_is_refused(keda: Keda, riff: "RiffClient") -> None:
    code, text = await riff.refused(keda.metrics(EARLIEST, "penstock-lag-letters"))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "'penstock-lag-letters' is not this trigger's: expected penstock-lag-numbers" in text


async def test_a_gateway_that_is_not_ready_is_unavailable(
    keda: Keda, riff: "RiffClient", gateway: Troubled
) -> None:
    gateway.away = True
    stream = keda.stub.StreamIsActive(reference(EARLIEST))
    for call in (keda.is_active(EARLIEST), keda.metrics(EARLIEST), stream.read()):
        code, text = await riff.refused(call)
        assert (code, text) == (grpc.StatusCode.UNAVAILABLE, "no broker at 10.0.0.1:9092")


async def test_a_gateway_that_does_not_answer_is_unavailable(
    gateway: Troubled, riff: "RiffClient"
) -> None:
    gateway.silent = True
    async with served(ExternalScaler(gateway, interval=1, patience=0.01)) as keda:
        code, text = await riff.refused(keda.is_active(EARLIEST))
    assert code == grpc.StatusCode.UNAVAILABLE
    assert re.search(r"group readers on topic numbers .* not answer within 0\.01 s", text)
