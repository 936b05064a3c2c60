"""Stores how far an input is done: one ack at a time, of the newest positions."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Final

from penstock.backoff import Backoff
from penstock.plugin import Subscription, TemporaryError
from penstock_sidecar.engine import Event, events
from penstock_sidecar.pump.tasks import Tasks

_LOG = logging.getLogger(__name__)

INTERVAL: Final = 0.05
"""Seconds between two acks: what is done in between is repeated after a crash, and each ack costs
as much as carrying a message does.
"""


class Acknowledger:
    """Acks, and releases what was revoked once the acks before that are stored.

    Args:
        number: The input's number.
        name: Its alias.
        subscription: Its membership.
        tasks: Where acks run.
        tell: The engine's ear.
    """

    def __init__(
        self,
        number: int,
        name: str,
        subscription: Subscription,
        tasks: Tasks,
        tell: Callable[[Event], None],
    ) -> None:
        self._number = number
        self._name = name
        self._subscription = subscription
        self._tasks = tasks
        self._tell = tell
        self._positions: dict[int, int] = {}
        self._releases: set[int] = set()
        self._running: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._finishing = False
        self.has_acked = False
        """Whether anything is done for good."""

    def ack(self, positions: Mapping[int, int]) -> None:
        """Store positions; newer ones replace those that wait."""
        self._positions.update(positions)
        self._start()

    def release(self, partitions: Collection[int]) -> None:
        """Confirm a revocation, behind the acks that wait."""
        self._releases.update(partitions)
        self._hurry.set()
        self._start()

    def finish(self) -> asyncio.Task[None] | None:
        """Store what waits without a pause; the task that does, ``None``: nothing waits."""
        self._finishing = True
        self._hurry.set()
        return self._running

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
            if not self._finishing:
                self._hurry.clear()
            try:
                if positions:
                    await self._subscription.ack(positions)
                    self.has_acked = True
                    backoff.reset()
                    self._tell(events.Acked(self._number, positions))
                if releases:
                    await self._subscription.release(releases)
                with suppress(TimeoutError):
                    async with asyncio.timeout(INTERVAL):
                        await self._hurry.wait()
            except TemporaryError as error:
                self._positions = positions | self._positions
                self._releases |= releases
                fields = {"input": self._name, "partitions": sorted(positions)}
                _LOG.warning("input %s: acking again after: %s", self._name, error, extra=fields)
                await asyncio.sleep(max(backoff.pause(), error.retry_after or 0.0))
        self._running = None
