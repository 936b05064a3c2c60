"""A gateway that is ended while it provisions, at each of its steps, has lost nothing."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.protocol.api import Request

from penstock.plugin import Address, Retention, StreamSettings
from penstock_kafka.topics.requests import Requests

if TYPE_CHECKING:
    from plugins.kafka.tests.topics.conftest import Broker, OpenTopics

BEFORE = StreamSettings("space", "stream", config={"max.message.bytes": "5000"})
STREAM = StreamSettings(
    "space", "stream", partitions=3, retention=Retention(seconds=5), config={"segment.ms": "9000"}
)


class Killed(BaseException):
    """As the end of a process: nothing catches it."""


@contextmanager
def killed_after(count: int) -> Iterator[None]:
    """Let so many requests pass, and end whoever makes one more."""
    send = Requests.send
    left = count

    async def counted(self: Requests, request: Request, broker: int | None = None) -> Any:
        nonlocal left
        if not left:
            raise Killed
        left -= 1
        return await send(self, request, broker)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Requests, "send", counted)
        yield


@pytest.mark.parametrize("existing", [False, True], ids=["a new topic", "one to change"])
async def test_the_next_one_finds_the_topic_its_own(
    open_topics: "OpenTopics",
    broker: "Broker",
    prefix: str,
    existing: bool,
) -> None:
    steps, ended = 0, False
    while not ended:
        # As on a new cluster each time: making the registry is a step as well.
        own = f"{prefix}{steps}."
        if existing:
            await open_topics(topic_prefix=own).provision(BEFORE)
        with suppress(Killed), killed_after(steps):
            await open_topics(topic_prefix=own).provision(STREAM)
            ended = True
        topic = f"{own}space_stream"
        assert await open_topics(topic_prefix=own).provision(STREAM) == Address(topic), steps
        assert await broker.partitions(topic) == 3
        assert await broker.set_on(topic) == {"retention.ms": "5000", "segment.ms": "9000"}
        steps += 1
    assert steps > 8, "fewer requests would not do"
