"""A call over penstock's function protocol: many messages in a frame, and progress."""

from collections.abc import Sequence
from itertools import repeat

import grpc

from penstock.wire.channel import FRAME_BYTES
from penstock.wire.columns import in_frames, pack_messages, squeeze, unpack_messages
from penstock.wire.protocol import function_pb2
from penstock.wire.protocol.function_pb2 import InputFrames, OutputFrames
from penstock.wire.protocol.function_pb2_grpc import BatchFunctionStub
from penstock_sidecar.engine.commands import Part
from penstock_sidecar.function.call import FunctionCall, Outputs, Start
from penstock_sidecar.function.failure import FunctionFailed
from penstock_sidecar.function.responses import Responses


class BatchCall(FunctionCall):
    """One call of BatchFunction.

    Args:
        channel: To the host.
        start: What the call begins with.
        address: The host's, for the texts of errors.
        reports: Whether the host reports inputs, where it has said so before.
    """

    def __init__(
        self, channel: grpc.aio.Channel, start: Start, address: str, *, reports: bool | None
    ) -> None:
        self._call = BatchFunctionStub(channel).Invoke()
        self._responses: Responses[OutputFrames] = Responses(self._call, address)
        self._start: Start | None = start
        self._reports = reports

    @property
    def reports(self) -> bool | None:
        """What it says in its initial metadata."""
        if self._reports is None:
            self._reports = self._responses.reports
        return self._reports

    async def write(self, parts: Sequence[Part]) -> bool:
        """Send messages: in one frame, or in several where keys and headers are large."""
        messages = [message for part in parts for message in part.messages]
        inputs = [number for part in parts for number in repeat(part.input, len(part.messages))]
        self._responses.written += len(messages)
        with self._responses.writing:
            await self._begin()
            sent = 0
            for columns in in_frames(messages, pack_messages, FRAME_BYTES):
                until = sent + len(columns.payload)
                arg_index = squeeze(inputs[sent:until], 0)
                data = function_pb2.Inputs(messages=columns, arg_index=arg_index)
                await self._call.write(InputFrames(data=data))
                sent = until
            return True
        return False

    async def finish(self) -> None:
        """Close the side of the inputs."""
        with self._responses.writing:
            await self._begin()
            await self._call.done_writing()

    async def read(self) -> Outputs | None:
        """Receive a frame."""
        frame = await self._responses.next()
        if frame is None:
            return None
        try:
            messages = unpack_messages(frame.messages)
        except ValueError as error:
            raise FunctionFailed(f"its host sent a malformed frame: {error}") from error
        results = list(frame.result_index) or (0,)
        return Outputs(messages, results, list(frame.input_index), frame.inputs_done)

    def cancel(self) -> None:
        """Cancel the call."""
        self._call.cancel()

    def disconnect(self) -> None:
        """Break it off: whoever reads it is told that the host is gone."""
        self._responses.disconnect()

    async def _begin(self) -> None:
        if self._start:
            start, self._start = self._start, None
            frame = function_pb2.Start(
                expected_content_types=start.expected_content_types,
                input_names=start.input_names,
                output_names=start.output_names,
            )
            await self._call.write(InputFrames(start=frame))
