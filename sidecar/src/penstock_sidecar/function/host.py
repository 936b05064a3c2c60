"""The process that hosts the function: found, asked which protocol it speaks, and called."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import grpc

from penstock.plugin import NotReady
from penstock.wire.channel import open_channel
from penstock.wire.protocol.function_pb2_grpc import BatchFunctionStub
from penstock_sidecar.function.batch import BatchCall
from penstock_sidecar.function.call import FunctionCall, Start
from penstock_sidecar.function.failure import BROKEN_OFF
from penstock_sidecar.function.riff import RiffCall

PROBE_SECONDS: Final = 5.0
"""How long the host may take to accept a connection, and to say which protocol it speaks."""


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

    @property
    def protocol(self) -> str:
        """What is spoken, in words for a person."""
        return "penstock's batch protocol" if self._speaks_batch else "riff's protocol"

    async def connect(self) -> None:
        """Connect, and learn which protocol the host speaks.

        Raises:
            NotReady: Its port is not open, or it does not answer.
        """
        await self.close()
        await self._knock()
        self._channel = open_channel(self._address)
        self._speaks_batch = self._batches and await self._ask(self._channel)

    async def close(self) -> None:
        """Let go of the connection."""
        channel, self._channel = self._channel, None
        if channel:
            await channel.close()

    def call(self) -> FunctionCall:
        """Begin a call; nothing is sent before it is written to."""
        assert self._channel, "connect comes first"
        if self._speaks_batch:
            return self._watch(BatchCall(self._channel, self._start, self._address))
        return self._watch(RiffCall(self._channel, self._start, self._address))

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

    async def _ask(self, channel: grpc.aio.Channel) -> bool:
        """Whether the host has the batch service.

        A call that ends before its start must fail and leave the host as it was, so it is a
        question: a host that does not have the service answers UNIMPLEMENTED.
        """
        call = BatchFunctionStub(channel).Invoke(timeout=PROBE_SECONDS)
        with suppress(*BROKEN_OFF):
            await call.done_writing()
        code = await call.code()
        if code is grpc.StatusCode.UNIMPLEMENTED:
            return False
        if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
            details = await call.details()
            raise NotReady(f"the function at {self._address} does not answer: {details}")
        return True
