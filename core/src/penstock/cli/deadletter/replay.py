"""Publishes dead letters to where they were, and marks them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Final

from penstock.cli.deadletter.contents import Letter, place_name
from penstock.cli.deadletter.marking import mark
from penstock.cli.deadletter.reading import note, read_messages
from penstock.cli.target import Target
from penstock.dead_letter import Resolution, restored
from penstock.plugin import (
    Message,
    PenstockError,
    PermanentError,
    Position,
    PubSub,
    TemporaryError,
    UsageError,
)
from penstock.wire.remote import RemotePubSub

_NAMED: Final = 10

Destinations = Mapping[str, Target]
"""Where the dead letters of each origin stream go."""


def destinations(target: Target, letters: Sequence[Letter], to: str | None) -> Destinations:
    """Find the streams that dead letters are from, or the one that was named in their place.

    Raises:
        UsageError: One of them cannot be found.
    """
    if to is not None:
        there = target.beside(to)
        return {letter.origin.stream: there for letter in letters}
    found: dict[str, Target] = {}
    for letter in letters:
        stream = letter.origin.stream
        if stream in found:
            continue
        # A topic's name may have a prefix that this command was not told.
        if not target.namespace:
            raise UsageError(
                f"with --topic it is not known which topic is that of stream {stream!r}, from "
                f"which {place_name(letter.place)} is: say where to with --to TOPIC"
            )
        try:
            found[stream] = target.beside(stream)
        except UsageError as error:
            raise _gone(letter, str(error)) from error
    return found


async def check_destinations(letters: Sequence[Letter], found: Destinations) -> None:
    """Refuse a topic of a given gateway that is not there: to publish to it would make it.

    Raises:
        UsageError: One is not there, or holds nothing, which cannot be told from that.
    """
    first = {letter.origin.stream: letter for letter in reversed(letters)}
    for stream, there in found.items():
        if not there.given:
            continue
        async with RemotePubSub(there.gateway) as gateway:
            if not await gateway.end_positions(there.topic):
                raise _gone(first[stream], f"{there.name} has no messages, or is gone")


def _gone(letter: Letter, why: str) -> UsageError:
    return UsageError(
        f"the stream that dead letter {place_name(letter.place)} is from: {why}; "
        "say where to with --to"
    )


class Replay:
    """One run over chosen dead letters.

    Args:
        target: The dead-letter stream.
        letters: What to replay.
        found: Where to.

    Attributes:
        replayed: How many were published and marked.
        failed: How many were not published.
    """

    def __init__(self, target: Target, letters: Sequence[Letter], found: Destinations) -> None:
        self.replayed = 0
        self.failed = 0
        self._target = target
        self._letters = {letter.place: letter for letter in letters}
        self._found = found
        self._left = set(self._letters)

    async def run(self) -> None:
        """Publish and mark them, batch by batch; one that is refused stops none of the others.

        Raises:
            TemporaryError: A gateway failed.
        """
        async with AsyncExitStack() as stack:
            addresses = {one.gateway for one in (self._target, *self._found.values())}
            gateways = {
                address: await stack.enter_async_context(RemotePubSub(address))
                for address in addresses
            }
            here = gateways[self._target.gateway]
            batches = read_messages(here, self._target.topic, self._letters)
            async with aclosing(batches):
                async for batch in batches:
                    await self._replay(gateways, batch)
        for place in sorted(self._left):
            self._fail(place, "is gone by retention meanwhile")

    async def _replay(
        self, gateways: Mapping[str, PubSub], batch: Mapping[Position, Message]
    ) -> None:
        by_target: dict[Target, list[Position]] = defaultdict(list)
        for place in batch:
            by_target[self._found[self._letters[place].origin.stream]].append(place)
        for there, places in by_target.items():
            messages = [restored(batch[place]) for place in places]
            done = await self._publish(gateways[there.gateway], there, places, messages)
            await self._mark(gateways[self._target.gateway], done)

    async def _publish(
        self, gateway: PubSub, there: Target, places: list[Position], messages: list[Message]
    ) -> list[Position]:
        """The places of those that were stored."""
        try:
            results = await gateway.publish(there.topic, messages)
        except TemporaryError as error:
            raise TemporaryError(
                f"{error}; dead letters from {place_name(places[0])} on may be published, and all "
                "that are not marked stay open"
            ) from error
        except PermanentError as error:
            results = [error] * len(messages)
        done: list[Position] = []
        for place, result in zip(places, results, strict=True):
            if isinstance(result, Position):
                done.append(place)
            else:
                self._fail(place, f"{there.name}: {result}")
        self._left.difference_update(places)
        return done

    async def _mark(self, gateway: PubSub, places: Sequence[Position]) -> None:
        letters = [self._letters[place] for place in places]
        try:
            await mark(gateway, self._target, letters, Resolution.REPLAYED)
        except PenstockError as error:
            names = ", ".join(map(place_name, places[:_NAMED]))
            more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
            kind = TemporaryError if isinstance(error, TemporaryError) else PermanentError
            raise kind(
                f"{error}; {names}{more} are replayed, and stay open as they could not be marked"
            ) from error
        self.replayed += len(places)

    def _fail(self, place: Position, why: str) -> None:
        self.failed += 1
        note(f"{place_name(place)}: {why}")
