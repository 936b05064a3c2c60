"""Publishes the lines of a file, a pipe or a terminal, in batches as large as what is there."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import uuid4

import click

from penstock.cli.progress import Progress
from penstock.plugin import Message, Position, PubSub, TemporaryError

READ_BYTES = 256 * 1024


class LinePublisher:
    """One run over one input.

    Args:
        gateway: Where to, open.
        topic: The topic there.
        template: What each message is but for its payload, id and time.

    Attributes:
        accepted, refused: How many messages were.
    """

    def __init__(self, gateway: PubSub, topic: str, template: Message) -> None:
        self._gateway = gateway
        self._topic = topic
        self._template = template
        self.accepted = 0
        self.refused = 0

    async def publish(self, source: int) -> None:
        """Publish every line of a file descriptor, in their order.

        Raises:
            TemporaryError: The gateway failed; the text says from which line on.
        """
        with Progress(source, sys.stderr) as progress:
            async for lines in read_lines(source):
                await self._publish(lines, progress)
                progress.advance(len(lines), sum(map(len, lines)) + len(lines))

    async def _publish(self, lines: Sequence[bytes], progress: Progress) -> None:
        first = self.accepted + self.refused + 1
        try:
            results = await self._gateway.publish(self._topic, self._messages(lines))
        except TemporaryError as error:
            raise TemporaryError(
                f"{error}; the lines from {first} on are not published, or not for certain"
            ) from error
        for number, result in enumerate(results, first):
            if not isinstance(result, Position):
                self.refused += 1
                progress.clear()
                click.echo(f"line {number}: {result}", err=True)
        self.accepted = first - 1 + len(lines) - self.refused

    def _messages(self, lines: Sequence[bytes]) -> list[Message]:
        with_time = self._template._replace(time=datetime.now(UTC).isoformat())
        return [with_time._replace(payload=line, id=str(uuid4())) for line in lines]

    def summary(self, name: str) -> str:
        """What came of it, in one line."""
        plural = "" if self.accepted == 1 else "s"
        text = f"published {self.accepted} message{plural} to {name}"
        return f"{text}; {self.refused} refused" if self.refused else text


async def read_lines(source: int) -> AsyncIterator[list[bytes]]:
    """The lines of a file descriptor, without their line feeds; each list is what was there."""
    unfinished: list[bytes] = []
    while True:
        await _readable(source)
        chunk = os.read(source, READ_BYTES)
        if not chunk:
            break
        head, feed, tail = chunk.rpartition(b"\n")
        if not feed:
            unfinished.append(chunk)
            continue
        yield b"".join([*unfinished, head]).split(b"\n")
        unfinished = [tail]
    if last := b"".join(unfinished):
        yield [last]


async def _readable(source: int) -> None:
    """Wait for input so that Ctrl-C is heard meanwhile, as a thread in `read` would not."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(source, ready.set)
    except PermissionError:
        # A regular file: it is always ready, and cannot be waited for.
        return
    try:
        await ready.wait()
    finally:
        loop.remove_reader(source)
