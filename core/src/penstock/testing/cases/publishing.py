"""Publishing: what is stored, where, and in which order."""

import asyncio
from uuid import uuid4

from penstock.plugin import Message, PermanentError, Position, PubSub
from penstock.testing.expectation import broken, expect, expect_that
from penstock.testing.filling import numbers
from penstock.testing.promise import Chapter, promise
from penstock.testing.rig import Rig
from penstock.testing.way import Way

ORDER = "Store a batch of messages, those of one partition in the order given."


class Publishing(Chapter):
    """`PubSub.publish`."""

    title = "publishing"

    @promise(PubSub.publish, ORDER)
    async def test_batches_are_stored_in_the_order_given(self, rig: Rig) -> None:
        topic = await rig.topic()
        first = await rig.publish(topic, numbers(100))
        second = await rig.publish(topic, numbers(100, start=100))
        member = await rig.read_all(topic, 200)
        expect("payloads as read", member.payloads, [b"%d" % number for number in range(200)])
        offsets = [record.offset for record in member.records[0]]
        expect("offsets as read", offsets, [one.offset for one in (*first, *second)])

    @promise(
        PubSub.publish,
        ORDER,
        not_over={Way.RIFF: "messages of different keys are calls of their own, made side by side"},
    )
    async def test_a_batch_of_many_keys_keeps_its_order_within_a_partition(self, rig: Rig) -> None:
        topic = await rig.topic()
        batch = [Message(b"%d" % number, key=b"%d" % (number % 7)) for number in range(200)]
        await rig.publish(topic, batch)
        member = await rig.read_all(topic, 200)
        expect("payloads as read", member.payloads, [message.payload for message in batch])

    @promise(PubSub.publish, "A result for each message, in their order.")
    async def test_each_result_is_the_position_of_its_message(self, rig: Rig) -> None:
        topic = await rig.topic(partitions=4)
        batch = [Message(b"%d" % number, key=b"%d" % (number % 50)) for number in range(200)]
        results = await rig.publish(topic, batch)
        member = await rig.read_all(topic, 200)
        stored = {
            Position(partition, record.offset): record.message.payload
            for partition, records in member.records.items()
            for record in records
        }
        expect(
            "what is stored at the positions of the results",
            [stored.get(result) for result in results],
            [message.payload for message in batch],
        )

    @promise(PubSub.publish, "A result for each message, in their order.")
    async def test_an_empty_batch_has_no_results(self, rig: Rig) -> None:
        topic = await rig.topic()
        expect("results of an empty batch", list(await rig.pubsub.publish(topic, [])), [])
        expect("what it has stored", dict(await rig.end_positions(topic)), {})

    @promise(
        PubSub.publish,
        "When it returns, what has a position is stored as safely as the gateway can.",
    )
    async def test_what_has_a_position_is_stored(self, rig: Rig) -> None:
        topic = await rig.topic()
        for number in range(10):
            [position] = await rig.publish(topic, numbers(1, start=number))
            end = dict(await rig.end_positions(topic))
            expect("end positions after a publish", end, {position.partition: position.offset})

    @promise(
        PubSub.publish,
        "calls for one topic may overlap, and only the order within a call is promised.",
    )
    async def test_calls_that_overlap_lose_nothing_and_keep_their_order(self, rig: Rig) -> None:
        topic = await rig.topic()
        batches = [
            [Message(b"%d of %d" % (number, publisher)) for number in range(10)]
            for publisher in range(20)
        ]
        await asyncio.gather(*(rig.publish(topic, batch) for batch in batches))
        read = (await rig.read_all(topic, 200)).payloads
        for publisher, batch in enumerate(batches):
            mine = [payload for payload in read if payload.endswith(b" of %d" % publisher)]
            expect("payloads of one call", mine, [message.payload for message in batch])

    @promise(PubSub.publish, "A topic that nobody made is made.")
    async def test_a_topic_that_nobody_made_is_made(self, rig: Rig) -> None:
        topic = f"conformance-{uuid4().hex[:12]}"
        await rig.publish(topic, numbers(3))
        expect("payloads as read", sorted((await rig.read_all(topic, 3)).payloads), [
            b"0", b"1", b"2",
        ])  # fmt: skip

    @promise(
        PubSub.publish,
        "PermanentError: None was stored, and none ever will be: the topic is impossible.",
    )
    async def test_an_impossible_topic_is_refused(self, rig: Rig) -> None:
        topic = rig.backend.impossible_topic
        what = f"publishing to the topic {topic!r}"
        try:
            results = await rig.pubsub.publish(topic, numbers(2))
        except PermanentError as error:
            # Also where each message is refused by itself, as where each is a call of its own.
            results = [error, error]
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the wrong one
            broken(what, error, "a PermanentError")
        for result in results:
            expect_that(
                isinstance(result, PermanentError) and "topic" in str(result),
                what,
                result,
                "a PermanentError whose text says that it is the topic",
            )

    @promise(
        PubSub.publish,
        "it is refused for good, the others are not affected.",
    )
    async def test_a_message_that_is_refused_affects_no_other(self, rig: Rig) -> None:
        if rig.backend.refused is None:
            rig.not_applicable("the backend names no message that the gateway refuses")
        topic = await rig.topic()
        before, refused, after = await rig.pubsub.publish(
            topic, [Message(b"before"), rig.backend.refused, Message(b"after")]
        )
        expect_that(
            isinstance(refused, PermanentError),
            "the result of a message that is refused",
            refused,
            "a PermanentError in its place",
        )
        for result in (before, after):
            expect_that(isinstance(result, Position), "the result beside it", result, "a Position")
        expect("payloads as read", (await rig.read_all(topic, 2)).payloads, [b"before", b"after"])
