"""What must be called one after the other: windows of a key, and all that is behind a failure."""

from __future__ import annotations

from bisect import insort_right
from collections.abc import Collection, Hashable, Iterable

from penstock_sidecar.engine.bundle import Bundle
from penstock_sidecar.engine.settlement import Partition


class Lane:
    """Bundles of which only the first may be called.

    Attributes:
        names: The keys or partitions that it is the lane of.
        bundles: In the order in which they are called.
    """

    def __init__(self, names: Iterable[Hashable]) -> None:
        self.names = set(names)
        self.bundles: list[Bundle] = []


class Lanes:
    """Keeps the lanes.

    Args:
        per_key: Whether each window is one key's: then each key has a lane for as long as one of
            its windows is to be called. Else partitions have one from a failure on, until what
            failed and all that queued up behind it is done.
    """

    def __init__(self, *, per_key: bool) -> None:
        self._per_key = per_key
        self._by_name: dict[Hashable, Lane] = {}
        self._lane_of: dict[Bundle, Lane] = {}

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def has(self, bundle: Bundle) -> bool:
        """Whether a bundle is in a lane."""
        return bundle in self._lane_of

    def lets(self, bundle: Bundle) -> bool:
        """Whether it is a bundle's turn."""
        lane = self._lane_of.get(bundle)
        return lane is None or lane.bundles[0] is bundle

    def blocks(self, partition: Partition, bundle: Bundle) -> bool:
        """Whether messages of a partition queue up behind a failure, and not in this bundle."""
        lane = self._by_name.get(partition)
        return lane is not None and self._lane_of.get(bundle) is not lane

    def behind(self, partition: Partition) -> Bundle:
        """The last that waits in the lane of a partition."""
        return self._by_name[partition].bundles[-1]

    def enter(self, bundle: Bundle) -> None:
        """Queue a new bundle up where it has to wait for others."""
        if self._per_key:
            self._add(self._lane([bundle.window.key]), [bundle])
        elif any(partition in self._by_name for partition in bundle.partitions):
            self.begin(bundle)

    def begin(self, bundle: Bundle) -> None:
        """From here on, whatever has to come behind a bundle waits for it."""
        lane = self._lane([bundle.window.key] if self._per_key else bundle.partitions)
        if bundle not in lane.bundles:
            self._lane_of[bundle] = lane
            insort_right(lane.bundles, bundle, key=_number)

    def widen(self, bundle: Bundle, partition: Partition) -> None:
        """A bundle that may wait in a lane got messages of a partition."""
        lane = self._lane_of.get(bundle)
        if lane and not self._per_key and partition not in lane.names:
            self._lane([*lane.names, partition])

    def put_before(self, bundle: Bundle, first: Bundle) -> None:
        """Let a bundle that is in a lane, and all behind it, wait for another one."""
        lane = self._lane_of[first] = self._lane_of[bundle]
        lane.bundles.insert(lane.bundles.index(bundle), first)

    def replace(self, bundle: Bundle, parts: Collection[Bundle]) -> None:
        """Put parts of a bundle in its place; one at a time is called."""
        self.begin(bundle)
        lane = self._lane_of.pop(bundle)
        place = lane.bundles.index(bundle)
        lane.bundles[place : place + 1] = parts
        self._lane_of.update(dict.fromkeys(parts, lane))

    def leave(self, bundle: Bundle) -> Bundle | None:
        """A bundle is over; whose turn it is now."""
        lane = self._lane_of.pop(bundle, None)
        if lane is None:
            return None
        lane.bundles.remove(bundle)
        if lane.bundles:
            return lane.bundles[0]
        for name in lane.names:
            del self._by_name[name]
        return None

    def _add(self, lane: Lane, bundles: Iterable[Bundle]) -> None:
        for bundle in bundles:
            lane.bundles.append(bundle)
            self._lane_of[bundle] = lane

    def _lane(self, names: Collection[Hashable]) -> Lane:
        """The one lane of all these names: several become one."""
        found = {id(lane): lane for name in names if (lane := self._by_name.get(name))}
        first, *others = [*found.values()] or [Lane(names)]
        first.names.update(names)
        for other in others:
            first.names |= other.names
            self._add(first, other.bundles)
            first.bundles.sort(key=_number)
        for name in first.names:
            self._by_name[name] = first
        return first


def _number(bundle: Bundle) -> int:
    return bundle.window.number
