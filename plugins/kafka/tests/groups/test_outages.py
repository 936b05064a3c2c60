"""The broker is away for a while, or the network to it."""

import asyncio

import pytest

from penstock.plugin import Edge, Group, TemporaryError
from penstock_kafka.groups import Groups, surroundings
from penstock_kafka.groups.membership import SESSION_SECONDS
from plugins.kafka.tests.groups.broker import Broker
from plugins.kafka.tests.groups.conftest import Join, OpenGroups
from plugins.kafka.tests.groups.reading_member import ReadingMember
from plugins.kafka.tests.groups.waiting import until
from tests.servers.fixtures import OwnKafka, ProxiedKafka
from tests.servers.kafka import KafkaServer

IDS = {at: range(10) for at in range(4)}
AFTER = {at: range(10, 20) for at in range(4)}


class Outage:
    """A broker of this test's own, with a topic, and a member that has read and acked it.

    Args:
        server: The broker.
        groups: Its clients.
        member: Who reads.
    """

    topic = "topic"
    group = Group("group")

    def __init__(self, server: KafkaServer, groups: Groups, member: ReadingMember) -> None:
        self.server = server
        self.groups = groups
        self.member = member
        self.broker = Broker(server.bootstrap_servers)

    async def goes_on(self, join: Join) -> ReadingMember:
        """What is published now is read and acked, by the member or by one that joins anew."""
        await self.broker.publish(self.topic, AFTER)
        wanted = {number for ids in AFTER.values() for number in ids}
        member = self.member
        await until(
            lambda: member.lost or all(set(AFTER[at]) <= set(member.of(at)) for at in range(4)),
            f"it goes on, or is lost: {member}",
            patience=40,
        )
        if member.lost:
            await member.close()
            member = await join(groups=self.groups, topic=self.topic, group=self.group, acks=True)
        await member.until_read(wanted)
        await self.until_acked(19)
        return member

    async def until_acked(self, offset: int) -> None:
        """Wait until all partitions are acked so far."""

        async def is_acked() -> bool:
            try:
                acked = await self.groups.positions(self.topic, self.group.name)
            except TemporaryError:
                return False
            return acked.get(0) == dict.fromkeys(range(4), offset)

        await until(is_acked, f"{offset} is acked")


@pytest.fixture
async def outage(own_kafka: OwnKafka, open_groups: OpenGroups, join: Join) -> Outage:
    server = await asyncio.to_thread(own_kafka)
    groups = open_groups(server.bootstrap_servers)
    await Broker(server.bootstrap_servers).make(Outage.topic)
    await Broker(server.bootstrap_servers).publish(Outage.topic, IDS)
    member = await join(groups=groups, topic=Outage.topic, group=Outage.group, acks=True)
    outage = Outage(server, groups, member)
    await outage.until_acked(9)
    return outage


async def test_a_broker_that_is_restarted(outage: Outage, join: Join) -> None:
    await asyncio.to_thread(outage.server.restart)
    member = await outage.goes_on(join)
    assert member is outage.member, "nothing was lost by it"
    assert all(member.of(at) == list(range(20)) for at in range(4)), "nor repeated"


async def test_a_broker_that_crashes(outage: Outage, join: Join) -> None:
    await asyncio.to_thread(outage.server.kill)
    await asyncio.to_thread(outage.server.start)
    await outage.goes_on(join)


async def test_a_broker_that_stands_still_for_longer_than_a_session(
    outage: Outage, join: Join
) -> None:
    outage.server.freeze()
    await asyncio.sleep(SESSION_SECONDS + 2)
    outage.server.thaw()
    await outage.goes_on(join)


async def test_acks_wait_for_a_broker_that_is_restarted(outage: Outage) -> None:
    restart = asyncio.create_task(asyncio.to_thread(outage.server.restart))
    acks = 0
    while not restart.done():
        await outage.member.subscription.ack({0: acks % 9})
        acks += 1
    await restart
    await outage.member.subscription.ack({0: 3})
    assert (await outage.groups.positions(outage.topic, outage.group.name))[0][0] == 3


async def test_acks_of_others_wait_for_a_broker_that_is_restarted(
    outage: Outage, open_groups: OpenGroups
) -> None:
    other = open_groups(outage.server.bootstrap_servers)
    await other.ack(outage.topic, outage.group, {0: 8})
    await asyncio.to_thread(outage.server.restart)

    async def acks() -> bool:
        try:
            await other.ack(outage.topic, outage.group, {0: 5})
        except TemporaryError:
            return False
        return True

    await until(acks, "it is stored", patience=30)
    assert (await other.positions(outage.topic, outage.group.name))[0][0] == 5


async def test_an_ack_fails_in_bounded_time_when_the_broker_stands_still(
    outage: Outage, join: Join
) -> None:
    outage.server.freeze()
    now = asyncio.get_running_loop().time
    began = now()
    with pytest.raises(TemporaryError, match="has not answered"):
        await outage.member.subscription.ack({0: 5})
    assert now() - began < 20
    outage.server.thaw()
    await outage.goes_on(join)


@pytest.mark.parametrize("trouble", ["freeze", "kill"])
async def test_closing_takes_a_bounded_time(outage: Outage, trouble: str) -> None:
    getattr(outage.server, trouble)()
    now = asyncio.get_running_loop().time
    began = now()
    await outage.member.close()
    assert now() - began < 6
    began = now()
    await outage.groups.close()
    assert now() - began < 6


async def test_closing_takes_a_bounded_time_while_others_are_acked_for(
    outage: Outage, open_groups: OpenGroups
) -> None:
    other = open_groups(outage.server.bootstrap_servers)
    await other.ack(outage.topic, outage.group, {0: 8})
    outage.server.freeze()
    acking = [
        asyncio.create_task(other.ack(outage.topic, outage.group, {0: offset}))
        for offset in range(3)
    ]
    await asyncio.wait(acking, timeout=0.5)
    now = asyncio.get_running_loop().time
    began = now()
    await other.close()
    assert now() - began < 6
    for ack in acking:
        ack.cancel()
    await asyncio.wait(acking)


async def test_subscribing_fails_with_the_reason_when_nobody_answers(outage: Outage) -> None:
    await asyncio.to_thread(outage.server.kill)
    with pytest.raises(TemporaryError):
        await outage.groups.subscribe(outage.topic, Group("another"), Edge.EARLIEST)


async def test_a_broker_that_does_not_come_back_ends_the_membership(
    outage: Outage, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "AWAY_SECONDS", 3.0)
    await asyncio.to_thread(outage.server.kill)
    lost = await outage.member.until_lost()
    assert "out of reach" in str(lost)
    await outage.member.close()
    await asyncio.to_thread(outage.server.start)
    outage.member = await join(
        groups=outage.groups, topic=outage.topic, group=outage.group, acks=True
    )
    await outage.goes_on(join)


@pytest.mark.parametrize("seconds", [1, SESSION_SECONDS + 2])
async def test_a_network_that_is_cut(
    proxied_kafka: ProxiedKafka, open_groups: OpenGroups, join: Join, seconds: float
) -> None:
    server, proxy = proxied_kafka
    groups = open_groups(proxied_kafka.bootstrap_servers)
    broker = Broker(server.bootstrap_servers)
    await broker.make(Outage.topic)
    await broker.publish(Outage.topic, IDS)
    member = await join(groups=groups, topic=Outage.topic, group=Outage.group, acks=True)
    await until(lambda: len(member.ids) == 40, "all is read")
    await proxy.cut()
    await asyncio.sleep(seconds)
    await proxy.restore()
    await Outage(server, groups, member).goes_on(join)
