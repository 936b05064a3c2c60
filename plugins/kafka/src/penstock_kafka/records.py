"""Records of Kafka as messages of penstock: binary CloudEvents, and what others write."""

from collections.abc import Sequence

from aiokafka import ConsumerRecord

from penstock.plugin import Message, Record

Headers = list[tuple[str, bytes]]


def encode(message: Message) -> tuple[bytes | None, bytes, Headers]:
    """A message as key, value and headers of a record."""
    return message.key or None, message.payload, []


def decode(records: Sequence[ConsumerRecord], acked: int) -> list[Record]:
    """Records as they are handed to a subscriber.

    Args:
        records: Of one partition, in order.
        acked: The highest offset of the partition that any version of the group has acked, or -1.
    """
    return [
        Record(
            Message(record.value or b"", key=record.key or None),
            record.offset,
            record.timestamp,
            record.offset <= acked,
        )
        for record in records
    ]
