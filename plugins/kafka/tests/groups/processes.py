"""Members in processes of their own, as a test sees them."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from plugins.kafka.tests.groups.waiting import until

_PROGRAM = Path(__file__).with_name("member_process.py")


class MemberProcess:
    """A process that is a member; an async context manager that ends it.

    Args:
        servers: The address of a broker.
        topic: What it reads.
        group: In which group.
        member: Its name, if it has one.

    Attributes:
        group: The same.
        said: All that it has said.
    """

    def __init__(self, servers: str, topic: str, group: str, member: str = "") -> None:
        self.said: list[Mapping[str, Any]] = []
        self.group = group
        self._arguments = (servers, topic, group, member)

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(_PROGRAM),
            *self._arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.kill()

    @property
    def partitions(self) -> set[int]:
        """What it holds, as far as it has said."""
        held: set[int] = set()
        for line in self.said:
            held |= set(line.get("assigned", ()))
            held -= set(line.get("revoked", ()))
        return held

    async def until_said(
        self, condition: Callable[[Mapping[str, Any]], bool], what: str, patience: float = 30.0
    ) -> None:
        """Wait until it has said a line that is so."""
        await until(lambda: any(map(condition, self.said)), f"{what} in {self.said}", patience)

    async def until_holding(self, count: int, patience: float = 30.0) -> None:
        """Wait until it holds so many partitions."""
        await until(
            lambda: len(self.partitions) == count, f"{count} partitions in {self.said}", patience
        )

    async def until_read(self, partition: int, offset: int) -> None:
        """Wait until it has read a partition so far."""
        await self.until_said(
            lambda line: line.get("read") == partition and line["offset"] >= offset,
            f"offset {offset} of partition {partition}",
        )

    def ack(self, positions: Mapping[int, int]) -> None:
        """Have it ack."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(positions).encode() + b"\n")

    def freeze(self) -> None:
        """Let it stand still."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self._process.pid, signal.SIGCONT)

    async def kill(self) -> None:
        """End it as a crash does."""
        if self._process.returncode is None:
            self._process.kill()
        await self._listening
        await self._process.wait()

    async def _listen(self) -> None:
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            self.said.append(json.loads(line))
