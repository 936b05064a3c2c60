"""One PublishStream of the batch protocol: requests carried out side by side."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from typing import Final

from penstock.plugin import PermanentError
from penstock.server.status import status_of
from penstock.wire.protocol.gateway_pb2 import (
    Failure,
    NumberedPublish,
    NumberedReply,
    PublishReply,
    PublishRequest,
)

_AT_A_TIME: Final = 64
"""Requests under way before the next is left unread; a frame is about 4 MiB at most."""


class PublishSession:
    """Answers the requests of one client.

    Args:
        publish: Stores the batch of one request.
    """

    def __init__(self, publish: Callable[[PublishRequest], Awaitable[PublishReply]]) -> None:
        self._publish = publish
        self._room = asyncio.Semaphore(_AT_A_TIME)
        self._answers: asyncio.Queue[NumberedReply | None] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    async def replies(
        self, requests: AsyncIterable[NumberedPublish]
    ) -> AsyncGenerator[NumberedReply, None]:
        """What to send, until the client has ended its side and everything is answered."""
        reading = asyncio.create_task(self._read(requests))
        try:
            while (answer := await self._answers.get()) is not None:
                yield answer
                self._room.release()
            await reading
        finally:
            for task in (reading, *self._tasks):
                task.cancel()
            await asyncio.gather(reading, *self._tasks, return_exceptions=True)

    async def _read(self, requests: AsyncIterable[NumberedPublish]) -> None:
        try:
            async for numbered in requests:
                await self._room.acquire()
                task = asyncio.create_task(self._answer(numbered))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            await asyncio.gather(*self._tasks)
        finally:
            self._answers.put_nowait(None)

    async def _answer(self, numbered: NumberedPublish) -> None:
        answer = NumberedReply(sequence=numbered.sequence)
        try:
            answer.reply.CopyFrom(await self._publish(numbered.request))
        # One request's failure, whatever it is, is its own: the others go on.
        except Exception as error:  # noqa: BLE001
            _, reason = status_of(error)
            temporary = not isinstance(error, PermanentError)
            answer.failure.CopyFrom(Failure(reason=reason, temporary=temporary))
        self._answers.put_nowait(answer)
