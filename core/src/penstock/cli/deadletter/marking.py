"""Marks dead letters as dealt with, by messages in their own stream."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from penstock.cli.deadletter.contents import Letter
from penstock.cli.target import Target
from penstock.dead_letter import Marker, Resolution
from penstock.media_type import OCTET_STREAM
from penstock.plugin import PermanentError, PubSub

PLACES: Final = 500
"""How many places one marker names at most; they travel in a header."""


async def mark(
    gateway: PubSub, target: Target, letters: Sequence[Letter], resolution: Resolution
) -> None:
    """Publish the markers of some dead letters.

    A marker is bytes, of which there are none. A stream that does not take bytes takes what its
    dead letters are.

    Args:
        gateway: The dead-letter stream's, open.
        target: That stream.
        letters: What is dealt with.
        resolution: What was done with it.

    Raises:
        PermanentError: The stream takes no markers.
        TemporaryError: It is not known which markers are stored.
    """
    for first in range(0, len(letters), PLACES):
        part = letters[first : first + PLACES]
        marker = Marker(tuple(letter.place for letter in part), resolution)
        message = marker.message(OCTET_STREAM)._replace(
            id=str(uuid4()), source="penstock-deadletter", time=datetime.now(UTC).isoformat()
        )
        [result] = await gateway.publish(target.topic, [message])
        if isinstance(result, PermanentError):
            as_letter = message._replace(content_type=part[0].content_type)
            [result] = await gateway.publish(target.topic, [as_letter])
        if isinstance(result, PermanentError):
            raise PermanentError(f"{target.name} takes no marker: {result}") from result
        if isinstance(result, Exception):
            raise result
