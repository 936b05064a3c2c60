"""Messages: every field comes back as it was published."""

import time

from penstock.plugin import Message, Position, Record
from penstock.testing.expectation import expect, expect_that
from penstock.testing.filling import numbers
from penstock.testing.promise import Chapter, promise
from penstock.testing.rig import Rig

CLOCKS_MS = 5 * 60 * 1000  # by how much the clock of a messaging system may differ from ours
BYTES = bytes(range(256))


async def round_trip(rig: Rig, message: Message) -> Record:
    """A message, published and read."""
    topic = await rig.topic()
    await rig.publish(topic, [message])
    return (await rig.read_all(topic, 1)).records[0][0]


class Messages(Chapter):
    """`Message`, `Record` and `Position`."""

    title = "messages"

    @promise(Message, 'One message, in the terms of CloudEvents. Nothing in it is ever "repaired".')
    async def test_a_message_comes_back_as_it_was_published(self, rig: Rig) -> None:
        message = Message(
            payload=b"55.0",
            content_type="application/json; charset=utf-8",
            key=b"\x00key",
            headers={"h1": " V1", "traceparent": "00-é"},
            id="1",
            type="number",
            source="/sensors/1",
            time="2026-01-02T03:04:05Z",
        )
        expect("the message as read", (await round_trip(rig, message)).message, message)

    @promise(Message, "The event's time as the publisher wrote it, RFC 3339 or not, or empty.")
    async def test_a_time_that_is_none_comes_back(self, rig: Rig) -> None:
        message = Message(b"1", time="Fri Jan 02 03:04:05 UTC 2026")
        expect("the time as read", (await round_trip(rig, message)).message.time, message.time)

    @promise(Message, "Media type of the payload; empty where the publisher gave none.")
    async def test_a_content_type_that_was_not_given_stays_empty(self, rig: Rig) -> None:
        record = await round_trip(rig, Message(b"{}", id="1"))
        expect("the content type as read", record.message.content_type, "")

    @promise(Message, "Media type of the payload; empty where the publisher gave none.")
    async def test_a_content_type_comes_back_letter_by_letter(self, rig: Rig) -> None:
        message = Message(b"a", content_type='Text/Plain;  charset="UTF-8"')
        read = (await round_trip(rig, message)).message.content_type
        expect("the content type as read", read, message.content_type)

    @promise(Message, "The event's data.")
    async def test_a_message_without_data_comes_back(self, rig: Rig) -> None:
        message = Message(b"", content_type="text/plain", id="1")
        expect("the message as read", (await round_trip(rig, message)).message, message)

    @promise(Message, "The event's data.")
    async def test_data_of_any_bytes_comes_back(self, rig: Rig) -> None:
        message = Message(BYTES * 2000)
        expect("the message as read", (await round_trip(rig, message)).message, message)

    @promise(Message, "The event's attributes, each empty where the publisher left it so.")
    async def test_attributes_that_were_not_given_stay_empty(self, rig: Rig) -> None:
        message = (await round_trip(rig, Message(b"1"))).message
        expect("id, type, source", (message.id, message.type, message.source), ("", "", ""))

    @promise(Message, "The event's extensions, names in lower case.")
    async def test_headers_come_back(self, rig: Rig) -> None:
        headers = {"a": "", "b1": " spaces ", "traceparent": "00-é-日本", "long": "x" * 2000}
        record = await round_trip(rig, Message(b"1", headers=headers))
        expect("the headers as read", dict(record.message.headers), headers)

    @promise(Message, "The event's extensions, names in lower case.")
    async def test_headers_stay_with_their_message(self, rig: Rig) -> None:
        topic = await rig.topic()
        batch = [Message(b"1", headers={"n": "1"}), Message(b"2"), Message(b"3", headers={"m": ""})]
        await rig.publish(topic, batch)
        read = (await rig.read_all(topic, 3)).records[0]
        expect("the messages as read", [record.message for record in read], batch)

    @promise(Message, "Messages with one key go to one partition; ``None`` is unkeyed")
    async def test_a_key_of_any_bytes_comes_back(self, rig: Rig) -> None:
        record = await round_trip(rig, Message(b"1", key=BYTES))
        expect("the key as read", record.message.key, BYTES)

    @promise(Message, "an empty key is never stored.")
    async def test_an_empty_key_comes_back_as_none(self, rig: Rig) -> None:
        record = await round_trip(rig, Message(b"1", key=b""))
        expect("the key as read", record.message.key, None)

    @promise(Record, "When it was stored, in milliseconds since the Unix epoch.")
    async def test_a_record_says_when_it_was_stored(self, rig: Rig) -> None:
        before = time.time_ns() // 1_000_000
        record = await round_trip(rig, Message(b"1", time="2001-01-01T00:00:00Z"))
        after = time.time_ns() // 1_000_000
        expect_that(
            before - CLOCKS_MS <= record.timestamp_ms <= after + CLOCKS_MS,
            "the timestamp of a record, in milliseconds since the epoch",
            record.timestamp_ms,
            f"about {after}",
        )

    @promise(Position, "Unsigned, of at most 64 bits; grows within a partition, gaps allowed.")
    async def test_offsets_grow_within_a_partition(self, rig: Rig) -> None:
        topic = await rig.topic()
        positions = [
            position
            for start in (0, 5, 10)
            for position in await rig.publish(topic, numbers(5, start=start))
        ]
        expect("partitions", {position.partition for position in positions}, {0})
        offsets = [position.offset for position in positions]
        expect("offsets", offsets, sorted(set(offsets)))
        expect_that(0 <= offsets[0] < offsets[-1] < 2**64, "offsets", offsets, "0 to 2^64 - 1")
