"""Reads a dead-letter stream, as often as a command needs it, up to where it ended at first."""

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from functools import partial
from typing import Final

import click

from penstock.cli.deadletter.contents import Contents
from penstock.cli.manifests import count
from penstock.cli.reading import read_to_end
from penstock.cli.target import Target
from penstock.plugin import Message, Position, PubSub, UsageError
from penstock.wire.remote import RemotePubSub

note: Final = partial(click.echo, err=True)
"""Says something beside what is printed."""


async def read_contents(target: Target) -> Contents:
    """What the stream holds now; messages in it that are no dead letters are noted.

    Raises:
        UsageError: There are messages, and no dead letter has ever been among them.
        TemporaryError: It cannot be read now.
    """
    contents = await _read_contents(target)
    if not contents.others:
        return contents
    if not contents.letters and not contents.resolutions:
        raise UsageError(
            f"{target.name} holds no dead letters, but {count(contents.others, 'other message')}: "
            "is it the stream that a processor's delivery.deadLetter names?"
        )
    note(f"{target.name} holds {count(contents.others, 'other message')} beside its dead letters")
    return contents


async def _read_contents(target: Target) -> Contents:
    async with RemotePubSub(target.gateway) as gateway:
        # A topic that nobody made has none, and is made by subscribing to it.
        contents = Contents(await gateway.end_positions(target.topic))
        batches = read_to_end(gateway, target.topic, contents.ends, note)
        async with aclosing(batches):
            async for read_from, records in batches:
                contents.take(read_from, records)
    return contents


async def read_messages(
    gateway: PubSub, topic: str, places: Collection[Position]
) -> AsyncGenerator[Mapping[Position, Message], None]:
    """The messages at some places, in batches; one that is gone by now is left out."""
    ends: dict[int, int] = {}
    for read_from, offset in places:
        ends[read_from] = max(offset, ends.get(read_from, 0))
    wanted = frozenset(places)
    batches = read_to_end(gateway, topic, ends, note)
    async with aclosing(batches):
        async for read_from, records in batches:
            at = {Position(read_from, record.offset): record.message for record in records}
            if found := {place: at[place] for place in at if place in wanted}:
                yield found
