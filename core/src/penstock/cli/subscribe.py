"""`penstock subscribe`: the messages of a stream as JSON lines."""

import asyncio
import json
import os
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import partial
from itertools import islice
from uuid import uuid4

import click

from penstock.cli.deduplicator import REMEMBERED, Deduplicator
from penstock.cli.manifests import count as counted
from penstock.cli.payload import payload_encoding_option, payload_fields
from penstock.cli.reading import read_batches
from penstock.cli.target import Target, target_options
from penstock.local.output import discard
from penstock.plugin import Edge, Group, Message, Record
from penstock.wire.remote import RemotePubSub

Encode = Callable[[Message], str]


@click.command("subscribe")
@target_options
@click.option(
    "--from-beginning", is_flag=True, help="Print what is there already, not only what is new."
)
@payload_encoding_option
@click.option(
    "--count", type=click.IntRange(min=1), metavar="N", help="End after so many messages."
)
@click.option(
    "--deduplicate",
    is_flag=True,
    help="Leave out messages whose source and id are those of one before: what a processor has "
    f"written once more after a failure. The last {REMEMBERED:,} are remembered; a message "
    "without an id is always printed. How many were left out is said at the end.",
)
def command(
    *,
    target: Target,
    from_beginning: bool,
    payload_encoding: str,
    count: int | None,
    deduplicate: bool,
) -> None:
    """Print the messages of a stream as JSON lines.

    STREAM is a stream of what runs here; with --gateway HOST:PORT it is one of any gateway. A
    line has these keys, in this order:

    \b
    {"payload":"55.0","contentType":"application/json","headers":{}}

    It goes on until Ctrl-C, or for --count messages. It reads for itself: it takes nothing from
    a processor or from another run.
    """  # noqa: D301 - click wants the character, not two
    start = Edge.EARLIEST if from_beginning else Edge.LATEST
    encode = as_raw if payload_encoding == "raw" else as_base64
    deduplicator = Deduplicator() if deduplicate else None
    try:
        asyncio.run(_run(target, start, encode, count, deduplicator))
    finally:
        if deduplicator:
            click.echo(f"left out {counted(deduplicator.dropped, 'duplicate')}", err=True)


def as_raw(message: Message) -> str:
    """The line of a message with its payload as text."""
    return _line(message, "raw")


def as_base64(message: Message) -> str:
    """The line of a message with its payload in base64."""
    return _line(message, "base64")


def _line(message: Message, encoding: str) -> str:
    payload = payload_fields(message.payload, encoding)
    fields = {
        "payload": payload.pop("payload"),
        "contentType": message.content_type,
        "headers": dict(message.headers),
        **payload,
    }
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False) + "\n"


async def _run(
    target: Target,
    start: Edge,
    encode: Encode,
    count: int | None,
    deduplicator: Deduplicator | None,
) -> None:
    """Print until there are enough, or until nobody reads what is printed."""
    printing = asyncio.create_task(_print(target, start, encode, count, deduplicator))
    closing = asyncio.create_task(_wait_for_closed_output())
    await asyncio.wait({printing, closing}, return_when=asyncio.FIRST_COMPLETED)
    for task in (printing, closing):
        task.cancel()
    try:
        await asyncio.gather(printing, closing)
    except asyncio.CancelledError:
        # The one that did not come first.
        return
    except BrokenPipeError:
        discard(sys.stdout)


async def _print(
    target: Target,
    start: Edge,
    encode: Encode,
    count: int | None,
    deduplicator: Deduplicator | None,
) -> None:
    group = Group(f"penstock-subscribe-{uuid4().hex}")
    note = partial(click.echo, err=True)
    async with (
        RemotePubSub(target.gateway) as gateway,
        await gateway.subscribe(target.topic, group, start) as subscription,
        aclosing(read_batches(subscription, note)) as batches,
    ):
        note(f"subscribed to {target.name}; Ctrl-C ends")
        async for partition, read in batches:
            fresh = deduplicator.fresh(read) if deduplicator else read
            records = list(islice(fresh, count))
            _write(records, encode)
            await subscription.ack({partition: read[-1].offset})
            if count is not None:
                count -= len(records)
                if not count:
                    return


def _write(records: Sequence[Record], encode: Encode) -> None:
    sys.stdout.write("".join([encode(record.message) for record in records]))
    sys.stdout.flush()


async def _wait_for_closed_output() -> None:
    """Wait until the reader of a pipe has gone, as `head` does: the next write may be far off."""
    loop = asyncio.get_running_loop()
    output = sys.stdout.fileno()
    closed = asyncio.Event()
    is_pipe = stat.S_ISFIFO(os.fstat(output).st_mode)
    if is_pipe:
        loop.add_reader(output, closed.set)
    try:
        await closed.wait()
    finally:
        if is_pipe:
            loop.remove_reader(output)
