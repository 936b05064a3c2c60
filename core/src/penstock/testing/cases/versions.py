"""Versions of a group."""

from penstock.plugin import Capability, Edge, Group, PubSub, start_of_version
from penstock.testing.expectation import expect
from penstock.testing.filling import numbers
from penstock.testing.promise import Chapter, promise
from penstock.testing.rig import Rig
from penstock.testing.way import Way

OWN = "A consumer group. Each version of it has members and positions of its own."


class Versions(Chapter):
    """`Capability.VERSIONS`."""

    title = "versions"
    needs = frozenset({Capability.VERSIONS})

    @promise(Group, OWN)
    async def test_versions_share_no_partitions(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        members = [await rig.join(topic, Group(group.name, version)) for version in (0, 1, 2)]
        await rig.publish(topic, numbers(10))
        for member in members:
            await member.until_read(10)

    @promise(Group, OWN)
    async def test_each_version_resumes_behind_its_own_ack(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        for version, place in ((1, 7), (2, 4)):
            member = await rig.join(topic, Group(group.name, version))
            await member.until_read(10)
            await member.subscription.ack({0: positions[place].offset})
            await rig.leave(member)
        for version, left in ((1, 2), (2, 5)):
            await (await rig.join(topic, Group(group.name, version))).until_read(left)

    @promise(
        PubSub.positions,
        "The last acked offset by partition, for each version of a group that has acked any.",
        not_over={Way.RIFF: "riff's protocol does not tell which versions there are"},
    )
    async def test_positions_tell_those_of_each_version(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        for version, place in ((0, 1), (2, 7), (3, 4)):
            member = await rig.join(topic, Group(group.name, version))
            await member.until_read(10)
            await member.subscription.ack({0: positions[place].offset})
        expect(
            "positions by version",
            await rig.positions(topic, group),
            {
                0: {0: positions[1].offset},
                2: {0: positions[7].offset},
                3: {0: positions[4].offset},
            },
        )

    @promise(
        start_of_version,
        "A group without a version starts at the position of its lowest acked version",
        not_over={Way.DIRECT: "a rule of the gateway server, by what `positions` tells"},
    )
    async def test_a_group_without_a_version_starts_at_its_lowest(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        for version, place in ((3, 4), (2, 7)):
            member = await rig.join(topic, Group(group.name, version))
            await member.until_read(10)
            await member.subscription.ack({0: positions[place].offset})
            await rig.leave(member)
        member = await rig.join(topic, group, Edge.LATEST)
        await member.until_read(2)
        expect("payloads as read", member.payloads, [b"8", b"9"])

    @promise(start_of_version, "every other group starts where it asked to.")
    async def test_a_new_version_starts_where_it_asked_to(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        await rig.publish(topic, numbers(10))
        first = await rig.join(topic, Group(group.name, 1))
        await first.until_read(10)
        await first.ack_all()
        latest = await rig.join(topic, Group(group.name, 2), Edge.LATEST)
        earliest = await rig.join(topic, Group(group.name, 3), Edge.EARLIEST)
        await rig.publish(topic, numbers(5, start=10))
        await earliest.until_read(15)
        await latest.until_read(5)
