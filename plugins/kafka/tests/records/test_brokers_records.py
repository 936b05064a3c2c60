"""Records that a real broker gives back, of other producers too."""

import time
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from penstock.plugin import Message, Record
from penstock_kafka.records import decode, encode
from tests.servers.kafka import KafkaServer

MEBIBYTE = 1024 * 1024


class Topic:
    """A topic of one partition, and those who have nothing to do with penstock."""

    def __init__(self, name: str, servers: str) -> None:
        self.name = name
        self._servers = servers

    async def produce(
        self,
        *records: tuple[bytes | None, bytes | None, list[Any]],
        timestamp_ms: int | None = None,
        **settings: Any,
    ) -> None:
        """Produce records, by a producer with such settings."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self._servers, max_request_size=8 * MEBIBYTE, **settings
        )
        await producer.start()
        try:
            batch = producer.create_batch()
            for key, value, headers in records:
                assert batch.append(timestamp=timestamp_ms, key=key, value=value, headers=headers)
            await (await producer.send_batch(batch, self.name, partition=0))
        finally:
            await producer.stop()

    async def read(self) -> list[Record]:
        """All records, decoded."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._servers)
        await consumer.start()
        try:
            partition = TopicPartition(self.name, 0)
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            records: list[Record] = []
            while await consumer.position(partition) < end:
                fetched = await consumer.getmany(partition, timeout_ms=1000)
                records += decode(fetched.get(partition, []), acked=-1)
            return records
        finally:
            await consumer.stop()


@pytest.fixture
async def topic(kafka: KafkaServer, settings: Mapping[str, str]) -> AsyncIterator[Topic]:
    name = f"records-{uuid.uuid4()}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1, topic_configs=dict(settings))])
    yield Topic(name, kafka.bootstrap_servers)
    await admin.close()


@pytest.fixture
def settings() -> Mapping[str, str]:
    return {}


MESSAGES = [
    Message(b"1" * 100, "text/plain", b"k", {"a": "ö"}, "1", "made", "/shop", "noon"),
    Message(b"2" * 100, "text/plain", None, {"a": "ö"}, "2", "made", "/shop"),
    Message(b""),
    Message(b"", key=b"k", headers={"kafkatombstone": "true"}),
]


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
async def test_messages_come_back_in_every_compression(topic: Topic, codec: str | None) -> None:
    await topic.produce(*encode(MESSAGES), compression_type=codec)
    assert [record.message for record in await topic.read()] == MESSAGES


async def test_headers_that_are_null_or_no_text_come_through(topic: Topic) -> None:
    await topic.produce((b"", b"x", [("A", None), ("ce_id", b"\xff"), ("a", b"1"), ("ö", b"")]))
    (record,) = await topic.read()
    assert record.message == Message(b"x", headers={"a": "1", "ö": ""}, id="ÿ")


@pytest.mark.parametrize("settings", [{"message.timestamp.type": "LogAppendTime"}])
async def test_the_time_of_a_record_is_the_brokers_where_the_topic_says_so(topic: Topic) -> None:
    before = int(time.time() * 1000)
    await topic.produce(*encode(MESSAGES), timestamp_ms=before - 10_000)
    for record in await topic.read():
        assert before <= record.timestamp_ms <= time.time() * 1000


async def test_the_time_of_a_record_is_the_producers_elsewhere(topic: Topic) -> None:
    created = int(time.time() * 1000) - 10_000
    await topic.produce(*encode(MESSAGES), timestamp_ms=created)
    assert {record.timestamp_ms for record in await topic.read()} == {created}


@pytest.mark.parametrize("settings", [{"max.message.bytes": str(8 * MEBIBYTE)}])
async def test_records_above_a_mebibyte_are_read(topic: Topic) -> None:
    large = Message(bytes(3 * MEBIBYTE), id="large")
    await topic.produce(*encode([large]))
    await topic.produce(*encode([Message(b"small")]))
    assert [record.message for record in await topic.read()] == [large, Message(b"small")]
