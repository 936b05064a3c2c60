"""How many messages consumer groups have to do yet, asked of the gateways at bounded cost."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Final, NamedTuple, TypeVar

from penstock.observability.group_progress import GroupProgress
from penstock.plugin import Edge, Group, PenstockError, PubSub, Start

INTERVAL: Final = 5.0
"""Seconds in which the gateways are asked once, however often the lag is."""
REMEMBERED_SECONDS: Final = 600.0
"""How long a group is followed whose last member here has left, or who only acks."""
REMEMBERED_GROUPS: Final = 100
"""And how many of them, the newest."""

_SCRAPE_SECONDS: Final = 2.0  # how long anybody waits for a gateway only because of the lag
_PASS_SECONDS: Final = 10.0  # how long gateways may take, all together
_CALLS: Final = 8  # at a time

Answer = TypeVar("Answer")


@dataclass(eq=False, slots=True)
class FollowedGroup:
    """A group that is followed, and what this process sees of it.

    Attributes:
        pubsub: Who knows its positions.
        topic: What it reads.
        group: Which it is.
        progress: To be told of all that happens.
        used: When something did, last, as `time.monotonic`.
    """

    pubsub: PubSub
    topic: str
    group: Group
    progress: GroupProgress = field(default_factory=GroupProgress)
    used: float = field(default_factory=monotonic)

    def note(self) -> None:
        """Something happened: it is to be followed for a while yet."""
        self.used = monotonic()


class PartitionLag(NamedTuple):
    """How many messages of a partition a group has to do yet."""

    followed: FollowedGroup
    partition: int
    messages: int


class LagWatch:
    """Follows groups, and measures when it is asked to.

    Args:
        held: Whether only partitions count that members in this process hold: where a group has
            members elsewhere, each tells of its own.
        interval: Seconds in which gateways are asked once; `INTERVAL`.

    Attributes:
        lags: As of the last measurement. What a gateway did not answer for is left out.
    """

    def __init__(self, *, held: bool = False, interval: float | None = None) -> None:
        self.lags: Sequence[PartitionLag] = ()
        self._held = held
        self._interval = INTERVAL if interval is None else interval
        self._groups: dict[tuple[PubSub, str, Group], FollowedGroup] = {}
        self._measured = float("-inf")
        self._measuring: asyncio.Task[None] | None = None

    def follow(self, pubsub: PubSub, topic: str, group: Group) -> FollowedGroup:
        """Follow a group, or go on with one that is followed."""
        key = (pubsub, topic, group)
        if key not in self._groups:
            self._groups[key] = FollowedGroup(pubsub, topic, group)
        followed = self._groups[key]
        followed.note()
        return followed

    async def join(self, pubsub: PubSub, topic: str, group: Group, start: Start) -> FollowedGroup:
        """Follow a group of which somebody here has just become a member, to begin at `start`."""
        ends = None
        if start is Edge.LATEST:
            with suppress(PenstockError, TimeoutError):
                async with asyncio.timeout(_SCRAPE_SECONDS):
                    ends = await pubsub.end_positions(topic)
        followed = self.follow(pubsub, topic, group)
        followed.progress.begin(start, ends)
        return followed

    async def refresh(self) -> None:
        """Bring `lags` up to date, but for gateways that take long: then it is done beside."""
        if self._measuring is None and monotonic() - self._measured >= self._interval:
            self._measuring = asyncio.create_task(self._measure())
        if self._measuring is not None:
            await asyncio.wait({self._measuring}, timeout=_SCRAPE_SECONDS)

    async def close(self) -> None:
        """Ask no more."""
        if self._measuring is not None:
            self._measuring.cancel()
            await asyncio.wait({self._measuring})

    async def _measure(self) -> None:
        try:
            self._forget()
            followed = tuple(self._groups.values())
            topics = {(one.pubsub, one.topic) for one in followed}
            room = asyncio.Semaphore(_CALLS)
            deadline = asyncio.get_running_loop().time() + _PASS_SECONDS
            answers = await asyncio.gather(
                *[_ask(partial(one.end_positions, topic), room, deadline) for one, topic in topics]
            )
            ends = dict(zip(topics, answers, strict=True))
            lags = await asyncio.gather(
                *[self._lags(one, ends[one.pubsub, one.topic], room, deadline) for one in followed]
            )
            self.lags = [lag for group in lags for lag in group]
        finally:
            self._measured = monotonic()
            self._measuring = None

    async def _lags(
        self,
        followed: FollowedGroup,
        ends: Mapping[int, int] | None,
        room: asyncio.Semaphore,
        deadline: float,
    ) -> Sequence[PartitionLag]:
        group, progress = followed.group, followed.progress
        if ends is None:
            return ()
        ask = partial(followed.pubsub.positions, followed.topic, group.name)
        if (versions := await _ask(ask, room, deadline)) is None:
            return ()
        acked = versions.get(group.version, {})
        known: Collection[int] = progress.partitions
        partitions = known if self._held else {*known, *ends, *acked}
        found = progress.lag(acked, ends, sorted(partitions))
        return [PartitionLag(followed, *lag) for lag in found.items()]

    def _forget(self) -> None:
        """Drop groups that nobody here uses any more: some are made for one look at a topic."""
        now = monotonic()
        idle = [one for one in self._groups.values() if not one.progress.has_members]
        idle.sort(key=lambda one: one.used, reverse=True)
        for place, one in enumerate(idle):
            if place >= REMEMBERED_GROUPS or now - one.used >= REMEMBERED_SECONDS:
                del self._groups[one.pubsub, one.topic, one.group]


async def _ask(
    ask: Callable[[], Awaitable[Answer]], room: asyncio.Semaphore, deadline: float
) -> Answer | None:
    """A gateway's answer; ``None``: it has none in time."""
    try:
        async with room, asyncio.timeout_at(deadline):
            return await ask()
    # A gateway that is away says so elsewhere, and what a plugin raises is its own affair.
    except Exception:  # noqa: BLE001
        return None
