"""What stands between a member's process and everything else: it is cut when the member dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random


class Chance:
    """Everything that is left to chance, and whether anything may still go wrong.

    Args:
        seed: The same seed is the same history.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.faults = True

    def fails(self, rate: float) -> bool:
        """Whether something goes wrong now."""
        return self.faults and self.random.random() < rate

    async def delay(self) -> None:
        """Let some time go by: none at all, a little, or rarely a lot."""
        kind = self.random.random()
        if kind < 0.3:
            return
        await asyncio.sleep(0.05 * self.random.random() if kind < 0.98 else self.late())

    def late(self) -> float:
        """Seconds of an answer that takes its time."""
        return self.random.expovariate(0.3) if self.faults else 0.2


class Link:
    """One life of a member's process.

    Args:
        name: For the texts of failures.
        chance: What decides when it dies.
        kill_rate: How likely each thing that it does is its last.
        killed: Told once, at the moment of its death.
    """

    def __init__(
        self, name: str, chance: Chance, kill_rate: float, killed: Callable[[], None]
    ) -> None:
        self.name = name
        self.alive = True
        self.released: set[tuple[str, int]] = set()
        """Partitions that it has confirmed to be done with."""
        self.steps = 0
        self._chance = chance
        self._kill_rate = kill_rate
        self._killed = killed

    async def step(self) -> None:
        """Something of the process has an effect, or meets one: it may die here.

        What it does when it is dead reaches nobody, and is never answered.
        """
        self.steps += 1
        if self.alive and self._chance.fails(self._kill_rate):
            self.kill()
        if not self.alive:
            await asyncio.get_running_loop().create_future()

    def kill(self) -> None:
        """End the process at once."""
        if self.alive:
            self.alive = False
            self._killed()
