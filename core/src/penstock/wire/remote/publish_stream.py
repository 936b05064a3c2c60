"""A PublishStream call of the batch protocol, shared by everybody who publishes to a gateway."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import TYPE_CHECKING

import grpc

from penstock.plugin import PenstockError, PermanentError, TemporaryError
from penstock.wire.protocol.gateway_pb2 import (
    NumberedPublish,
    NumberedReply,
    PublishReply,
    PublishRequest,
)
from penstock.wire.remote.failure import CALL_SECONDS, failure_of, silent

if TYPE_CHECKING:
    from penstock.wire.protocol.gateway_pb2_grpc import BatchGatewayAsyncStub


class PublishStream:
    """Sends requests in the order in which they are made, and hands each its answer.

    Args:
        stub: Of the channel to use.
        address: The gateway's, for the texts of errors.
    """

    def __init__(self, stub: "BatchGatewayAsyncStub", address: str) -> None:
        self._address = address
        self._sequence = count(1)
        self._requests: asyncio.Queue[NumberedPublish] = asyncio.Queue()
        self._unanswered: dict[int, asyncio.Future[NumberedReply]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._call = stub.PublishStream(self._outgoing())
        self._receiving = asyncio.create_task(self._receive())

    @property
    def broken(self) -> bool:
        """Whether it is over: the next request needs another one."""
        return self._receiving.done()

    async def publish(self, request: PublishRequest) -> PublishReply:
        """Send a request and wait for its answer.

        Raises:
            PermanentError: It is refused for good.
            TemporaryError: It is not known what was stored.
        """
        sequence = next(self._sequence)
        answer: asyncio.Future[NumberedReply] = asyncio.get_running_loop().create_future()
        self._unanswered[sequence] = answer
        self._requests.put_nowait(NumberedPublish(sequence=sequence, request=request))
        self._watch()
        try:
            reply = await answer
        finally:
            self._unanswered.pop(sequence, None)
        if reply.HasField("failure"):
            kind = TemporaryError if reply.failure.temporary else PermanentError
            raise kind(reply.failure.reason)
        return reply.reply

    async def close(self) -> None:
        """End it; what is not answered fails."""
        self._receiving.cancel()
        await asyncio.wait((self._receiving,))

    async def _outgoing(self) -> AsyncIterator[NumberedPublish]:
        while True:
            yield await self._requests.get()

    async def _receive(self) -> None:
        failure: PenstockError = TemporaryError(f"gateway {self._address} ended the publishing")
        try:
            while isinstance(reply := await self._call.read(), NumberedReply):
                answer = self._unanswered.get(reply.sequence)
                if answer and not answer.done():
                    answer.set_result(reply)
        except grpc.aio.AioRpcError as error:
            failure = failure_of(error, self._address)
            failure.__cause__ = error
        finally:
            self._call.cancel()
            self._fail(failure)

    def _watch(self) -> None:
        """Have one timer for all that wait, and not one for each request.

        Who is not answered is told so after `CALL_SECONDS`, or at most twice that.
        """
        if self._timer is None:
            late = max(self._unanswered)
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(CALL_SECONDS, self._give_up, late)

    def _give_up(self, late: int) -> None:
        self._timer = None
        for sequence, answer in self._unanswered.items():
            if sequence <= late and not answer.done():
                answer.set_exception(silent(self._address, CALL_SECONDS))
        if self._unanswered:
            self._watch()

    def _fail(self, failure: PenstockError) -> None:
        """The end of the call answers whoever waits; of several, nobody knows who is to blame."""
        if self._timer:
            self._timer.cancel()
        waiting = [answer for answer in self._unanswered.values() if not answer.done()]
        if len(waiting) > 1 and isinstance(failure, PermanentError):
            failure = TemporaryError(f"gateway {self._address} broke off: {failure}")
        for answer in waiting:
            answer.set_exception(failure)
