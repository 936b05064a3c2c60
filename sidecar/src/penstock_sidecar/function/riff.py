"""A call over riff's function protocol: one message in a frame, and no progress."""

import asyncio
from collections.abc import Sequence
from typing import Final

import grpc

from penstock.plugin import NO_HEADERS, Message, PenstockError
from penstock.wire.protocol.riff_pb2 import (
    InputFrame,
    InputSignal,
    OutputFrame,
    OutputSignal,
    StartFrame,
)
from penstock.wire.protocol.riff_pb2_grpc import RiffStub
from penstock_sidecar.engine.commands import Part
from penstock_sidecar.function.call import FunctionCall, Outputs, Start
from penstock_sidecar.function.responses import Responses

KEY_HEADER: Final = "partitionkey"
"""The header that holds a message's key, which riff's frames have no field for: the name is that
of CloudEvents' partitioning extension."""

_CAPACITY: Final = 1000  # outputs that wait to be read


class RiffCall(FunctionCall):
    """One call of Riff. A task receives what comes, so that a read finds all that is there.

    Args:
        channel: To the host.
        start: What the call begins with.
        address: The host's, for the texts of errors.
    """

    def __init__(self, channel: grpc.aio.Channel, start: Start, address: str) -> None:
        self._call = RiffStub(channel).Invoke()
        self._responses: Responses[OutputSignal] = Responses(self._call, address)
        self._start: Start | None = start
        self._received: list[OutputFrame] = []
        self._ended = False
        self._failure: PenstockError | None = None
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._receiving = asyncio.create_task(self._receive())

    @property
    def reports(self) -> bool | None:
        """It has no way to."""
        return False

    async def write(self, parts: Sequence[Part]) -> bool:
        """Send messages, one in a frame."""
        with self._responses.writing:
            await self._begin()
            for number, messages in parts:
                for message in messages:
                    await self._call.write(InputSignal(data=_frame_of(message, number)))
            return True
        return False

    async def finish(self) -> None:
        """Close the side of the inputs."""
        with self._responses.writing:
            await self._begin()
            await self._call.done_writing()

    async def read(self) -> Outputs | None:
        """Take what has come since the last read, or wait for it."""
        await self._news.wait()
        frames, self._received = self._received, []
        self._room.set()
        if frames:
            if not self._ended:
                self._news.clear()
            results = [frame.resultIndex for frame in frames]
            return Outputs([_message_of(frame) for frame in frames], results)
        if self._failure:
            raise self._failure
        return None

    def cancel(self) -> None:
        """Cancel the call."""
        self._receiving.cancel()
        self._call.cancel()

    def disconnect(self) -> None:
        """Break it off: whoever reads it is told that the host is gone."""
        self._responses.disconnect()

    async def _begin(self) -> None:
        if self._start:
            start, self._start = self._start, None
            frame = StartFrame(
                expectedContentTypes=start.expected_content_types,
                inputNames=start.input_names,
                outputNames=start.output_names,
            )
            await self._call.write(InputSignal(start=frame))

    async def _receive(self) -> None:
        try:
            while (signal := await self._responses.next()) is not None:
                self._received.append(signal.data)
                self._news.set()
                if len(self._received) >= _CAPACITY:
                    self._room.clear()
                    await self._room.wait()
        except PenstockError as error:
            self._failure = error
        finally:
            self._ended = True
            self._news.set()


def _frame_of(message: Message, number: int) -> InputFrame:
    headers = dict(message.headers)
    if message.key:
        try:
            headers[KEY_HEADER] = message.key.decode()
        except UnicodeDecodeError:
            # A header is a text; a key that is none cannot travel over this protocol.
            headers.pop(KEY_HEADER, None)
    return InputFrame(
        payload=message.payload,
        contentType=message.content_type,
        headers=headers,
        argIndex=number,
    )


def _message_of(frame: OutputFrame) -> Message:
    headers = {name.lower(): value for name, value in frame.headers.items()}
    key = headers.pop(KEY_HEADER, "").encode()
    return Message(frame.payload, frame.contentType, key or None, headers or NO_HEADERS)
