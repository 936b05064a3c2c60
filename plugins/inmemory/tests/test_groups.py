import asyncio
from collections.abc import Sequence

import pytest

from penstock.plugin import (
    Assigned,
    AtOffsets,
    Edge,
    Group,
    Message,
    Record,
    Revoked,
    StreamSettings,
    Subscription,
    SubscriptionEvent,
    TemporaryError,
)
from penstock_inmemory import InMemoryGateway, InMemoryGatewaySpec

GROUP = Group("group")
TOPIC = "space_stream"


@pytest.fixture(autouse=True)
async def four_partitions(gateway: InMemoryGateway) -> None:
    await gateway.provision(StreamSettings("space", "stream", partitions=4))


async def publish(gateway: InMemoryGateway, *payloads: str) -> None:
    await gateway.publish(TOPIC, [Message(payload.encode()) for payload in payloads])


def payloads(records: Sequence[Record]) -> str:
    return b"".join(record.message.payload for record in records).decode()


def partitions(*numbers: int) -> frozenset[int]:
    return frozenset(numbers)


async def told(member: Subscription) -> SubscriptionEvent | None:
    """What the member has not been told yet: in memory nothing is on its way."""
    try:
        async with asyncio.timeout(0):
            return await member.next_event()
    except TimeoutError:
        return None


async def settle(*members: Subscription) -> list[set[int]]:
    """Release what is revoked until nothing moves; what each member got and kept."""
    held: list[set[int]] = [set() for _ in members]
    quiet = False
    while not quiet:
        quiet = True
        for member, holds in zip(members, held, strict=True):
            while event := await told(member):
                quiet = False
                if isinstance(event, Assigned):
                    holds.update(event.partitions)
                else:
                    holds.difference_update(event.partitions)
                    await member.release(event.partitions)
    return held


async def join(gateway: InMemoryGateway) -> Subscription:
    return await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)


async def test_the_first_member_gets_every_partition(gateway: InMemoryGateway) -> None:
    subscription = await join(gateway)
    assert await subscription.next_event() == Assigned(partitions(0, 1, 2, 3))
    assert await told(subscription) is None


async def test_a_second_member_gets_half_once_that_is_released(gateway: InMemoryGateway) -> None:
    first = await join(gateway)
    await first.next_event()
    second = await join(gateway)
    assert await first.next_event() == Revoked(partitions(2, 3), 30.0)
    assert await told(second) is None
    await first.release([2])
    assert await second.next_event() == Assigned(partitions(2))
    await first.release([3])
    assert await second.next_event() == Assigned(partitions(3))
    assert await told(first) is None


async def test_reads_of_a_revoked_partition_end_and_the_others_go_on(
    gateway: InMemoryGateway,
) -> None:
    first = await join(gateway)
    stays = asyncio.create_task(first.read(0, 10))
    goes = asyncio.create_task(first.read(3, 10))
    assert not (await asyncio.wait([stays, goes], timeout=0.01))[0], "both wait"
    await join(gateway)
    async with asyncio.timeout(5):
        assert await goes == []
        await publish(gateway, *"abcd")
        assert payloads(await stays) == "a"
    assert await first.read(3, 10) == [], "it ends at once, with records there"


async def test_the_next_owner_starts_behind_what_was_acked_in_the_grace(
    gateway: InMemoryGateway,
) -> None:
    for payload in "abc":
        await publish(gateway, *payload * 4)
    first = await join(gateway)
    await first.read(2, 2)
    second = await join(gateway)
    await first.ack({2: 1})
    await first.release([2, 3])
    assert payloads(await second.read(2, 10)) == "c"
    assert payloads(await second.read(3, 10)) == "abc"


async def test_a_partition_that_is_not_released_is_handed_on_after_the_grace() -> None:
    async with InMemoryGateway(InMemoryGatewaySpec(partitions=2), grace=0.05) as gateway:
        first = await join(gateway)
        await publish(gateway, "a", "b")
        second = await join(gateway)
        async with asyncio.timeout(5):
            assert await second.next_event() == Assigned(partitions(1))
        await first.ack({0: 0, 1: 0})
        assert await gateway.positions(TOPIC, "group") == {0: {0: 0}}, "the ack of 1 is too late"
        await second.ack({1: 0})
        assert await gateway.positions(TOPIC, "group") == {0: {0: 0, 1: 0}}


async def test_a_partition_that_came_back_is_not_read_before_that_is_told() -> None:
    async with InMemoryGateway(InMemoryGatewaySpec(partitions=2), grace=0.05) as gateway:
        first = await join(gateway)
        await publish(gateway, "a", "b")
        second = await join(gateway)
        async with asyncio.timeout(5):
            assert await second.next_event() == Assigned(partitions(1))
        await second.close()
        assert await first.next_event() == Assigned(partitions(0, 1))
        assert await first.read(1, 10) == []
        assert await first.next_event() == Revoked(partitions(1), grace=0.05)
        assert await first.read(1, 10) == []
        assert await first.next_event() == Assigned(partitions(1))
        assert payloads(await first.read(1, 10)) == "b"


async def test_a_release_takes_back_the_deadline(gateway: InMemoryGateway) -> None:
    group = gateway._topics[TOPIC].group(GROUP)
    first, second = await join(gateway), await join(gateway)
    of_released, of_closed = group._deadlines[2], group._deadlines[3]
    await first.release([2])
    assert of_released.cancelled()
    assert not of_closed.cancelled()
    await first.close()
    assert of_closed.cancelled()
    assert await settle(second) == [{0, 1, 2, 3}]


async def test_who_closes_hands_over_at_once_what_it_has_not_acked(
    gateway: InMemoryGateway,
) -> None:
    await publish(gateway, *"abcd")
    first = await join(gateway)
    second = await join(gateway)
    await first.read(0, 10)
    await first.close()
    assert await second.next_event() == Assigned(partitions(0, 1, 2, 3))
    assert payloads(await second.read(0, 10)) == "a"


async def test_members_that_stay_keep_their_partitions_when_one_leaves(
    gateway: InMemoryGateway,
) -> None:
    members = [await join(gateway) for _ in range(3)]
    before = await settle(*members)
    assert sorted(map(len, before)) == [1, 1, 2]
    await members.pop().close()
    for member in members:
        event = await told(member)
        assert event is None or isinstance(event, Assigned)


async def test_a_partition_is_not_assigned_again_before_it_was_released(
    gateway: InMemoryGateway,
) -> None:
    first = await join(gateway)
    await first.next_event()
    second = await join(gateway)
    await second.close()
    assert await first.next_event() == Revoked(partitions(2, 3), 30.0)
    assert await told(first) is None
    await first.release([2, 3])
    assert await first.next_event() == Assigned(partitions(2, 3))


async def test_members_beyond_the_partitions_wait_for_their_turn(
    gateway: InMemoryGateway,
) -> None:
    members = [await join(gateway) for _ in range(5)]
    assert list(map(len, await settle(*members))) == [1, 1, 1, 1, 0]
    await members[0].close()
    assert await told(members[4]) == Assigned(partitions(0))


async def test_an_event_is_not_lost_by_a_wait_that_is_cancelled(gateway: InMemoryGateway) -> None:
    first = await join(gateway)
    await first.next_event()
    for turns in range(5):
        wait = asyncio.create_task(first.next_event())
        for _ in range(turns):
            await asyncio.sleep(0)
        second = await join(gateway)
        wait.cancel()
        event = (await asyncio.gather(wait, return_exceptions=True))[0]
        if isinstance(event, BaseException):
            event = await first.next_event()
        assert event == Revoked(partitions(2, 3), 30.0)
        await first.release([2, 3])
        await second.close()
        assert await first.next_event() == Assigned(partitions(2, 3))


async def test_a_closed_subscription_reads_nothing_and_says_that_it_is_closed(
    gateway: InMemoryGateway,
) -> None:
    subscription = await join(gateway)
    await subscription.next_event()
    async with asyncio.timeout(5):
        read = asyncio.create_task(subscription.read(0, 10))
        event = asyncio.create_task(subscription.next_event())
        assert not (await asyncio.wait([read, event], timeout=0.01))[0], "both wait"
        await subscription.close()
        await subscription.close()
        assert await read == []
        with pytest.raises(TemporaryError, match="the subscription is closed"):
            await event
    await publish(gateway, "a")
    assert await subscription.read(0, 10) == []
    await subscription.ack({0: 0})
    assert await gateway.positions(TOPIC, "group") == {}


async def test_a_closed_gateway_ends_its_subscriptions(gateway: InMemoryGateway) -> None:
    subscription = await join(gateway)
    await gateway.close()
    assert await subscription.read(0, 10) == []
    with pytest.raises(TemporaryError, match="the gateway is closed"):
        await subscription.next_event()


async def test_groups_read_independently(gateway: InMemoryGateway) -> None:
    await publish(gateway, *"abcd")
    one = await gateway.subscribe(TOPIC, Group("one"), Edge.EARLIEST)
    two = await gateway.subscribe(TOPIC, Group("two"), Edge.EARLIEST)
    assert payloads(await one.read(0, 10)) == payloads(await two.read(0, 10)) == "a"
    await one.ack({0: 0})
    assert await gateway.positions(TOPIC, "two") == {}


async def test_versions_of_a_group_read_independently(gateway: InMemoryGateway) -> None:
    await publish(gateway, *"abcd")
    one = await gateway.subscribe(TOPIC, Group("group", 1), Edge.EARLIEST)
    two = await gateway.subscribe(TOPIC, Group("group", 2), Edge.EARLIEST)
    await one.read(0, 10)
    await one.ack({0: 0})
    assert payloads(await two.read(0, 10)) == "a"
    await two.ack({3: 7})
    assert await gateway.positions(TOPIC, "group") == {1: {0: 0}, 2: {3: 7}}


async def test_an_ack_replaces_the_one_before_even_when_it_is_lower(
    gateway: InMemoryGateway,
) -> None:
    subscription = await join(gateway)
    for offset in (10, 200, 100):
        await subscription.ack({0: offset})
    assert await gateway.positions(TOPIC, "group") == {0: {0: 100}}
    await gateway.ack(TOPIC, GROUP, {0: 5, 1: 6})
    assert await gateway.positions(TOPIC, "group") == {0: {0: 5, 1: 6}}


async def test_a_group_that_nobody_joined_may_ack_and_starts_there(
    gateway: InMemoryGateway,
) -> None:
    for payload in "abc":
        await publish(gateway, *payload * 4)
    await gateway.ack(TOPIC, GROUP, {0: 1})
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.LATEST)
    await publish(gateway, *"dddd")
    assert payloads(await subscription.read(0, 10)) == "cd"
    assert payloads(await subscription.read(1, 10)) == "d"


async def test_an_ack_of_a_topic_that_nobody_made_is_kept(gateway: InMemoryGateway) -> None:
    await gateway.ack("new", GROUP, {0: 3})
    assert await gateway.positions("new", "group") == {0: {0: 3}}


async def test_what_nobody_used_has_no_positions(gateway: InMemoryGateway) -> None:
    assert await gateway.positions("unknown", "group") == {}
    assert await gateway.positions(TOPIC, "unknown") == {}
    assert await gateway.end_positions("unknown") == {}
    await join(gateway)
    assert await gateway.positions(TOPIC, "group") == {}, "a start is no position"


async def test_positions_are_those_of_the_time_of_the_call(gateway: InMemoryGateway) -> None:
    await gateway.ack(TOPIC, GROUP, {0: 1})
    before = await gateway.positions(TOPIC, "group")
    await gateway.ack(TOPIC, GROUP, {0: 2})
    assert before == {0: {0: 1}}


async def test_a_start_is_settled_for_who_comes_later(gateway: InMemoryGateway) -> None:
    await publish(gateway, *"abcd")
    first = await gateway.subscribe(TOPIC, GROUP, Edge.LATEST)
    await first.close()
    await publish(gateway, *"efgh")
    second = await gateway.subscribe(TOPIC, GROUP, Edge.LATEST)
    assert payloads(await second.read(0, 10)) == "e", "the backlog is not skipped"


async def test_offsets_replace_an_edge_that_nobody_reads_from() -> None:
    async with InMemoryGateway() as gateway:
        await publish(gateway, *"abcdefgh")
        first = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
        second = await gateway.subscribe(TOPIC, GROUP, AtOffsets({0: 3}))
        await first.close()
        assert payloads(await second.read(0, 10)) == "abcdefgh", "somebody was there"
        await second.close()
        third = await gateway.subscribe(TOPIC, GROUP, AtOffsets({0: 5}))
        assert payloads(await third.read(0, 10)) == "fgh"
        await third.close()
        fourth = await gateway.subscribe(TOPIC, GROUP, AtOffsets({0: 7}))
        assert payloads(await fourth.read(0, 10)) == "fgh", "offsets that are settled stay"


async def test_end_positions_are_those_of_the_last_records(gateway: InMemoryGateway) -> None:
    await publish(gateway, *"abcdef")
    assert await gateway.end_positions(TOPIC) == {0: 1, 1: 1, 2: 0, 3: 0}
    await gateway.provision(StreamSettings("space", "stream", partitions=5))
    assert 4 not in await gateway.end_positions(TOPIC)
