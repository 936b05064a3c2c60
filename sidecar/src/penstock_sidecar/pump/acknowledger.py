"""Stores how far an input is done: one ack at a time, of the newest positions."""

import asyncio
import logging
from collections.abc import Collection, Mapping

from penstock.plugin import Subscription, TemporaryError
from penstock_sidecar.engine.backoff import Backoff
from penstock_sidecar.pump.tasks import Tasks

_LOG = logging.getLogger(__name__)


class Acknowledger:
    """Acks, and releases what was revoked once the acks before that are stored.

    Args:
        name: The input's alias.
        subscription: Its membership.
        tasks: Where acks run.
    """

    def __init__(self, name: str, subscription: Subscription, tasks: Tasks) -> None:
        self._name = name
        self._subscription = subscription
        self._tasks = tasks
        self._positions: dict[int, int] = {}
        self._releases: set[int] = set()
        self._running: asyncio.Task[None] | None = None
        self.has_acked = False
        """Whether anything is done for good."""

    @property
    def running(self) -> asyncio.Task[None] | None:
        """The task that stores what is not stored yet; ``None``: everything is."""
        return self._running

    def ack(self, positions: Mapping[int, int]) -> None:
        """Store positions; newer ones replace those that wait."""
        self._positions.update(positions)
        self._start()

    def release(self, partitions: Collection[int]) -> None:
        """Confirm a revocation, behind the acks that wait."""
        self._releases.update(partitions)
        self._start()

    def give_up(self, partitions: Collection[int]) -> None:
        """Ack nothing more of these: they are somebody else's."""
        for partition in partitions:
            self._positions.pop(partition, None)

    def _start(self) -> None:
        if self._running is None:
            self._running = self._tasks.start(self._run())

    async def _run(self) -> None:
        backoff = Backoff(longest=5.0)
        while self._positions or self._releases:
            positions, self._positions = self._positions, {}
            releases, self._releases = self._releases, set()
            try:
                if positions:
                    await self._subscription.ack(positions)
                    self.has_acked = True
                    backoff.reset()
                if releases:
                    await self._subscription.release(releases)
            except TemporaryError as error:
                self._positions = positions | self._positions
                self._releases |= releases
                _LOG.warning("input %s: acking again after: %s", self._name, error)
                await asyncio.sleep(max(backoff.pause(), error.retry_after or 0.0))
        self._running = None
