"""Gateways that publish wrongly."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any

from core.tests.testing.broken.breakage import caught_by, record
from penstock.plugin import (
    Group,
    Message,
    PermanentError,
    Position,
    PublishResult,
    Start,
    Subscription,
)
from penstock.testing.cases.acking_by_others import AckingByOthers
from penstock.testing.cases.messages import Messages
from penstock.testing.cases.ordering import Ordering
from penstock.testing.cases.partitions import Partitions
from penstock.testing.cases.publishing import Publishing
from penstock.testing.cases.starts import Starts
from penstock_inmemory import InMemoryGateway

IMPOSSIBLE = "no topic"


@caught_by(
    Publishing.test_batches_are_stored_in_the_order_given,
    Ordering.test_records_of_one_key_are_delivered_in_their_order,
)
class StoresBackwards(InMemoryGateway):
    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        return (await super().publish(topic, messages[::-1]))[::-1]


@caught_by(Publishing.test_a_batch_of_many_keys_keeps_its_order_within_a_partition)
class StoresKeyByKey(InMemoryGateway):
    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        by_key = sorted(messages, key=lambda message: message.key or b"")
        return await super().publish(topic, by_key)


@caught_by(Publishing.test_each_result_is_the_position_of_its_message)
class AnswersBackwards(InMemoryGateway):
    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        return (await super().publish(topic, messages))[::-1]


@caught_by(Publishing.test_an_empty_batch_has_no_results)
class StoresAnEmptyMessageForAnEmptyBatch(InMemoryGateway):
    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        return await super().publish(topic, messages or [Message(b"")])


@caught_by(Publishing.test_what_has_a_position_is_stored)
class AnswersBeforeItStores(InMemoryGateway):
    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        known = self._topic(topic).end_positions()
        asyncio.get_running_loop().call_later(0.2, self._topic(topic).publish, messages)
        return [Position(0, known.get(0, -1) + 1 + place) for place in range(len(messages))]


@caught_by(Publishing.test_calls_that_overlap_lose_nothing_and_keep_their_order)
class LosesWhatOverlaps(InMemoryGateway):
    _busy = False

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        if self._busy:
            return [Position(0, 0) for _ in messages]
        self._busy = True
        try:
            return await super().publish(topic, messages)
        finally:
            self._busy = False


@caught_by(
    Publishing.test_a_topic_that_nobody_made_is_made,
    Starts.test_a_topic_that_nobody_made_can_be_subscribed_to,
)
class KnowsOnlyWhatItMade(InMemoryGateway):
    def _check(self, topic: str) -> None:
        if topic not in self._topics:
            raise PermanentError(f"there is no topic {topic}")

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        self._check(topic)
        return await super().publish(topic, messages)

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        self._check(topic)
        return await super().subscribe(topic, group, start, member)


@caught_by(
    Publishing.test_an_impossible_topic_is_refused,
    Starts.test_an_impossible_topic_cannot_be_subscribed_to,
    AckingByOthers.test_an_ack_of_an_impossible_topic_is_refused,
)
class TakesAnyTopic(InMemoryGateway):
    def _topic(self, name: str, partitions: int | None = None) -> Any:
        return super()._topic("other" if name == IMPOSSIBLE else name, partitions)


@caught_by(
    Publishing.test_a_message_that_is_refused_affects_no_other, refused=Message(b"not this one")
)
class RefusesTheWholeBatch(InMemoryGateway):
    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        refused = PermanentError("not this one")
        if any(message.payload == b"not this one" for message in messages):
            return [refused for _ in messages]
        return await super().publish(topic, messages)


@caught_by(
    Partitions.test_messages_with_one_key_go_to_one_partition,
    Ordering.test_records_of_one_key_are_in_their_order_for_who_reads_them_later,
)
class SpreadsKeys(InMemoryGateway):
    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        return await super().publish(topic, [message._replace(key=None) for message in messages])


@caught_by(Partitions.test_messages_without_a_key_are_spread)
class HashesNoKeyToo(InMemoryGateway):
    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        keyed = [message._replace(key=message.key or b"none") for message in messages]
        return await super().publish(topic, keyed)


@caught_by(
    Partitions.test_messages_with_an_empty_key_are_spread_as_those_without,
    Messages.test_an_empty_key_comes_back_as_none,
)
class StoresEmptyKeys(InMemoryGateway):
    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        keyed = [
            message._replace(key=b"\0") if message.key == b"" else message for message in messages
        ]
        return await super().publish(topic, keyed)


@caught_by(Messages.test_offsets_grow_within_a_partition)
class AnswersTheSameOffset(InMemoryGateway):
    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        await super().publish(topic, messages)
        return [Position(0, 7) for _ in messages]


@caught_by(Messages.test_headers_stay_with_their_message)
class GivesAllTheHeadersOfTheFirst(InMemoryGateway):
    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        same = [message._replace(headers=messages[0].headers) for message in messages]
        return await super().publish(topic, same)


def changing(change: Callable[[Message], Message]) -> type[InMemoryGateway]:
    """A gateway that stores another message than it was given."""

    class Changes(InMemoryGateway):
        async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
            return await super().publish(topic, [change(message) for message in messages])

    return Changes


def stripped(headers: Collection[tuple[str, str]]) -> dict[str, str]:
    """Headers without white space."""
    return {name: value.strip() for name, value in headers}


CHANGES: dict[str, tuple[Callable[..., Any], Callable[[Message], Message]]] = {
    "MakesIds": (
        Messages.test_a_message_comes_back_as_it_was_published,
        lambda message: message._replace(id="another"),
    ),
    "DropsTimesThatAreNone": (
        Messages.test_a_time_that_is_none_comes_back,
        lambda message: message._replace(time=message.time if "T" in message.time[:11] else ""),
    ),
    "GivesADefaultContentType": (
        Messages.test_a_content_type_that_was_not_given_stays_empty,
        lambda message: message._replace(
            content_type=message.content_type or "application/octet-stream"
        ),
    ),
    "NormalizesContentTypes": (
        Messages.test_a_content_type_comes_back_letter_by_letter,
        lambda message: message._replace(content_type=message.content_type.lower()),
    ),
    "WritesNullForNoData": (
        Messages.test_a_message_without_data_comes_back,
        lambda message: message._replace(payload=message.payload or b"null"),
    ),
    "ReadsDataAsText": (
        Messages.test_data_of_any_bytes_comes_back,
        lambda message: message._replace(payload=message.payload.decode(errors="replace").encode()),
    ),
    "GivesADefaultType": (
        Messages.test_attributes_that_were_not_given_stay_empty,
        lambda message: message._replace(type=message.type or "message"),
    ),
    "StripsHeaders": (
        Messages.test_headers_come_back,
        lambda message: message._replace(headers=stripped(message.headers.items())),
    ),
    "ReadsKeysAsText": (
        Messages.test_a_key_of_any_bytes_comes_back,
        lambda message: message._replace(
            key=(message.key or b"").decode(errors="replace").encode()
        ),
    ),
}
for name, (case, change) in CHANGES.items():
    record(name, (case,), changing(change))
