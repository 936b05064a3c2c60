"""What a replay asks of gateways, and tells them."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from penstock.backoff import Backoff
from penstock.cli.replay.plan import Located, Partition, Plan
from penstock.cli.replay.point import Point
from penstock.cli.replay.subject import Subject, SubjectInput
from penstock.plugin import AtTime, Edge, PubSub, TemporaryError, Unsupported
from penstock.wire.remote import RemotePubSub

ACK_SECONDS = 30.0
"""How long an ack is tried again: groups that are being shared out anew take none."""


class Gateways:
    """Connections to the gateways of a processor's inputs; a context manager."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._open: dict[str, PubSub] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def locate(
        self, subject: Subject, start: Point, stop: Point | None
    ) -> Mapping[str, Located]:
        """How the inputs are, and where a replay begins and ends in them, by alias.

        Raises:
            Unsupported: A gateway cannot tell.
            TemporaryError: Try again.
        """
        return {one.alias: await self._locate(one, start, stop) for one in subject.inputs}

    async def _locate(self, one: SubjectInput, start: Point, stop: Point | None) -> Located:
        pubsub = await self._to(one)
        try:
            # The end first: what is published meanwhile is not part of it.
            ends = await pubsub.locate(one.topic, Edge.LATEST)
            firsts = await pubsub.locate(one.topic, Edge.EARLIEST)
            times = [
                await pubsub.locate(one.topic, point) if isinstance(point, AtTime) else {}
                for point in (start, stop)
            ]
        except Unsupported as error:
            raise Unsupported(f"input {one.alias} cannot be replayed: {error}") from error
        acked = (await self.positions(one)).get(one.group.version, {})
        partitions = {
            at: Partition(min(firsts.get(at, 0), end), end, acked.get(at))
            for at, end in ends.items()
        }
        # A record that has come since is behind the end, and so is a time that it alone reaches.
        start_at, stop_at = (
            {at: min(offset, ends[at]) for at, offset in found.items() if at in ends}
            for found in times
        )
        return Located(partitions, start_at, stop_at)

    async def positions(self, one: SubjectInput) -> Mapping[int, Mapping[int, int]]:
        """What each version of an input's group has acked, by partition."""
        return await (await self._to(one)).positions(one.topic, one.group.name)

    async def begin(self, inputs: Iterable[SubjectInput], plan: Plan) -> None:
        """Have the groups of some inputs begin where a plan does, whoever reads in them.

        Raises:
            PenstockError: A gateway did not do it; others may have.
        """
        for one in inputs:
            positions = {
                stretch.number: stretch.start - 1
                for stretch in plan.stretches
                if stretch.alias == one.alias
            }
            if positions:
                await self._ack(one, positions)

    async def _ack(self, one: SubjectInput, positions: Mapping[int, int]) -> None:
        pubsub = await self._to(one)
        backoff = Backoff(first=0.1, longest=2.0)
        deadline = asyncio.get_running_loop().time() + ACK_SECONDS
        while True:
            try:
                return await pubsub.ack(one.topic, one.group, positions)
            except TemporaryError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(backoff.pause())

    async def _to(self, one: SubjectInput) -> PubSub:
        if one.gateway not in self._open:
            pubsub = RemotePubSub(one.gateway)
            self._open[one.gateway] = await self._stack.enter_async_context(pubsub)
        return self._open[one.gateway]
