"""A re-run as it is written down, so that one that was interrupted goes on.

A file for each in the folder of the run; it is locked while the re-run is under way, and removed
when it is done.
"""

import fcntl
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.cli.replay.plan import Plan
from penstock.plugin import UsageError

Offsets = Mapping[str, Mapping[int, int]]
"""Offsets by partition, by the alias of an input."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """A re-run beside the live processor.

    Attributes:
        version: Of the processor's group: who reads.
        starts: The first offset to process.
        last: The last one.
    """

    version: int
    starts: Offsets
    last: Offsets

    @property
    def records(self) -> int:
        """How many offsets there are to process."""
        return sum(
            last - self.starts[alias][at] + 1
            for alias, offsets in self.last.items()
            for at, last in offsets.items()
        )

    def done(self, acked: Offsets) -> int:
        """How many of them are done, by the acked offsets."""
        return sum(
            max(0, min(acked.get(alias, {}).get(at, -1), last) - self.starts[alias][at] + 1)
            for alias, offsets in self.last.items()
            for at, last in offsets.items()
        )


def rerun_of(plan: Plan, version: int) -> Rerun:
    """What a plan comes to; partitions with nothing to process are left out."""
    starts: dict[str, dict[int, int]] = {}
    last: dict[str, dict[int, int]] = {}
    for one in plan.stretches:
        if one.records:
            starts.setdefault(one.alias, {})[one.number] = one.start
            last.setdefault(one.alias, {})[one.number] = one.stop - 1
    return Rerun(version, starts, last)


class Reruns:
    """The re-runs of one processor that are not done.

    Args:
        folder: The folder of the run.
        namespace: The processor's.
        name: The processor.
    """

    def __init__(self, folder: Path, namespace: str, name: str) -> None:
        self._folder = folder / "replays"
        self._prefix = f"{namespace}.{name}."

    def find(self, arguments: Sequence[str]) -> Rerun | None:
        """The one that was asked for in the same words."""
        try:
            return _read(self._file(arguments))
        except FileNotFoundError:
            return None

    def versions(self) -> Iterable[int]:
        """The versions that they have."""
        found = (_read(file) for file in self._folder.glob(f"{self._prefix}*.json"))
        return [one.version for one in found]

    def write(self, arguments: Sequence[str], rerun: Rerun) -> None:
        """Write a new one down."""
        self._folder.mkdir(exist_ok=True)
        file = self._file(arguments)
        new = file.with_suffix(".new")
        new.write_text(
            json.dumps({"version": rerun.version, "starts": rerun.starts, "last": rerun.last})
        )
        new.replace(file)

    @contextmanager
    def under_way(self, arguments: Sequence[str]) -> Iterator[None]:
        """Hold the one that was asked for in these words; it is removed unless this fails.

        Raises:
            UsageError: Another command holds it.
        """
        file = self._file(arguments)
        with file.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError("the same replay is under way already: wait for its end") from None
            yield
            file.unlink(missing_ok=True)

    def _file(self, arguments: Sequence[str]) -> Path:
        digest = hashlib.sha256("\0".join(arguments).encode()).hexdigest()[:16]
        return self._folder / f"{self._prefix}{digest}.json"


def _read(file: Path) -> Rerun:
    content: dict[str, Any] = json.loads(file.read_text())
    return Rerun(content["version"], _offsets(content["starts"]), _offsets(content["last"]))


def _offsets(content: dict[str, dict[str, int]]) -> Offsets:
    return {
        alias: {int(partition): offset for partition, offset in offsets.items()}
        for alias, offsets in content.items()
    }
