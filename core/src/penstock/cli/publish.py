"""`penstock publish`: messages from the command line or from standard input."""

import asyncio
import sys
from datetime import UTC, datetime
from uuid import uuid4

import click

from penstock.cli.line_publisher import LinePublisher
from penstock.cli.parameters import base64_bytes, concrete_type, header
from penstock.cli.target import Target, target_options
from penstock.media_type import MediaType, fits
from penstock.plugin import ContentTypeMismatch, Message, Position, UsageError
from penstock.wire.remote import RemotePubSub


@click.command("publish")
@target_options
@click.option("--payload", metavar="TEXT", help="The message, as text in UTF-8.")
@click.option(
    "--payload-base64", type=base64_bytes, metavar="B64", help="The message, as bytes in base64."
)
@click.option(
    "--lines",
    is_flag=True,
    help="Many messages: each line of standard input is one, without its line feed.",
)
@click.option(
    "--content-type",
    type=concrete_type,
    metavar="MIME",
    help="What the messages are. Default: what the stream declares, where that is one type.",
)
@click.option(
    "--header",
    "headers",
    type=header,
    metavar="'NAME: VALUE'",
    multiple=True,
    help="A header; may be given again. As with riff, what follows the colon is the value, with "
    "its blanks, and names are in lower case.",
)
@click.option("--key", help="Messages with one key go to one partition, in order.")
def command(
    *,
    target: Target,
    payload: str | None,
    payload_base64: bytes | None,
    lines: bool,
    content_type: str | None,
    headers: tuple[tuple[str, str], ...],
    key: str | None,
) -> None:
    """Publish messages to a stream.

    STREAM is a stream of what runs here; with --gateway HOST:PORT it is one of any gateway. One
    of --payload, --payload-base64 and --lines says what is published.

    A line on standard error says what was published. With --lines, messages that the gateway
    refuses are named there by the number of their line, the others are published all the same,
    and the exit code is 1.
    """
    if (payload is not None) + (payload_base64 is not None) + lines != 1:
        raise UsageError("give one of --payload TEXT, --payload-base64 B64 and --lines")
    template = Message(
        # What is not UTF-8 arrives in an argument as surrogates: out it goes as it was.
        payload=payload_base64 or (payload or "").encode(errors="surrogateescape"),
        content_type=_content_type(content_type, target),
        key=key.encode() if key else None,
        headers=dict(headers),
        type="riff-event",
        source="penstock-publish",
    )
    asyncio.run(_publish_lines(target, template) if lines else _publish_one(target, template))


async def _publish_one(target: Target, template: Message) -> None:
    message = template._replace(id=str(uuid4()), time=datetime.now(UTC).isoformat())
    async with RemotePubSub(target.gateway) as gateway:
        (result,) = await gateway.publish(target.topic, [message])
    if not isinstance(result, Position):
        raise result
    click.echo(
        f"published 1 message to {target.name}: "
        f"partition {result.partition}, offset {result.offset}",
        err=True,
    )


async def _publish_lines(target: Target, template: Message) -> None:
    async with RemotePubSub(target.gateway) as gateway:
        publisher = LinePublisher(gateway, target.topic, template)
        try:
            await publisher.publish(sys.stdin.fileno())
        finally:
            click.echo(publisher.summary(target.name), err=True)
    if publisher.refused:
        click.get_current_context().exit(1)


def _content_type(given: str | None, target: Target) -> str:
    """What was given, if it fits; or what the stream declares, if that is one type."""
    declared = target.content_type
    if given is not None:
        if declared and not fits(declared, given):
            raise UsageError(f"{target.name}: {ContentTypeMismatch(declared, given)}")
        return given
    if not declared:
        raise UsageError(f"what {target.name} takes is not known here: give --content-type MIME")
    if not MediaType.parse(declared).is_concrete:
        raise UsageError(
            f"{target.name} takes {declared}, which is more than one type: give --content-type MIME"
        )
    return declared
