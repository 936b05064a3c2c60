"""Values of options that are more than a text; each is read by a function for click's `type`."""

import base64

import click

from penstock.media_type import MediaType


def base64_bytes(text: str) -> bytes:
    """Bytes in base64."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not base64: {error}") from error


def header(text: str) -> tuple[str, str]:
    """A header's name, in lower case, and its value, just as it follows the colon."""
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.BadParameter(f"{text!r} is not a header: expected NAME: VALUE")
    return name.strip().lower(), value


def concrete_type(text: str) -> str:
    """The content type of a message."""
    try:
        concrete = MediaType.parse(text).is_concrete
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    if not concrete:
        raise click.BadParameter(f"{text!r} is a range, and a message is of one type")
    return text
