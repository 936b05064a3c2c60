"""The commands `penstock deadletter list`, `show`, `replay` and `drop`."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing

import click

from penstock.cli.deadletter.choice import check_choice, choose, place_options
from penstock.cli.deadletter.contents import Letter, place_name
from penstock.cli.deadletter.description import (
    as_json,
    as_table,
    as_text,
    origin_name,
    printable,
    whole_as_json,
)
from penstock.cli.deadletter.marking import mark
from penstock.cli.deadletter.reading import note, read_contents, read_messages
from penstock.cli.deadletter.replay import (
    Destinations,
    Replay,
    check_destinations,
    destinations,
)
from penstock.cli.manifests import count
from penstock.cli.payload import payload_encoding_option
from penstock.cli.target import Target, target_options
from penstock.dead_letter import Resolution
from penstock.plugin import Message, Position, TemporaryError, UsageError
from penstock.table import format_table
from penstock.wire.remote import RemotePubSub

_everything = click.option("--all", "everything", is_flag=True, help="All that are open.")
_yes = click.option("--yes", is_flag=True, help="Do it without asking.")


@click.group("deadletter")
def command() -> None:
    """Look at dead letters, replay them and drop them.

    A dead letter is a message that a processor could not process: it stands in the stream that
    delivery.deadLetter of the processor names, as it was, with headers that say where it is from
    and why. A stream forgets no single message: what was replayed or dropped is left out because
    a marker in the same stream says so, a message of type penstock.deadletter.resolved.

    A PLACE is where a dead letter stands in that stream: PARTITION/OFFSET, as list shows it.
    """


@command.command("list")
@target_options
@click.option("--processor", metavar="NAME", help="Only those of one processor.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", help="Form.")
def list_letters(*, target: Target, processor: str | None, output: str) -> None:
    """List the open dead letters of a stream.

    STREAM is a stream of what runs here; with --gateway HOST:PORT it is one of any gateway. What
    is there when the command starts is read; it waits for nothing more. FROM is where the message
    was: STREAM[PARTITION]/OFFSET. ATTEMPTS is how many calls of the function failed with it: those
    of its whole window, and those of each part in which the message at fault was looked for. ERROR
    is the last one's; show has all of it.
    """
    letters = [
        letter
        for letter in asyncio.run(read_contents(target)).open
        if processor in (None, letter.origin.processor)
    ]
    if output == "json":
        click.echo(
            json.dumps([as_json(letter) for letter in letters], indent=2, ensure_ascii=False)
        )
    elif letters:
        click.echo(as_table(letters))
    else:
        of = f" of processor {processor}" if processor else ""
        click.echo(f"{target.name} holds no open dead letters{of}")


@command.command("show")
@place_options
@payload_encoding_option
@click.option("--output", type=click.Choice(["text", "json"]), default="text", help="Form.")
def show(*, target: Target, places: Sequence[Position], payload_encoding: str, output: str) -> None:
    """Show open dead letters whole: message, origin and error.

    PLACE is PARTITION/OFFSET in the dead-letter stream, as list shows it. Headers are those that
    the message had.
    """
    if not places:
        raise UsageError("which dead letters? Give their PLACEs, as 0/17")
    with asyncio.Runner() as runner:
        letters = choose(runner.run(read_contents(target)), target, places)
        messages = runner.run(_messages(target, places))
    shown = [(letter, messages[letter.place]) for letter in letters]
    if output == "json":
        objects = [whole_as_json(*one, payload_encoding) for one in shown]
        click.echo(json.dumps(objects, indent=2, ensure_ascii=False))
    else:
        click.echo("\n\n".join(as_text(*one, payload_encoding) for one in shown))


@command.command("replay")
@place_options
@_everything
@click.option(
    "--to",
    metavar="STREAM",
    help="Publish them to this stream in place of those that they are from; with --topic this is "
    "a topic too.",
)
@click.option("--again", is_flag=True, help="Also what is marked as replayed or dropped already.")
@click.option("--dry-run", is_flag=True, help="Show what would be published where, and end.")
@_yes
@click.pass_context
def replay(
    ctx: click.Context,
    *,
    target: Target,
    places: Sequence[Position],
    everything: bool,
    to: str | None,
    again: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Publish dead letters to the streams that they are from.

    PLACE is PARTITION/OFFSET in the dead-letter stream, as list shows it. A message is published
    as it was, with its id, key and headers; everybody who reads the stream gets it once more.

    Published first, marked as replayed then: what is ended in between has replayed messages that
    are still open, and the next replay publishes them a second time. None is lost. What a gateway
    refuses stays open and is named; the others are replayed all the same, and the exit code is 1.
    """
    check_choice(places, everything=everything)
    if again and everything:
        raise UsageError("--again goes with PLACEs: --all is for all that are open")
    # One event loop for all of it, as gRPC wants; a person is asked outside of it.
    with asyncio.Runner() as runner:
        contents = runner.run(read_contents(target))
        hint = "; --again replays it all the same"
        letters = choose(contents, target, places, again=again, hint=hint)
        if _are_none(target, letters):
            return
        found = destinations(target, letters, to)
        if to is None:
            runner.run(check_destinations(letters, found))
        if dry_run:
            rows = [_plan(letter, found) for letter in letters]
            click.echo(format_table(("place", "from", "to"), rows))
            return
        where = Counter(found[letter.origin.stream].name for letter in letters)
        split = ", ".join(f"{number} to {name}" for name, number in where.items())
        if not yes and not _agreed(f"Replay {_of(target, len(letters))}: {split}?"):
            ctx.exit(1)
        run = Replay(target, letters, found)
        try:
            runner.run(run.run())
        finally:
            note(f"replayed {_of(target, run.replayed)}{_failures(run.failed)}")
        ctx.exit(1 if run.failed else 0)


@command.command("drop")
@place_options
@_everything
@_yes
@click.pass_context
def drop(
    ctx: click.Context,
    *,
    target: Target,
    places: Sequence[Position],
    everything: bool,
    yes: bool,
) -> None:
    """Mark dead letters as dealt with, without replaying them.

    PLACE is PARTITION/OFFSET in the dead-letter stream, as list shows it. The messages stay in
    the stream for as long as it keeps messages, and penstock deadletter replay --again takes them.
    """
    check_choice(places, everything=everything)
    with asyncio.Runner() as runner:
        letters = choose(runner.run(read_contents(target)), target, places)
        if _are_none(target, letters):
            return
        if not yes and not _agreed(f"Drop {_of(target, len(letters))}?"):
            ctx.exit(1)
        runner.run(_drop(target, letters))
        note(f"dropped {_of(target, len(letters))}")


async def _drop(target: Target, letters: Sequence[Letter]) -> None:
    async with RemotePubSub(target.gateway) as gateway:
        await mark(gateway, target, letters, Resolution.DROPPED)


async def _messages(target: Target, places: Sequence[Position]) -> dict[Position, Message]:
    messages: dict[Position, Message] = {}
    async with RemotePubSub(target.gateway) as gateway:
        batches = read_messages(gateway, target.topic, places)
        async with aclosing(batches):
            async for batch in batches:
                messages.update(batch)
    if gone := [place_name(place) for place in places if place not in messages]:
        raise TemporaryError(f"{target.name}: {', '.join(gone)} went by retention meanwhile")
    return messages


def _plan(letter: Letter, found: Destinations) -> Sequence[str]:
    there = found[letter.origin.stream].name
    return place_name(letter.place), printable(origin_name(letter.origin)), there


def _are_none(target: Target, letters: Sequence[Letter]) -> bool:
    if not letters:
        note(f"{target.name} holds no open dead letters: there is nothing to do")
    return not letters


def _of(target: Target, number: int) -> str:
    return f"{count(number, 'dead letter')} of {target.name}"


def _failures(number: int) -> str:
    return f"; {number} could not be, and stay open" if number else ""


def _agreed(question: str) -> bool:
    """Ask a person; nobody there is a no."""
    note(f"{question} [y/N] ", nl=False)
    answer = sys.stdin.readline()
    if not answer:
        note("")
    agreed = answer.strip().lower() in ("y", "yes")
    if not agreed:
        note("nothing was done; --yes does it without asking")
    return agreed
