"""What a subscriber was told of its partitions, and what it is to be told next."""

from collections.abc import Collection, Mapping


class Holding:
    """Stands between the group, which gives and takes, and the subscriber, who hears it in order.

    A subscriber is told that it has a partition, then that it has to give it up, then it releases
    it; only after that it can be told again that it has it.

    Args:
        held: When each partition that the member holds was given to it, as a number that only
            grows. It changes, and each method looks at it anew.
    """

    def __init__(self, held: Mapping[int, int]) -> None:
        self._held = held
        self._reading: dict[int, int] = {}
        self._finishing: dict[int, int] = {}

    def take_lost(self) -> frozenset[int]:
        """Partitions that are read and no longer held: the subscriber has to be told."""
        lost = [at for at, given in self._reading.items() if self._held.get(at) != given]
        for partition in lost:
            del self._reading[partition]
        return frozenset(lost)

    def take_revoked(self, revoking: Collection[int]) -> frozenset[int]:
        """Of what is to be given up, that which is read: the subscriber has to be told."""
        revoked = self._reading.keys() & revoking
        for partition in revoked:
            self._finishing[partition] = self._reading.pop(partition)
        return frozenset(revoked)

    def unread(self, revoking: Collection[int]) -> frozenset[int]:
        """Of what is to be given up, that of which the subscriber has heard nothing yet."""
        return frozenset(self._held.keys() & revoking) - self._finishing.keys()

    @property
    def fresh(self) -> frozenset[int]:
        """Partitions that are held and not read yet, and with which nobody is finishing."""
        return frozenset(self._held.keys() - self._reading.keys() - self._finishing.keys())

    def take_fresh(self, revoking: Collection[int]) -> frozenset[int]:
        """Partitions that are to be read from now on: the subscriber has to be told."""
        fresh = self.fresh.difference(revoking)
        self._reading |= {partition: self._held[partition] for partition in fresh}
        return fresh

    def finish(self, partitions: Collection[int]) -> frozenset[int]:
        """The subscriber is done with partitions; those of them that the member can give up.

        What it was not told to give up does not count, nor what the group has taken by itself.
        """
        finished = {at: self._finishing.pop(at) for at in self._finishing.keys() & partitions}
        return frozenset(at for at, given in finished.items() if self._held.get(at) == given)

    @property
    def finishing(self) -> frozenset[int]:
        """What the subscriber was told to give up and has not released."""
        return frozenset(self._finishing)
