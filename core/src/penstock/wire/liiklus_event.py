"""Between penstock's messages and riff's LiiklusEvent."""

from penstock.plugin import NO_HEADERS, Message
from penstock.wire.protocol.liiklus_pb2 import LiiklusEvent


def to_event(message: Message) -> LiiklusEvent:
    """The event of a message; its key travels beside it."""
    return LiiklusEvent(
        id=message.id,
        type=message.type,
        source=message.source,
        time=message.time,
        data_content_type=message.content_type,
        data=message.payload,
        extensions=dict(message.headers),
    )


def from_event(event: LiiklusEvent, key: bytes) -> Message:
    """The message of an event, as it was published; names of extensions come in lower case.

    Args:
        event: The event.
        key: The key beside it; empty is unkeyed.
    """
    extensions = {name.lower(): value for name, value in event.extensions.items()}
    return Message(
        payload=event.data,
        content_type=event.data_content_type,
        key=key or None,
        headers=extensions or NO_HEADERS,
        id=event.id,
        type=event.type,
        source=event.source,
        time=event.time,
    )
