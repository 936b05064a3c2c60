"""How far event time has come: which windows have all their messages."""

from collections.abc import Iterable
from math import inf
from typing import Final

from penstock_sidecar.engine.flow import PartitionKey

BEGINNING: Final = -(1 << 62)
"""Minus infinity, in milliseconds."""


class _Progress:
    """How far a partition is.

    Attributes:
        latest: The latest time seen in it.
        since: Since when a read of it brings nothing; infinite: it is not being read.
        is_new: Whether no message of it was seen yet.
    """

    __slots__ = ("is_new", "latest", "since")

    def __init__(self) -> None:
        self.latest = BEGINNING
        self.since = inf
        self.is_new = True


class Watermarks:
    """The replica's watermark: the minimum over the partitions that are not idle.

    A partition that is new here holds it at the beginning, until its first message or until it is
    idle. Apart from that it never goes back. When all partitions are idle, it goes on with the
    clock from where it was; without any partition it stands.

    Args:
        idle_seconds: How long a partition is read without a message before it is idle.
    """

    def __init__(self, idle_seconds: float) -> None:
        self.value = BEGINNING
        """As of the last `advance`."""
        self._idle_seconds = idle_seconds
        self._partitions: dict[PartitionKey, _Progress] = {}
        self._reached = BEGINNING
        self._lowest = BEGINNING
        self._idle_since: float | None = None
        """Since when all partitions are idle."""
        self._changes_at = inf
        """When the next partition may be idle: not later than it is."""
        self._is_stale = False
        self._now = -inf
        self._revoked_at = -inf

    def assign(self, key: PartitionKey, now: float) -> None:
        """A partition belongs to this member."""
        self._stop_clock(now)
        self._partitions[key] = _Progress()
        self._is_stale = True

    def revoke(self, key: PartitionKey) -> None:
        """A partition does not count any more."""
        if self._partitions.pop(key, None) is None:
            return
        if self._idle_since is None:
            self._is_stale = True
            self._revoked_at = self._now
        elif not self._partitions:
            self._reached, self._idle_since = self.value, None

    def reading(self, key: PartitionKey, now: float) -> None:
        """A read of a partition begins; only while it lasts can the partition be idle."""
        if progress := self._partitions.get(key):
            progress.since = now
            self._changes_at = min(self._changes_at, now + self._idle_seconds)

    def came(self, key: PartitionKey, latest: int, now: float) -> None:
        """The read of a partition brought messages, the latest of them at this time."""
        progress = self._partitions.get(key)
        if progress is None:
            return
        self._stop_clock(now)
        is_idle = progress.since + self._idle_seconds <= now
        if progress.is_new and not is_idle:
            self._reached = BEGINNING
        if progress.is_new or is_idle or progress.latest <= self._lowest:
            self._is_stale = True
        progress.is_new = False
        progress.since = inf
        progress.latest = max(progress.latest, latest)

    def advance(self, now: float) -> int:
        """The watermark of this moment."""
        self._now = now
        if self._idle_since is None and (self._is_stale or self._changes_at <= now):
            self._update(now)
        if self._idle_since is not None and self._reached > BEGINNING:
            self.value = self._reached + round((now - self._idle_since) * 1000)
        return self.value

    def reaches(self, time: int) -> float | None:
        """When to look whether a time is reached, if no message comes before.

        That is when it is, where all partitions are idle, or else when the next of them may be;
        ``None``: waiting does not help.
        """
        if self._is_stale:
            return self._now
        if self._idle_since is None:
            return self._changes_at if self._changes_at < inf else None
        if self._reached == BEGINNING:
            return None
        return self._idle_since + (time - self._reached) / 1000

    def _stop_clock(self, now: float) -> None:
        """Something that is not idle is coming: the watermark is where the clock brought it."""
        self._reached = max(self._reached, self.advance(now))
        if self._idle_since is not None:
            self._idle_since = None
            self._is_stale = True

    def _update(self, now: float) -> None:
        partitions = self._partitions.values()
        active = [one for one in partitions if one.since + self._idle_seconds > now]
        self._is_stale = False
        self._changes_at = min((one.since for one in active), default=inf) + self._idle_seconds
        if active:
            self._lowest = min(one.latest for one in active)
            self._reached = max(self._reached, self._lowest)
            is_held = any(one.is_new for one in active)
            self.value = BEGINNING if is_held else self._reached
        elif partitions:
            since = max(one.since for one in partitions)
            self._idle_since = max(since + self._idle_seconds, self._revoked_at)
            if self._idle_since > self._revoked_at:
                # Those that were idle last were alone before, and had the watermark.
                self._reach(one for one in partitions if one.since == since)
            if self._reached == BEGINNING:
                # One that is new held the watermark till now, and has nothing to say.
                seen = [one for one in partitions if not one.is_new]
                since = max((one.since for one in seen), default=inf)
                self._reach(one for one in seen if one.since == since)
            self.value = self._reached
        else:
            self.value = self._reached

    def _reach(self, partitions: Iterable[_Progress]) -> None:
        """Go on to the lowest of partitions; one that is new has nothing, and holds the others."""
        lowest = min((one.latest for one in partitions), default=BEGINNING)
        self._reached = max(self._reached, lowest)
