"""Subscribe, as riff's clients do: one call a member, one reply for each partition it is given."""

import asyncio
import sys
from typing import TYPE_CHECKING
from uuid import UUID

import grpc
import pytest

from penstock.plugin import (
    Gateway,
    Group,
    Start,
    StreamSettings,
    Subscription,
    TemporaryError,
)
from penstock.server import GatewayServer
from penstock.wire.channel import open_channel
from penstock.wire.protocol.liiklus_pb2 import SubscribeRequest
from penstock_inmemory import InMemoryGateway

if TYPE_CHECKING:
    from core.tests.server.conftest import RiffClient, Subscribing

EARLIEST, LATEST = SubscribeRequest.EARLIEST, SubscribeRequest.LATEST


async def told(riff: "RiffClient", subscribing: "Subscribing", partitions: set[int]) -> set[int]:
    """Wait until a Subscribe answers with these, in one go; what it answered before."""
    answers = [each.partition for each in await riff.assignments(subscribing, len(partitions))]
    while answers[-len(partitions) :] != sorted(partitions):
        [answer] = await riff.assignments(subscribing)
        answers.append(answer.partition)
    return set(answers[: -len(partitions)])


async def test_it_answers_one_assignment_for_each_partition(
    riff: "RiffClient", two_partitions: str
) -> None:
    subscribing = await riff.subscribe(two_partitions)
    assignments = await riff.assignments(subscribing, 2)
    assert {one.partition for one in assignments} == {0, 1}


async def test_a_session_id_is_a_uuid_and_one_for_all_partitions(
    riff: "RiffClient", two_partitions: str
) -> None:
    first, second = await riff.assignments(await riff.subscribe(two_partitions), 2)
    assert first.session_id == second.session_id == str(UUID(first.session_id))


async def test_a_subscription_to_a_topic_that_nobody_made_works_and_stays_open(
    riff: "RiffClient",
) -> None:
    subscribing = await riff.subscribe("new")
    [assignment] = await riff.assignments(subscribing)
    receiving = riff.receive(assignment)
    await riff.publish("new", b"1")
    [record] = await riff.records(receiving, 1)
    assert record.event.data == b"1"
    assert not subscribing.done()


async def test_two_subscribers_of_a_group_get_different_sessions_and_a_partition_each(
    riff: "RiffClient", two_partitions: str
) -> None:
    one = await riff.subscribe(two_partitions)
    await riff.assignments(one, 2)
    other = await riff.subscribe(two_partitions)
    [kept] = await riff.assignments(one)
    [given] = await riff.assignments(other)
    assert kept.session_id != given.session_id
    assert {kept.partition, given.partition} == {0, 1}


async def test_after_a_rebalance_a_member_gets_a_new_reply_for_each_partition_that_it_holds(
    riff: "RiffClient", server: GatewayServer
) -> None:
    topic = (await server.provision(StreamSettings("default", "four", partitions=4))).topic
    one = await riff.subscribe(topic)
    assert {each.partition for each in await riff.assignments(one, 4)} == {0, 1, 2, 3}
    other = await riff.subscribe(topic)
    kept = {each.partition for each in await riff.assignments(one, 2)}
    given = {each.partition for each in await riff.assignments(other, 2)}
    assert kept | given == {0, 1, 2, 3}
    other.cancel()
    await told(riff, one, {0, 1, 2, 3})


async def test_so_does_one_that_holds_what_it_held_before(
    riff: "RiffClient", two_partitions: str
) -> None:
    leaving = await riff.subscribe(two_partitions)
    await riff.assignments(leaving, 2)
    staying = await riff.subscribe(two_partitions)
    [unchanged] = await riff.assignments(staying)
    running = riff.receive(unchanged)
    await told(riff, leaving, {1 - unchanged.partition})
    joining = await riff.subscribe(two_partitions)
    leaving.cancel()
    [given] = await riff.assignments(joining)
    assert given.partition == 1 - unchanged.partition
    assert await riff.assignments(staying) == [unchanged]
    await riff.publish(two_partitions, b"1")
    await riff.publish(two_partitions, b"2")
    await riff.records(running, 1)


async def test_a_rebalance_of_one_group_or_topic_is_not_told_to_another(
    riff: "RiffClient", two_partitions: str
) -> None:
    quiet = await riff.subscribe(two_partitions)
    await riff.assignments(quiet, 2)
    for topic, group in ((two_partitions, "others"), ("numbers", "readers")):
        await riff.assignments(await riff.subscribe(topic, group))
    other = await riff.subscribe(two_partitions)
    [given] = await riff.assignments(other)
    kept = 1 - given.partition
    [answer] = await riff.assignments(quiet)
    assert answer.partition == kept
    other.cancel()
    assert await told(riff, quiet, {0, 1}) <= {kept}


async def test_what_it_kept_in_a_rebalance_goes_on_being_received(
    riff: "RiffClient", two_partitions: str
) -> None:
    one = await riff.subscribe(two_partitions)
    receiving = {each.partition: riff.receive(each) for each in await riff.assignments(one, 2)}
    await riff.subscribe(two_partitions)
    [kept] = await riff.assignments(one)
    await riff.publish(two_partitions, b"1")
    await riff.publish(two_partitions, b"2")
    [record] = await riff.records(receiving[kept.partition], 1)
    assert record.event.data in (b"1", b"2")


async def test_groups_do_not_share_partitions(riff: "RiffClient") -> None:
    for group in ("one", "other"):
        [assignment] = await riff.assignments(await riff.subscribe("numbers", group))
        assert assignment.partition == 0


async def test_earliest_begins_with_the_first_record(riff: "RiffClient") -> None:
    await riff.publish("numbers", b"1")
    [record] = await riff.read("numbers", 1)
    assert record.offset == 0


async def test_latest_is_settled_when_the_subscription_is_open(riff: "RiffClient") -> None:
    await riff.publish("numbers", b"before")
    subscribing = await riff.subscribe("numbers", reset=LATEST)
    # Published before anything is received, and even before the assignment is read.
    await riff.publish("numbers", b"after")
    [assignment] = await riff.assignments(subscribing)
    [record] = await riff.records(riff.receive(assignment), 1)
    assert record.event.data == b"after"


async def test_a_group_that_has_a_position_goes_on_there_whatever_it_asks_for(
    riff: "RiffClient",
) -> None:
    for data in (b"0", b"1", b"2"):
        await riff.publish("numbers", data)
    await riff.ack("numbers", 0)
    subscribing = await riff.subscribe("numbers", reset=LATEST)
    [assignment] = await riff.assignments(subscribing)
    assert [one.offset for one in await riff.records(riff.receive(assignment), 2)] == [1, 2]


async def test_group_versions_have_independent_positions(riff: "RiffClient") -> None:
    for data in (b"0", b"1", b"2"):
        await riff.publish("numbers", data)
    await riff.ack("numbers", 1, version=1)
    [one] = await riff.read("numbers", 1, version=1)
    [two] = await riff.read("numbers", 1, version=2)
    assert (one.offset, two.offset) == (2, 0)


async def test_a_group_name_may_end_in_its_version(riff: "RiffClient") -> None:
    for data in (b"0", b"1"):
        await riff.publish("numbers", data)
    await riff.ack("numbers", 0, group="x", version=3)
    [record] = await riff.read("numbers", 1, group="x-v3")
    assert record.offset == 1


async def test_group_version_0_subscribes_at_the_position_of_the_lowest_acked_version(
    riff: "RiffClient",
) -> None:
    for data in (b"0", b"1", b"2", b"3"):
        await riff.publish("numbers", data)
    await riff.ack("numbers", 1, version=2)
    await riff.ack("numbers", 2, version=3)
    [record] = await riff.read("numbers", 1, version=0)
    assert record.offset == 2


async def test_that_holds_for_a_group_that_subscribed_before_and_acked_nothing(
    riff: "RiffClient",
) -> None:
    for data in (b"0", b"1", b"2", b"3"):
        await riff.publish("numbers", data)
    [first] = await riff.read("numbers", 1)
    await riff.ack("numbers", 1, version=2)
    [again] = await riff.read("numbers", 1)
    assert (first.offset, again.offset) == (0, 2)


async def test_when_it_is_cancelled_its_partitions_go_to_others(
    riff: "RiffClient", two_partitions: str
) -> None:
    one = await riff.subscribe(two_partitions)
    other = await riff.subscribe(two_partitions)
    await riff.assignments(other)
    one.cancel()
    assert {each.partition for each in await riff.assignments(other, 2)} == {0, 1}


async def test_a_client_that_hangs_up_loses_its_partitions_to_others(
    riff: "RiffClient", server: GatewayServer, two_partitions: str
) -> None:
    async with open_channel(server.address) as channel:
        leaving = type(riff)(channel)
        subscribing = await leaving.subscribe(two_partitions)
        for assignment in await leaving.assignments(subscribing, 2):
            leaving.receive(assignment)
        other = await riff.subscribe(two_partitions)
        await riff.assignments(other)
    assert {each.partition for each in await riff.assignments(other, 2)} == {0, 1}


CLIENT = """
import sys, grpc
from penstock.wire.protocol.liiklus_pb2 import ReceiveRequest, SubscribeRequest
from penstock.wire.protocol.liiklus_pb2_grpc import LiiklusServiceStub

stub = LiiklusServiceStub(grpc.insecure_channel(sys.argv[1]))
subscribing = stub.Subscribe(SubscribeRequest(topic=sys.argv[2], group="readers"))
receiving = stub.Receive(ReceiveRequest(assignment=next(subscribing).assignment))
print("receives", next(receiving).record.offset, flush=True)
next(receiving)
"""


async def test_a_client_that_is_killed_loses_its_partitions_to_others(
    riff: "RiffClient", server: GatewayServer
) -> None:
    await riff.publish("numbers", b"1")
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CLIENT, server.address, "numbers", stdout=asyncio.subprocess.PIPE
    )
    assert client.stdout is not None
    assert await client.stdout.readline() == b"receives 0\n"
    waiting = await riff.subscribe("numbers")
    client.kill()
    await client.wait()
    [assignment] = await riff.assignments(waiting)
    [record] = await riff.records(riff.receive(assignment), 1)
    assert record.event.data == b"1"


async def test_a_membership_that_is_lost_is_taken_up_anew(
    riff: "RiffClient", server: GatewayServer, gateway: Gateway
) -> None:
    stream = StreamSettings("default", "numbers")
    topic = (await server.provision(stream)).topic
    subscribing = await riff.subscribe(topic)
    [assignment] = await riff.assignments(subscribing)
    receiving = riff.receive(assignment)
    # Removing the topic ends the membership of whoever is subscribed.
    await gateway.deprovision(stream)
    assert await riff.rest(receiving) == []
    [again] = await riff.assignments(subscribing)
    assert again.session_id == assignment.session_id
    await riff.publish(topic, b"1")
    [record] = await riff.records(riff.receive(again), 1)
    assert record.event.data == b"1"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (SubscribeRequest(group="readers"), "the topic is empty"),
        (SubscribeRequest(topic="..", group="readers"), "not a topic"),
        (SubscribeRequest(topic="numbers"), "the group is empty"),
        (
            SubscribeRequest(topic="numbers", group="x", auto_offset_reset=7),  # type: ignore[arg-type] # an open enum
            "expected 0 or 1",
        ),
    ],
    ids=["no topic", "an impossible topic", "no group", "an unknown reset"],
)
async def test_a_bad_request_is_refused_with_the_reason(
    riff: "RiffClient", request_: SubscribeRequest, reason: str
) -> None:
    code, text = await riff.refused(riff.stub.Subscribe(request_).read())
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert reason in text


async def test_it_ends_with_unavailable_when_the_server_stops(
    riff: "RiffClient", server: GatewayServer
) -> None:
    await riff.publish("numbers", b"1")
    subscribing = await riff.subscribe("numbers")
    [assignment] = await riff.assignments(subscribing)
    receiving = riff.receive(assignment)
    await riff.records(receiving, 1)
    stopping = asyncio.create_task(server.stop())
    for call in (subscribing, receiving):
        code, text = await riff.refused(call.read())
        assert code == grpc.StatusCode.UNAVAILABLE
        assert text == "the gateway is stopping: call again"
    await stopping


class TestWhenTheGatewayIsAway:
    """A gateway that says for a while that it cannot."""

    @pytest.fixture
    def gateway(self) -> "Unsteady":
        return Unsteady()

    async def test_a_first_subscription_is_refused_for_now(
        self, riff: "RiffClient", gateway: "Unsteady"
    ) -> None:
        gateway.failures = 1
        request = SubscribeRequest(topic="numbers", group="readers")
        assert await riff.refused(riff.stub.Subscribe(request).read()) == (
            grpc.StatusCode.UNAVAILABLE,
            "the broker is away",
        )

    async def test_a_lost_membership_is_asked_for_until_it_is_granted(
        self, riff: "RiffClient", server: GatewayServer, gateway: "Unsteady"
    ) -> None:
        stream = StreamSettings("default", "numbers")
        topic = (await server.provision(stream)).topic
        subscribing = await riff.subscribe(topic)
        await riff.assignments(subscribing)
        gateway.failures = 3
        await gateway.deprovision(stream)
        [assignment] = await riff.assignments(subscribing)
        assert assignment.partition == 0
        assert gateway.failures == 0


class Unsteady(InMemoryGateway):
    failures = 0

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        if self.failures:
            self.failures -= 1
            raise TemporaryError("the broker is away", retry_after=0.01)
        return await super().subscribe(topic, group, start, member)
