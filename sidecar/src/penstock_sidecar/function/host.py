"""The process that hosts the function: found, asked which protocol it speaks, and called."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple
from weakref import WeakSet

import grpc

from penstock.backoff import Backoff
from penstock.plugin import NotReady
from penstock.wire.call_metadata import REPORTS_INPUTS
from penstock.wire.channel import open_channel
from penstock.wire.protocol.function_pb2_grpc import BatchFunctionStub
from penstock_sidecar.function.batch import BatchCall
from penstock_sidecar.function.call import FunctionCall, Start
from penstock_sidecar.function.failure import BROKEN_OFF
from penstock_sidecar.function.riff import RiffCall

PROBE_SECONDS: Final = 5.0
"""How long the host may take to accept a connection, and to say which protocol it speaks."""

_SILENCE: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,  # it is about to shut down
    }
)

_LOG = logging.getLogger(__name__)


class _Answer(NamedTuple):
    speaks_batch: bool
    reports: bool | None


_RIFF: Final = _Answer(speaks_batch=False, reports=False)


class FunctionHost:
    """A connection to the host, made anew by each `connect`.

    Args:
        address: `host:port`.
        start: What every call begins with.
        batches: Whether to try penstock's protocol; else riff's is spoken from the start.
        watch: Stands in front of each call.
    """

    def __init__(
        self,
        address: str,
        start: Start,
        *,
        batches: bool = True,
        watch: Callable[[FunctionCall], FunctionCall] = lambda call: call,
    ) -> None:
        self._address = address
        self._start = start
        self._batches = batches
        self._watch = watch
        self._channel: grpc.aio.Channel | None = None
        self._speaks_batch = False
        self._reports: bool | None = None
        self._calls: WeakSet[BatchCall | RiffCall] = WeakSet()

    @property
    def protocol(self) -> str:
        """What is spoken, in words for a person."""
        return "penstock's batch protocol" if self._speaks_batch else "riff's protocol"

    @property
    def reports(self) -> bool | None:
        """Whether the host reports which inputs are done; ``None``: it has not said."""
        return self._reports if self._speaks_batch else False

    async def find(self) -> None:
        """Connect, however long it takes until the host is there."""
        backoff = Backoff(first=0.05, longest=1.0)
        waited = False
        while True:
            try:
                return await self.connect()
            except NotReady as error:
                if not waited:
                    _LOG.info("waiting: %s", error)
                waited = True
                await asyncio.sleep(backoff.pause())

    async def connect(self) -> None:
        """Connect anew, and learn which protocol the host speaks.

        Where that succeeds, calls that are open are broken off: their reads raise `NotReady`.

        Raises:
            NotReady: Its port is not open, or it does not answer.
        """
        await self._knock()
        channel = open_channel(self._address)
        try:
            answer = await self._ask(channel) if self._batches else _RIFF
        except BaseException:
            await channel.close()
            raise
        before, self._channel = self._channel, channel
        self._speaks_batch, self._reports = answer
        await self._let_go(before)

    async def gone(self) -> None:
        """Wait until the connection is lost, though nobody calls."""
        channel = self._channel
        assert channel, "connect comes first"
        if (state := channel.get_state()) is grpc.ChannelConnectivity.READY:
            await channel.wait_for_state_change(state)

    async def close(self) -> None:
        """Let go of the connection, and of the calls that are open."""
        channel, self._channel = self._channel, None
        await self._let_go(channel)

    def call(self) -> FunctionCall:
        """Begin a call; nothing is sent before it is written to."""
        assert self._channel, "connect comes first"
        call: BatchCall | RiffCall
        if self._speaks_batch:
            call = BatchCall(self._channel, self._start, self._address, reports=self._reports)
        else:
            call = RiffCall(self._channel, self._start, self._address)
        self._calls.add(call)
        return self._watch(call)

    async def _let_go(self, channel: grpc.aio.Channel | None) -> None:
        if channel:
            calls, self._calls = self._calls, WeakSet()
            for call in calls:
                call.disconnect()
            await channel.close()

    async def _knock(self) -> None:
        """See whether the port is open, at once: a channel of gRPC tries at its own pace."""
        host, _, port = self._address.rpartition(":")
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
                writer.close()
        except OSError as error:
            text = f"the function has not opened its port {self._address}: {error}"
            raise NotReady(text) from error

    async def _ask(self, channel: grpc.aio.Channel) -> _Answer:
        """What the host says of itself.

        A call that ends before its start must fail and leave the host as it was, so it is a
        question: a host that does not have the service answers UNIMPLEMENTED.
        """
        call = BatchFunctionStub(channel).Invoke(timeout=PROBE_SECONDS)
        with suppress(*BROKEN_OFF):
            await call.done_writing()
        code = await call.code()
        if code is grpc.StatusCode.UNIMPLEMENTED:
            return _RIFF
        if code in _SILENCE:
            details = await call.details()
            raise NotReady(f"the function at {self._address} does not answer: {details}")
        # gRPC may tell of the end first: what was said before it is lost, and is said again there.
        said = (await call.initial_metadata()).get(REPORTS_INPUTS)
        if said is None:
            said = (await call.trailing_metadata()).get(REPORTS_INPUTS)
        return _Answer(speaks_batch=True, reports=None if said is None else said == "true")
