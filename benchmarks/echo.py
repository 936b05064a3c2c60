"""The limit: a bare gRPC echo of the frames that the data path carries, nothing else done."""

import asyncio
import sys
from collections.abc import AsyncIterator
from time import perf_counter

import grpc

from benchmarks.processes import free_port, process
from penstock.wire.protocol import columns_pb2, riff_pb2

BATCH = "/echo/Batch"
SINGLE = "/echo/Single"
CALL = "/echo/Call"
IN_FLIGHT = 256
FRAME = 500
PAYLOAD = b"x" * 100


async def messages_per_second(messages: int, *, batches: bool, streams: bool = True) -> float:
    """Messages a second through an echo server in a process of its own, there and back.

    Args:
        messages: How many.
        batches: Whether they travel in frames of 500; else each by itself.
        streams: Whether single ones travel in one stream; else in a call each, 256 at a time.
    """
    port = free_port()
    with process("benchmarks.echo", str(port)):
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            async with asyncio.timeout(30):
                await channel.channel_ready()
            if batches:
                frame: object = columns_pb2.MessageColumns(
                    payload=[PAYLOAD] * FRAME, content_type=["text/plain"]
                )
                return await _stream(channel, BATCH, frame, messages // FRAME) * FRAME
            frame = riff_pb2.InputFrame(payload=PAYLOAD, contentType="text/plain")
            if streams:
                return await _stream(channel, SINGLE, frame, messages)
            return await _calls(channel, frame, messages)


async def _stream(channel: grpc.aio.Channel, method: str, frame: object, count: int) -> float:
    kind = type(frame)
    echo = channel.stream_stream(
        method,
        request_serializer=kind.SerializeToString,  # type: ignore[attr-defined]
        response_deserializer=kind.FromString,  # type: ignore[attr-defined]
    )

    async def frames() -> AsyncIterator[object]:
        for _ in range(count):
            yield frame

    started = perf_counter()
    received = 0
    async for _ in echo(frames()):
        received += 1
    assert received == count
    return count / (perf_counter() - started)


async def _calls(channel: grpc.aio.Channel, frame: object, count: int) -> float:
    kind = type(frame)
    echo = channel.unary_unary(
        CALL,
        request_serializer=kind.SerializeToString,  # type: ignore[attr-defined]
        response_deserializer=kind.FromString,  # type: ignore[attr-defined]
    )
    turns = iter(range(count))

    async def work() -> None:
        for _ in turns:
            await echo(frame)

    started = perf_counter()
    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return count / (perf_counter() - started)


async def _serve(port: int) -> None:
    async def echo(frames: AsyncIterator[object], _: object) -> AsyncIterator[object]:
        async for frame in frames:
            yield frame

    handlers = {
        method.rpartition("/")[2]: grpc.stream_stream_rpc_method_handler(
            echo,
            request_deserializer=kind.FromString,
            response_serializer=kind.SerializeToString,
        )
        for method, kind in (
            (BATCH, columns_pb2.MessageColumns),
            (SINGLE, riff_pb2.InputFrame),
        )
    }

    async def answer(frame: object, _: object) -> object:
        return frame

    handlers["Call"] = grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=riff_pb2.InputFrame.FromString,
        response_serializer=riff_pb2.InputFrame.SerializeToString,
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("echo", handlers),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
