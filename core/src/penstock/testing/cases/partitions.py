"""Partitions: where keys go, and what becomes of a stream that gets more."""

from dataclasses import replace

from penstock.plugin import Capability, Edge, Gateway, Message, PubSub
from penstock.testing.expectation import expect, expect_that
from penstock.testing.filling import fill, numbers
from penstock.testing.promise import ONLY_IN_PROCESS, Chapter, promise
from penstock.testing.rig import Rig

SPREAD = "Messages with one key go to one partition, those without are spread."


class Partitions(Chapter):
    """`Capability.PARTITIONS`."""

    title = "partitions"
    needs = frozenset({Capability.PARTITIONS})

    @promise(
        Capability.PARTITIONS,
        "A stream may have more than one partition, shared among a group's members.",
    )
    async def test_a_stream_has_the_partitions_that_it_asked_for(self, rig: Rig) -> None:
        member = await rig.join(await rig.topic(partitions=3))
        await member.until(lambda: bool(member.partitions), f"{member.name} is assigned partitions")
        await rig.settle()
        expect("the partitions of the only member", member.partitions, {0, 1, 2})

    @promise(PubSub.publish, SPREAD)
    async def test_messages_with_one_key_go_to_one_partition(self, rig: Rig) -> None:
        topic = await rig.topic(partitions=4)
        partitions: dict[bytes, set[int]] = {b"%d" % key: set() for key in range(10)}
        for _ in range(3):
            batch = [Message(b"1", key=key) for key in partitions for _ in range(3)]
            for message, position in zip(batch, await rig.publish(topic, batch), strict=True):
                partitions[message.key or b""].add(position.partition)
        several = {key: used for key, used in partitions.items() if len(used) != 1}
        expect("keys that are in several partitions", several, {})

    @promise(PubSub.publish, SPREAD)
    async def test_messages_without_a_key_are_spread(self, rig: Rig) -> None:
        topic = await rig.topic(partitions=4)
        offsets = await fill(rig, topic, 4, least=5)
        member = await rig.read_all(topic, sum(map(len, offsets.values())))
        read = {at: [one.offset for one in records] for at, records in member.records.items()}
        expect("offsets by partition, as read", read, offsets)

    @promise(Message, "an empty key is never stored.")
    async def test_messages_with_an_empty_key_are_spread_as_those_without(self, rig: Rig) -> None:
        topic = await rig.topic(partitions=4)
        used: set[int] = set()
        for start in range(0, 200, 4):
            positions = await rig.publish(topic, numbers(4, start=start, key=b""))
            used |= {position.partition for position in positions}
        expect_that(len(used) > 1, "partitions of 200 messages with an empty key", used, "several")

    @promise(
        Gateway.provision,
        "Make what a stream needs, or find it made; asked twice, it answers the same.",
        not_over=ONLY_IN_PROCESS,
    )
    async def test_a_stream_that_asks_for_more_gets_more_and_keeps_its_records(
        self, rig: Rig
    ) -> None:
        stream = rig.stream(partitions=1)
        before = await rig.provision(stream)
        await rig.publish(before.topic, numbers(5))
        after = await rig.provision(replace(stream, partitions=3))
        expect("the topic", after.topic, before.topic)
        expect("what is left as it is", after.drift, ())
        offsets = await fill(rig, after.topic, 3, least=1)
        await rig.read_all(after.topic, 5 + sum(map(len, offsets.values())))

    @promise(
        Gateway.provision,
        "What exists already and is not brought to the settings is no error: the address's "
        "`drift` says it, and people are shown that.",
        not_over=ONLY_IN_PROCESS,
    )
    async def test_partitions_are_never_taken_away_and_the_drift_says_so(self, rig: Rig) -> None:
        stream = rig.stream(partitions=3)
        topic = (await rig.provision(stream)).topic
        offsets = await fill(rig, topic, 3, least=2)
        fewer = await rig.provision(replace(stream, partitions=1))
        expect("the topic", fewer.topic, topic)
        expect_that(
            any("partition" in sentence for sentence in fewer.drift),
            "the drift of a stream that asks for fewer partitions than there are",
            fewer.drift,
            "a sentence that names the partitions",
        )
        await rig.read_all(topic, sum(map(len, offsets.values())))

    @promise(
        PubSub.subscribe,
        "a record that is published from then on is never missed",
    )
    async def test_records_of_a_partition_that_is_added_are_not_missed(self, rig: Rig) -> None:
        stream = rig.stream(partitions=1)
        topic = (await rig.provision(stream)).topic
        await rig.publish(topic, numbers(5))
        member = await rig.join(topic, start=Edge.LATEST)
        await rig.provision(replace(stream, partitions=3))
        offsets = await fill(rig, topic, 3, least=1)
        await member.until_read(sum(map(len, offsets.values())))
        read = {at: [one.offset for one in records] for at, records in member.records.items()}
        expect("offsets by partition, as read", read, offsets)
