"""What a replay would do: which records of which partitions. Decided without asking anybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from penstock.cli.replay.point import Offsets, Point
from penstock.plugin import AtTime, Edge, UsageError
from penstock.table import format_table


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of an input, as it is.

    Attributes:
        first: The first offset that is kept; `end` where none is.
        end: The offset of the record to come.
        acked: The last offset that is done; ``None``: nothing is acked.
    """

    first: int
    end: int
    acked: int | None


@dataclass(frozen=True, slots=True)
class Located:
    """The partitions of an input, and where in them the points of the command are.

    Attributes:
        partitions: All, by number.
        start, stop: The first offset at or behind a time, by partition; empty for other points.
    """

    partitions: Mapping[int, Partition]
    start: Mapping[int, int] = field(default_factory=dict)
    stop: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is replayed of a partition.

    Attributes:
        alias: The input.
        number: The partition's.
        partition: As it is.
        start: The first offset to process.
        stop: The offset behind the last one; for a processor that goes on from `start`, the
            partition's end.
    """

    alias: str
    number: int
    partition: Partition
    start: int
    stop: int

    @property
    def records(self) -> int:
        """How many there are to process; fewer where some were compacted away."""
        return max(0, self.stop - self.start)

    @property
    def again(self) -> int:
        """How many of them are done already."""
        done = 0 if self.partition.acked is None else self.partition.acked + 1
        return max(0, min(done, self.stop) - self.start)

    @property
    def skipped(self) -> int:
        """How many that are not done would be left out if the processor began at `start`."""
        if self.partition.acked is None:
            return 0
        return max(0, self.start - max(self.partition.acked + 1, self.partition.first))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is replayed, and what a person has to be told of it."""

    stretches: Sequence[Stretch]
    remarks: Sequence[str] = ()

    @property
    def records(self) -> int:
        """How many are processed."""
        return sum(one.records for one in self.stretches)

    def table(self, *, bounded: bool) -> str:
        """It as a table; with the bounds if it has any."""
        heads = ["input", "partition", "acked", "from", "end", "records", "again"]
        rows = [
            [
                one.alias,
                str(one.number),
                "none" if one.partition.acked is None else str(one.partition.acked),
                str(one.start),
                str(one.partition.end - 1) if one.partition.end else "",
                str(one.records),
                str(one.again),
            ]
            for one in self.stretches
        ]
        if bounded:
            heads.insert(4, "to")
            for row, one in zip(rows, self.stretches, strict=True):
                row.insert(4, str(one.stop - 1) if one.records else "")
        return format_table(heads, rows)


def make_plan(inputs: Mapping[str, Located], start: Point, stop: Point | None) -> Plan:
    """Decide what is replayed.

    Args:
        inputs: By alias.
        start: Where it begins.
        stop: Where it ends; ``None``: nowhere.

    Raises:
        UsageError: A partition is named that is not there, or the end is before the beginning.
    """
    for option, point in (("--from", start), ("--to", stop)):
        if isinstance(point, Offsets):
            _check_partitions(option, point, inputs)
    stretches: list[Stretch] = []
    remarks: list[str] = []
    for alias, located in inputs.items():
        for number, partition in sorted(located.partitions.items()):
            where = f"input {alias}, partition {number}"
            first = _resolve(start, partition, located.start.get(number), number)
            if stop is None:
                end: int | None = partition.end
            elif isinstance(stop, Offsets):
                last = stop.of(number)
                end = None if last is None else last + 1
            else:
                end = _resolve(stop, partition, located.stop.get(number), number)
            if first is None or end is None:
                continue
            first = _clamp(first, partition, first, where, remarks)
            end = _clamp(end, partition, end - 1, where, remarks)
            stretches.append(Stretch(alias, number, partition, first, end))
    if stretches and all(one.start > one.stop for one in stretches):
        raise UsageError("--from is behind --to: expected it before that")
    return Plan(stretches, remarks)


def _resolve(point: Point, partition: Partition, located: int | None, number: int) -> int | None:
    match point:
        case Edge.EARLIEST:
            return partition.first
        case Edge.LATEST:
            return partition.end
        case AtTime():
            return located
        case Offsets():
            return point.of(number)


def _clamp(offset: int, partition: Partition, given: int, where: str, remarks: list[str]) -> int:
    """An offset within what is kept; it is remarked on by the offset that was given for it."""
    if partition.first == partition.end:
        return partition.end
    if offset < partition.first:
        remarks.append(f"{where}: offset {given} is no longer kept; the first is {partition.first}")
        return partition.first
    if offset > partition.end:
        remarks.append(f"{where}: offset {given} is yet to come; the last is {partition.end - 1}")
        return partition.end
    return offset


def _check_partitions(option: str, point: Offsets, inputs: Mapping[str, Located]) -> None:
    known = {number for located in inputs.values() for number in located.partitions}
    for number in point.partitions or ():
        if number not in known:
            raise UsageError(
                f"{option}: there is no partition {number}: expected 0 to {max(known, default=0)}"
            )
