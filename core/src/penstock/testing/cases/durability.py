"""What outlives the gateway's process."""

from dataclasses import replace

from penstock.plugin import Capability, Edge, Gateway, Group, PubSub, Subscription
from penstock.testing.expectation import expect
from penstock.testing.filling import fill, numbers
from penstock.testing.promise import Chapter, promise
from penstock.testing.rig import Rig

OUTLIVE = "Records and positions outlive the gateway's process."


class Durability(Chapter):
    """`Capability.DURABLE`."""

    title = "durable"
    needs = frozenset({Capability.DURABLE})

    @promise(Capability.DURABLE, OUTLIVE)
    async def test_records_outlive_a_restart(self, rig: Rig) -> None:
        topic = await rig.topic()
        before = await rig.publish(topic, numbers(10))
        await rig.restart()
        after = await rig.publish(topic, numbers(5, start=10))
        member = await rig.read_all(topic, 15)
        expect("payloads as read", member.payloads, [b"%d" % number for number in range(15)])
        offsets = [record.offset for record in member.records[0]]
        expect("offsets as read", offsets, [position.offset for position in (*before, *after)])

    @promise(Capability.DURABLE, OUTLIVE)
    async def test_positions_outlive_a_restart(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        member = await rig.join(topic, group)
        await member.until_read(10)
        await member.subscription.ack({0: positions[6].offset})
        await rig.restart()
        expect("positions", await rig.positions(topic, group), {0: {0: positions[6].offset}})
        await (await rig.join(topic, group, Edge.LATEST)).until_read(3)

    @promise(Subscription.ack, "It replaces what was stored, even when lower.")
    async def test_a_lower_ack_outlives_a_restart(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        member = await rig.join(topic, group)
        await member.until_read(10)
        for place in (8, 2):
            await member.subscription.ack({0: positions[place].offset})
        await rig.restart()
        await (await rig.join(topic, group)).until_read(7)

    @promise(
        PubSub.subscribe,
        "a record that is published from then on is never missed, by this member or after a "
        "restart by another.",
    )
    async def test_a_start_outlives_a_restart_without_an_ack(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        await rig.publish(topic, numbers(10))
        await rig.join(topic, group, Edge.LATEST)
        await rig.publish(topic, numbers(3, start=10))
        await rig.restart()
        await rig.publish(topic, numbers(2, start=13))
        member = await rig.join(topic, group, Edge.LATEST)
        await member.until_read(5)
        expect("payloads as read", member.payloads, [b"10", b"11", b"12", b"13", b"14"])

    @promise(
        PubSub.positions,
        "The last acked offset by partition, for each version of a group that has acked any.",
    )
    async def test_a_start_is_no_position_after_a_restart_either(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        await rig.publish(topic, numbers(10))
        await rig.join(topic, group, Edge.LATEST)
        await rig.restart()
        expect("positions of a group that acked none", dict(await rig.positions(topic, group)), {})

    @promise(Capability.DURABLE, OUTLIVE, needs=[Capability.VERSIONS])
    async def test_positions_of_versions_outlive_a_restart(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        for version, place in ((1, 7), (2, 4)):
            member = await rig.join(topic, Group(group.name, version))
            await member.until_read(10)
            await member.subscription.ack({0: positions[place].offset})
        await rig.restart()
        for version, left in ((1, 2), (2, 5)):
            await (await rig.join(topic, Group(group.name, version))).until_read(left)

    @promise(
        Gateway.provision,
        "Called whenever the stream or the gateway changed, also after a restart.",
    )
    async def test_a_stream_is_found_made_after_a_restart(self, rig: Rig) -> None:
        stream = rig.stream(partitions=rig.partitions(3))
        before = await rig.provision(stream)
        offsets = await fill(rig, before.topic, rig.partitions(3), least=2)
        await rig.restart()
        expect("the address", await rig.provision(stream), before)
        await rig.read_all(before.topic, sum(map(len, offsets.values())))
        if rig.offers(Capability.PARTITIONS):
            more = await rig.provision(replace(stream, partitions=4))
            expect("the address of the stream with one more", more, before)
            await fill(rig, before.topic, 4, least=1)

    @promise(PubSub.publish, "Messages with one key go to one partition")
    async def test_a_key_stays_in_its_partition_after_a_restart(self, rig: Rig) -> None:
        topic = await rig.topic(partitions=4)
        keys = [b"%d" % key for key in range(20)]

        async def partitions() -> list[int]:
            return [(await rig.publish(topic, numbers(1, key=key)))[0].partition for key in keys]

        before = await partitions()
        await rig.restart()
        expect("partitions of twenty keys", await partitions(), before)
