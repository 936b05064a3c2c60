"""Which dead letters a command is for."""

import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click

from penstock.cli.deadletter.contents import Contents, Letter
from penstock.cli.target import Target, target_options
from penstock.plugin import Position, UsageError

_PLACE = re.compile(r"([0-9]{1,10})/([0-9]{1,20})")

_places = click.argument("places", metavar="PLACE...", nargs=-1)


def place_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a target and PLACEs; pass them as `target` and `places`."""
    with_target = target_options(_places(command))

    @wraps(with_target)
    def with_places(
        *, stream: str | None, topic: str | None, places: tuple[str, ...], **others: Any
    ) -> None:
        # With --topic there is no STREAM: what stands in its place is the first PLACE.
        if topic is not None and stream is not None:
            places, stream = (stream, *places), None
        chosen = list(dict.fromkeys(map(parse_place, places)))
        with_target(stream=stream, topic=topic, places=chosen, **others)

    return with_places


def parse_place(text: str) -> Position:
    """Read a place as `list` shows it.

    Raises:
        UsageError: It is none.
    """
    match = _PLACE.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{text!r} is no place of a dead letter: expected PARTITION/OFFSET, as 0/17; "
            "penstock deadletter list shows which there are"
        )
    return Position(int(match[1]), int(match[2]))


def check_choice(places: Sequence[Position], *, everything: bool) -> None:
    """Refuse what chooses nothing, or in two ways.

    Raises:
        UsageError: It does.
    """
    if everything and places:
        raise UsageError("--all stands in place of PLACEs: give one of them")
    if not everything and not places:
        raise UsageError("which dead letters? Give their PLACEs, as 0/17, or --all")


def choose(
    contents: Contents,
    target: Target,
    places: Sequence[Position],
    *,
    again: bool = False,
    hint: str = "",
) -> list[Letter]:
    """The dead letters at some places, in their order.

    Args:
        contents: What the stream holds.
        target: The stream, for the texts of errors.
        places: None at all: every open dead letter.
        again: Whether those that are dealt with may be among them.
        hint: What to say where one is dealt with and may not be.

    Raises:
        UsageError: At some of the places there is none; the text names them all.
    """
    if not places:
        return contents.open
    if faults := list(contents.faults(places, again=again)):
        more = hint if any(place in contents.resolutions for place in places) else ""
        raise UsageError(f"{target.name}: {'; '.join(faults)}{more}; nothing was done")
    return [contents.letters[place] for place in places]
