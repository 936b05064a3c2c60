"""Payloads as they are printed: as text where they are text, in base64 where they are none."""

import base64

import click

payload_encoding_option = click.option(
    "--payload-encoding",
    type=click.Choice(["raw", "base64"]),
    default="raw",
    help="How payloads are printed. One that is not UTF-8 is printed in base64 by raw too, and "
    'is marked in JSON by "payloadEncoding":"base64".',
)


def as_base64(payload: bytes) -> str:
    """A payload in base64."""
    return base64.b64encode(payload).decode("ascii")


def payload_fields(payload: bytes, encoding: str) -> dict[str, str]:
    """The members of a JSON object that show a payload.

    Args:
        payload: The payload.
        encoding: `raw` or `base64`.
    """
    if encoding == "base64":
        return {"payload": as_base64(payload)}
    try:
        return {"payload": payload.decode()}
    except UnicodeDecodeError:
        return {"payload": as_base64(payload), "payloadEncoding": "base64"}
