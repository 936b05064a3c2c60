"""A topic: its partitions and the groups that read them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import cycle
from zlib import crc32

from penstock.plugin import Group, Message, Position, Retention, Start
from penstock_inmemory.group import ConsumerGroup, first_offset
from penstock_inmemory.log import Clock, Log


class Topic:
    """Holds everything that there is of one topic.

    Args:
        partitions: How many to begin with.
        retention: Bounds for each of them.
        clock: The time that records are stored at.
        grace: As in `ConsumerGroup`.
    """

    def __init__(self, partitions: int, retention: Retention, clock: Clock, grace: float) -> None:
        self._clock = clock
        self._grace = grace
        self._logs = [Log(retention, clock) for _ in range(partitions)]
        self._groups: dict[str, dict[int, ConsumerGroup]] = {}
        self._turns = cycle(range(partitions))  # where messages without a key go

    @property
    def partitions(self) -> int:
        """How many there are."""
        return len(self._logs)

    def publish(self, messages: Sequence[Message]) -> list[Position]:
        """Store messages; gives where, in their order."""
        keys = [message.key for message in messages]
        if b"" in keys:  # an empty key is no key
            messages = [message._replace(key=message.key or None) for message in messages]
        count, turns = len(self._logs), self._turns
        partitions = [crc32(key) % count if key else next(turns) for key in keys]
        batches: dict[int, list[Message]] = defaultdict(list)
        for partition, message in zip(partitions, messages, strict=True):
            batches[partition].append(message)
        offsets = {to: iter(self._logs[to].append(batch)) for to, batch in batches.items()}
        return [Position(partition, next(offsets[partition])) for partition in partitions]

    def change(self, partitions: int, retention: Retention) -> None:
        """Have at least so many partitions from now on, and these bounds in place of others."""
        for log in self._logs:
            log.keep(retention)
        if partitions > len(self._logs):
            self._logs += [Log(retention, self._clock) for _ in range(len(self._logs), partitions)]
            self._turns = cycle(range(partitions))
            for group in self._all_groups():
                group.grow()

    def group(self, group: Group) -> ConsumerGroup:
        """One version of a group, made where there was none."""
        versions = self._groups.setdefault(group.name, {})
        if group.version not in versions:
            versions[group.version] = ConsumerGroup(self._logs, versions, self._grace)
        return versions[group.version]

    def positions(self, name: str) -> dict[int, Mapping[int, int]]:
        """The last acked offset by partition, for each version of a group that has acked any."""
        versions = self._groups.get(name, {})
        acked = {version: group.positions() for version, group in versions.items()}
        return {version: positions for version, positions in acked.items() if positions}

    def end_positions(self) -> dict[int, int]:
        """The offset of the last record, for each partition that has any."""
        for log in self._logs:
            log.trim()
        return {
            partition: log.end - 1
            for partition, log in enumerate(self._logs)
            if log.first < log.end
        }

    def locate(self, start: Start) -> dict[int, int]:
        """The first offset that a start delivers, by partition."""
        for log in self._logs:
            log.trim()
        return {at: first_offset(at, log, start) for at, log in enumerate(self._logs)}

    def end(self, reason: str) -> None:
        """End every subscription."""
        for group in self._all_groups():
            group.disband(reason)

    def _all_groups(self) -> list[ConsumerGroup]:
        return [group for versions in self._groups.values() for group in versions.values()]
