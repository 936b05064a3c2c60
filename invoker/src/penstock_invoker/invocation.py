"""One call: between the frames of the batch protocol and the function.

Three things go on at a time: frames are read into the inbox, the function's runner works from
the inbox to the outbox, and what is in the outbox is written. None of them waits for another
longer than the buffers between them say.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from penstock.wire.columns import pack_messages, spread, unpack_messages
from penstock.wire.protocol.columns_pb2 import MessageColumns
from penstock.wire.protocol.function_pb2 import InputFrames, Inputs, OutputFrames, Start
from penstock_invoker.arguments import match_arguments
from penstock_invoker.errors import InvalidCall, counted
from penstock_invoker.inbox import Inbox
from penstock_invoker.outbox import Outbox
from penstock_invoker.outputs import Outputs
from penstock_invoker.runner import Runner
from penstock_invoker.signature import Function
from penstock_invoker.task_runner import TaskRunner
from penstock_invoker.thread_runner import ThreadRunner

Write = Callable[[OutputFrames], Awaitable[None]]
"""Sends a frame to the caller; returns when there is room for the next."""

_COLUMNS = [field.name for field in MessageColumns.DESCRIPTOR.fields if field.name != "payload"]

STALLED_SECONDS = 0.1
"""How long a write is pending before the caller counts as one that takes no outputs."""


async def invoke(function: Function, frames: AsyncIterator[InputFrames], write: Write) -> None:
    """Carry out one call of a function, to its end.

    Args:
        function: The function.
        frames: What the caller sends.
        write: Takes what it gets.

    Raises:
        InvalidCall: The caller broke the protocol.
        InputFailed: An input of a function of one value failed, for any of the other reasons.
        Exception: Whatever else the call ended with; the outputs before it have been written.
    """
    first = await anext(frames, None)
    if first is None or first.WhichOneof("frame") != "start":
        raise InvalidCall("a call begins with its start: expected the start frame first")
    await _Invocation(function, first.start, frames, write).run()


class _Invocation:
    def __init__(
        self, function: Function, start: Start, frames: AsyncIterator[InputFrames], write: Write
    ) -> None:
        self._frames = frames
        self._write = write
        self._outputs = Outputs(function, start)
        self._outbox = Outbox()
        arguments = match_arguments(function, start.input_names)
        self._inbox = Inbox(len(arguments), on_change=self._outbox.wake)
        kind: type[Runner] = TaskRunner if function.asynchronous else ThreadRunner
        self._runner = kind(function, arguments, self._inbox, self._outbox)

    async def run(self) -> None:
        self._runner.start()
        reading = asyncio.create_task(self._read_all())
        try:
            await self._write_all()
        finally:
            reading.cancel()
            self._runner.cancel()
            self._outbox.close()
            self._inbox.close()
            await asyncio.wait([reading])
            await self._runner.ended()

    async def _read_all(self) -> None:
        try:
            async for frame in self._frames:
                if frame.WhichOneof("frame") != "data":
                    raise InvalidCall("a call has one start: expected data frames behind it")
                for index, columns in _by_input(frame.data, self._inbox.inputs):
                    self._inbox.put(index, columns)
                await self._inbox.room()
            self._inbox.end()
        # Whatever reading ends with is the end of the call, which is for the writer to tell.
        except Exception as error:  # noqa: BLE001
            self._outbox.fail(error)

    async def _write_all(self) -> None:
        outbox = self._outbox
        complete = False
        while not complete:
            await outbox.wait(self._runner.flush_seconds)
            # Read in this order: what was given before it was complete or done is drained.
            complete = outbox.is_complete
            inputs_done = outbox.inputs_done
            for frame in self._outputs.frames(outbox.drain(), inputs_done):
                await self._write_frame(frame)
        if outbox.error is not None:
            raise outbox.error

    async def _write_frame(self, frame: OutputFrames) -> None:
        stall = asyncio.get_running_loop().call_later(
            STALLED_SECONDS, lambda: self._inbox.client_stalled(stalled=True)
        )
        try:
            await self._write(frame)
        finally:
            stall.cancel()
            self._inbox.client_stalled(stalled=False)


def _by_input(inputs: Inputs, count: int) -> Iterator[tuple[int, MessageColumns]]:
    """The messages of a frame, those of each input together.

    Raises:
        InvalidCall: A column has a wrong length, or an input does not exist.
    """
    columns = inputs.messages
    total = len(columns.payload)
    try:
        for name in _COLUMNS:
            spread(getattr(columns, name), None, total, name)
        indexes = list(spread(inputs.arg_index, 0, total, "arg_index"))
    except ValueError as error:
        raise InvalidCall(str(error)) from None
    present = sorted(set(indexes))
    if present and not 0 <= present[0] <= present[-1] < count:
        raise InvalidCall(
            f"the function takes {counted(count, 'input')}, and a message is for input "
            f"{present[0] if present[0] < 0 else present[-1]}, counted from 0"
        )
    if len(present) == 1:
        yield present[0], columns
        return
    messages = unpack_messages(columns)
    for index in present:
        chosen = [one for one, at in zip(messages, indexes, strict=True) if at == index]
        yield index, pack_messages(chosen)
