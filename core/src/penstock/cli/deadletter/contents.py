"""What a dead-letter stream holds: its dead letters, and which of them are dealt with."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from penstock.dead_letter import Marker, Origin, Resolution
from penstock.plugin import Position, Record


class Letter(NamedTuple):
    """A dead letter without the message itself, which may be large.

    Attributes:
        place: Where it stands in the dead-letter stream.
        origin: What its headers say.
        content_type: That of its message.
    """

    place: Position
    origin: Origin
    content_type: str


class Contents:
    """Filled from the stream's records, in any order of its partitions.

    Args:
        ends: The offset of the last record, by partition.

    Attributes:
        ends: As given.
        letters: All dead letters, by their places.
        resolutions: What was done with those that are dealt with, by their places.
        others: How many messages are neither dead letters nor markers.
    """

    def __init__(self, ends: Mapping[int, int]) -> None:
        self.ends = ends
        self.letters: dict[Position, Letter] = {}
        self.resolutions: dict[Position, Resolution] = {}
        self.others = 0
        self._first: dict[int, int] = {}

    def take(self, partition: int, records: Sequence[Record]) -> None:
        """Add records of a partition."""
        self._first.setdefault(partition, records[0].offset)
        for record in records:
            message = record.message
            if marker := Marker.of(message):
                self.resolutions.update(dict.fromkeys(marker.places, marker.resolution))
            elif origin := Origin.of(message):
                place = Position(partition, record.offset)
                self.letters[place] = Letter(place, origin, message.content_type)
            else:
                self.others += 1

    @property
    def open(self) -> list[Letter]:
        """The dead letters that are not dealt with, by their places."""
        return [self.letters[one] for one in sorted(self.letters) if one not in self.resolutions]

    def faults(self, places: Collection[Position], *, again: bool = False) -> Iterator[str]:
        """What is wrong with places at which somebody expects dead letters.

        Args:
            places: The places.
            again: Whether those that are dealt with will do.
        """
        for place in places:
            if fault := self._fault(place, again=again):
                yield f"{place_name(place)}: {fault}"

    def _fault(self, place: Position, *, again: bool) -> str:
        partition, offset = place
        if place in self.letters:
            done = None if again else self.resolutions.get(place)
            return f"this dead letter has been {done} already" if done else ""
        if partition not in self.ends:
            return f"partition {partition} has no messages"
        if offset > self.ends[partition]:
            end = place_name(Position(partition, self.ends[partition]))
            return f"this is beyond the end of partition {partition}: its last message is {end}"
        if offset < self._first.get(partition, 0):
            first = place_name(Position(partition, self._first[partition]))
            return f"this is gone by retention: the first message that is kept is {first}"
        return "the message that is there is no dead letter"


def place_name(place: Position) -> str:
    """A place as commands show and take it: `PARTITION/OFFSET`."""
    return f"{place.partition}/{place.offset}"
