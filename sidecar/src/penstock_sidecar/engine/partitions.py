"""The partitions that this member holds: assigned, being revoked, and what is acked of each."""

from collections.abc import Iterable, Iterator, Sequence

from penstock_sidecar.engine.commands import Ack, Command, GiveUp, Release
from penstock_sidecar.engine.flow import PartitionKey
from penstock_sidecar.engine.settings import Settings
from penstock_sidecar.engine.settlement import Partition

_GRACE_USED = 0.9
"""Of the grace of a revocation: an ack takes a moment, and must not arrive after its end."""


class Partitions:
    """Keeps one `Partition` for each assignment, until it is released or given up."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._assigned: dict[PartitionKey, Partition] = {}
        self._leaving: dict[Partition, float] = {}
        self._touched: dict[Partition, None] = {}

    @property
    def deadline(self) -> float | None:
        """When the first of the revoked partitions must be given up."""
        return min(self._leaving.values()) if self._leaving else None

    def assign(self, key: PartitionKey) -> None:
        """A partition may be read by this member."""
        place = f"{self._settings.group}/{self._settings.inputs[key.input]}/{key.partition}"
        self._assigned[key] = Partition(key, place)

    def get(self, key: PartitionKey) -> Partition | None:
        """A partition that is assigned and not revoked."""
        return self._assigned.get(key)

    def assigned(self) -> Iterable[Partition]:
        """Those that are assigned and not revoked."""
        return self._assigned.values()

    def bounds(self) -> dict[PartitionKey, tuple[int, int]]:
        """Of everything that may still be acked and is not done: the first and the last offset."""
        held = (*self._assigned.values(), *self._leaving)
        return {one.key: bounds for one in held if (bounds := one.bounds)}

    def revoke(self, key: PartitionKey, grace: float, now: float) -> Partition | None:
        """A partition goes to another member, after `grace` seconds or when it is done with."""
        partition = self._assigned.pop(key, None)
        if partition:
            partition.leaving = True
        if partition and grace > 0:
            self._leaving[partition] = now + grace * _GRACE_USED
        elif partition:
            partition.lost = True
        return partition

    def late(self, now: float) -> Sequence[Partition]:
        """Those that are given up now, if they are not done with."""
        return [partition for partition, deadline in self._leaving.items() if deadline <= now]

    def touch(self, partition: Partition) -> None:
        """Something of a partition was settled."""
        self._touched[partition] = None

    def advance(self, now: float) -> Iterator[Command]:
        """Ack what was settled; then release what is done with, give up what is late."""
        if self._touched:
            yield from self._ack()
        if not self._leaving:
            return
        done = [partition for partition in self._leaving if partition.idle]
        for number, partitions in self._leave(done):
            yield Release(number, partitions)
        for number, partitions in self._leave(self.late(now)):
            yield GiveUp(number, partitions)

    def _ack(self) -> Iterator[Ack]:
        acks: dict[int, dict[int, int]] = {}
        touched, self._touched = self._touched, {}
        for partition in touched:
            position = partition.advance()
            if position is not None:
                acks.setdefault(partition.key.input, {})[partition.key.partition] = position
        for number, positions in acks.items():
            yield Ack(number, positions)

    def _leave(self, leaving: Iterable[Partition]) -> Iterator[tuple[int, frozenset[int]]]:
        """Drop partitions; returns them by input."""
        by_input: dict[int, set[int]] = {}
        for partition in leaving:
            del self._leaving[partition]
            partition.lost = True
            by_input.setdefault(partition.key.input, set()).add(partition.key.partition)
        for number, partitions in by_input.items():
            yield number, frozenset(partitions)
