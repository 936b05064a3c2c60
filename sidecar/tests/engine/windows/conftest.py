"""What places messages in windows, and tells what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from penstock.plugin import Message, Record
from penstock.window import Window as Settings
from penstock_sidecar.engine.flow import PartitionKey
from penstock_sidecar.engine.settlement import Partition, Run
from penstock_sidecar.engine.windows import Placement, Window, windows_of

RunOf = Callable[[Partition, Sequence[Message], int], Run]
WALL_CLOCK = 1_000_000.0


class Stage:
    """Windows with partitions; times of messages are seconds after the wall clock at 0."""

    def __init__(self, run_of: RunOf, settings: Settings) -> None:
        self.windows = windows_of(settings, WALL_CLOCK)
        self._run_of = run_of
        self._partitions: dict[int, Partition] = {}
        self._offset = 0

    def assign(self, *numbers: int, now: float = 0.0) -> None:
        for number in numbers:
            self._partitions[number] = Partition(PartitionKey(0, number))
            self.windows.assign(PartitionKey(0, number), now)
            self.windows.reading(PartitionKey(0, number), now)

    def revoke(self, number: int) -> None:
        self.windows.revoke(PartitionKey(0, number))
        self.windows.withdraw(self._partitions.pop(number))

    def partition(self, number: int) -> Partition:
        return self._partitions[number]

    def came(
        self,
        text: str,
        *,
        now: float = 0.0,
        partition: int = 0,
        at: Iterable[float] = (),
        reads: bool = True,
        **attributes: Any,
    ) -> Placement:
        """Messages, one for each word: `key:payload` or a payload alone."""
        messages = []
        for word in text.split():
            key, _, payload = word.rpartition(":")
            attributes["key"] = key.encode() or None
            messages.append(Message(payload.encode(), **attributes))
        if partition not in self._partitions:
            self.assign(partition, now=now)
        times = [round((WALL_CLOCK + time) * 1000) for time in at]
        times = times or [round((WALL_CLOCK + now) * 1000)] * len(messages)
        run = self._run_of(self._partitions[partition], messages, self._offset)
        self._offset += len(messages)
        placement = self.windows.place(run, times, now)
        if reads:
            self.windows.reading(PartitionKey(0, partition), now)
        return placement

    def expire(self, now: float) -> list[str]:
        return self.texts(self.windows.expire(now))

    @staticmethod
    def text(runs: Iterable[Run]) -> str:
        return " ".join(one.payload.decode() for run in runs for one in run.messages)

    def texts(self, windows: Iterable[Window]) -> list[str]:
        return [self.text(window.runs) for window in windows]


MakeStage = Callable[..., Stage]


@pytest.fixture
def stage(run_of: RunOf) -> MakeStage:
    """Windows of a processor, by the fields of its manifest."""
    return lambda **fields: Stage(run_of, Settings.model_validate(fields))


@pytest.fixture(scope="session")
def run_of() -> RunOf:
    """A run of messages that stand in a partition from an offset on."""

    def made(partition: Partition, messages: Sequence[Message], first: int) -> Run:
        return partition.add([Record(one, first + at, 0) for at, one in enumerate(messages)])

    return made
