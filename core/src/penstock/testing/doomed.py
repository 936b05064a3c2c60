"""A member that dies without a word."""

import asyncio
import json
import sys
from contextlib import suppress

from penstock.plugin import Group
from penstock.testing.expectation import BrokenPromise
from penstock.testing.rig import Rig
from penstock.testing.way import Way


class Doomed:
    """A member in a process of its own, reached in the way of the rig.

    Args:
        rig: What it is used with.
        topic: What it reads.
        group: Which group it joins.
    """

    def __init__(self, rig: Rig, topic: str, group: Group) -> None:
        self._rig = rig
        self._order = {"topic": topic, "group": group.name, **_access(rig)}
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "Doomed":
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "penstock.testing.doomed_member"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdin
        self._process.stdin.write(json.dumps(self._order).encode() + b"\n")
        await self._process.stdin.drain()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def until_read(self, count: int) -> None:
        """Wait until it has read so many records.

        Raises:
            BrokenPromise: It does not come to that.
        """
        assert self._process
        assert self._process.stdout
        try:
            async with asyncio.timeout(self._rig.patience):
                while line := await self._process.stdout.readline():
                    if int(line) >= count:
                        return
        except TimeoutError:
            raise BrokenPromise("a member in a process of its own reads nothing") from None
        raise BrokenPromise("a member in a process of its own has ended: see what it wrote")

    async def kill(self) -> None:
        """Have it die now."""
        assert self._process
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


def _access(rig: Rig) -> dict[str, object]:
    if rig.way is not Way.DIRECT:
        return {"address": rig.address, "batches": rig.way is Way.BATCH}
    plugin = rig.backend.find()
    if plugin.pubsub is None:
        rig.not_applicable("the gateway lives in one process: a member that dies takes it along")
    if plugin is rig.backend.plugin:
        rig.not_applicable("the plugin is not installed: no other process finds it")
    return {"plugin": plugin.name, "spec": dict(rig.backend.spec)}
