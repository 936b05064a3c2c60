"""Who of a group reads which partition, as its members see it."""

from penstock.testing.expectation import BrokenPromise


class Owners:
    """Who reads which partition now: between two members there is a release, or an end."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def take(self, partition: int, member: str) -> None:
        """A member, by its name, has got records of a partition.

        Raises:
            BrokenPromise: Another one is still reading it.
        """
        owner = self._names.setdefault(partition, member)
        if owner != member:
            raise BrokenPromise(
                f"two members read partition {partition} at once: {member} was given records of "
                f"it before {owner} had released it"
            )

    def give(self, partition: int, member: str) -> None:
        """A member reads a partition no longer."""
        if self._names.get(partition) == member:
            del self._names[partition]
