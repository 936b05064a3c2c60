"""Receive, as riff's clients do: one call for each assignment, one frame a record."""

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import uuid4

import grpc
import pytest

from penstock.plugin import (
    READ_BYTES,
    Gateway,
    Group,
    Record,
    Retention,
    Start,
    StreamSettings,
    Subscription,
    TemporaryError,
)
from penstock.server import GatewayServer
from penstock.wire.protocol.liiklus_pb2 import (
    Assignment,
    LiiklusEvent,
    PublishRequest,
    ReceiveReply,
    ReceiveRequest,
)
from penstock_inmemory import InMemoryGateway
from penstock_inmemory.subscription import InMemorySubscription

if TYPE_CHECKING:
    from core.tests.server.conftest import RiffClient


async def test_it_streams_the_records_of_a_partition_in_order(riff: "RiffClient") -> None:
    [assignment] = await riff.assignments(await riff.subscribe("numbers"))
    receiving = riff.receive(assignment)
    for number in range(3):
        await riff.publish("numbers", b"%d" % number)
    records = await riff.records(receiving, 3)
    assert [(one.offset, one.event.data) for one in records] == [(0, b"0"), (1, b"1"), (2, b"2")]


async def test_a_record_has_its_key_and_the_time_at_which_it_was_stored(
    riff: "RiffClient",
) -> None:
    before = time.time()
    await riff.publish("numbers", b"1", key=b"k")
    await riff.publish("numbers", b"2")
    keyed, unkeyed = await riff.read("numbers", 2)
    assert (keyed.key, unkeyed.key) == (b"k", b"")
    # Stored in whole milliseconds.
    assert before - 0.001 <= keyed.timestamp.ToMicroseconds() / 1e6 <= time.time()


async def test_with_format_binary_a_value_is_the_event_as_cloudevents_json(
    riff: "RiffClient",
) -> None:
    event = LiiklusEvent(
        id="1",
        type="riff-event",
        source="test",
        time="2020-11-23T15:00:00Z",
        data_content_type="application/json",
        data=b'{"n": 1.10}',
        extensions={"h1": " V1"},
    )
    await riff.stub.Publish(PublishRequest(topic="numbers", key=b"k", liiklusEvent=event))
    [assignment] = await riff.assignments(await riff.subscribe("numbers"))
    receiving = riff.receive(assignment, ReceiveRequest.BINARY)
    reply = await receiving.read()
    assert isinstance(reply, ReceiveReply)
    assert (reply.record.offset, reply.record.key, reply.record.replay) == (0, b"k", False)
    assert reply.record.timestamp.seconds
    assert json.loads(reply.record.value) == {
        "specversion": "1.0",
        "id": "1",
        "type": "riff-event",
        "source": "test",
        "time": "2020-11-23T15:00:00Z",
        "datacontenttype": "application/json",
        "data": {"n": 1.10},
        "h1": " V1",
    }


async def test_it_ends_when_the_partition_is_revoked(
    riff: "RiffClient", two_partitions: str
) -> None:
    one = await riff.subscribe(two_partitions)
    receiving = {each.partition: riff.receive(each) for each in await riff.assignments(one, 2)}
    other = await riff.subscribe(two_partitions)
    [given] = await riff.assignments(other)
    assert await riff.rest(receiving[given.partition]) == []


async def test_a_partition_that_nobody_receives_goes_to_a_new_member_at_once(
    riff: "RiffClient", two_partitions: str
) -> None:
    await riff.assignments(await riff.subscribe(two_partitions), 2)
    [given] = await riff.assignments(await riff.subscribe(two_partitions))
    await riff.publish(two_partitions, b"1")
    await riff.publish(two_partitions, b"2")
    [record] = await riff.records(riff.receive(given), 1)
    assert record.offset == 0


async def test_one_for_an_unknown_session_ends_at_once_without_an_error(
    riff: "RiffClient",
) -> None:
    assert await riff.rest(riff.receive(Assignment(session_id=str(uuid4())))) == []
    assert await riff.rest(riff.receive(Assignment())) == []


async def test_one_for_an_unknown_partition_ends_at_once_without_an_error(
    riff: "RiffClient",
) -> None:
    [assignment] = await riff.assignments(await riff.subscribe("numbers"))
    unknown = Assignment(session_id=assignment.session_id, partition=7)
    assert await riff.rest(riff.receive(unknown)) == []


async def test_a_second_on_the_same_assignment_ends_at_once_well_and_empty(
    riff: "RiffClient",
) -> None:
    await riff.publish("numbers", b"1")
    [assignment] = await riff.assignments(await riff.subscribe("numbers"))
    first = riff.receive(assignment)
    await riff.records(first, 1)
    assert await riff.rest(riff.receive(assignment)) == []
    await riff.publish("numbers", b"2")
    [record] = await riff.records(first, 1)
    assert record.event.data == b"2"


async def test_one_after_its_subscribe_was_cancelled_ends_at_once_well_and_empty(
    riff: "RiffClient",
) -> None:
    subscribing = await riff.subscribe("numbers")
    [assignment] = await riff.assignments(subscribing)
    running = riff.receive(assignment)
    subscribing.cancel()
    assert await riff.rest(running) == []
    await riff.publish("numbers", b"1")
    assert await riff.rest(riff.receive(assignment)) == []


async def test_replay_is_true_at_or_below_the_last_acked_offset_any_version_counted(
    riff: "RiffClient",
) -> None:
    for data in (b"0", b"1", b"2"):
        await riff.publish("numbers", data)
    await riff.ack("numbers", 1, version=1)
    records = await riff.read("numbers", 3, version=2)
    assert [one.replay for one in records] == [True, True, False]


async def test_records_that_the_client_says_it_knows_are_left_out(riff: "RiffClient") -> None:
    for data in (b"0", b"1", b"2"):
        await riff.publish("numbers", data)
    [assignment] = await riff.assignments(await riff.subscribe("numbers"))
    [record] = await riff.records(riff.receive(assignment, last_known_offset=1), 1)
    assert record.offset == 2


async def test_an_unknown_format_is_refused(riff: "RiffClient") -> None:
    [assignment] = await riff.assignments(await riff.subscribe("numbers"))
    request = ReceiveRequest(assignment=assignment, format=7)  # type: ignore[arg-type] # open enum
    code, text = await riff.refused(riff.stub.Receive(request).read())
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "expected 0 or 1" in text


async def test_where_records_are_gone_by_retention_it_goes_on_behind_them(
    riff: "RiffClient", server: GatewayServer, caplog: pytest.LogCaptureFixture
) -> None:
    stream = StreamSettings("default", "short", retention=Retention(messages=2))
    topic = (await server.provision(stream)).topic
    [assignment] = await riff.assignments(await riff.subscribe(topic))
    for number in range(5):
        await riff.publish(topic, b"%d" % number)
    records = await riff.records(riff.receive(assignment), 2)
    assert [one.offset for one in records] == [3, 4]
    assert "offset 0 is gone by retention" in caplog.text


class TestWhenAReadFailsForNow:
    """A gateway that cannot read for a while."""

    @pytest.fixture
    def gateway(self) -> Gateway:
        return Unsteady()

    async def test_it_is_tried_again(self, riff: "RiffClient") -> None:
        await riff.publish("numbers", b"1")
        [record] = await riff.read("numbers", 1)
        assert record.event.data == b"1"


class Unsteady(InMemoryGateway):
    async def subscribe(
        self,
        topic: str,
        group: Group,
        start: Start,
        member: str = "",  # noqa: ARG002 - nobody here has a name
    ) -> Subscription:
        return FailsTwice(self._topic(topic).group(group), start)


class FailsTwice(InMemorySubscription):
    failures = 2

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        if self.failures:
            self.failures -= 1
            raise TemporaryError("the leader moves", retry_after=0.01)
        return await super().read(partition, max_records, max_bytes)
