"""What holds for each call of each service on the server's port."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Collection
from contextlib import aclosing
from typing import Any, TypeAlias

import grpc

from penstock.plugin import TemporaryError
from penstock.server.status import status_of

_Context = grpc.aio.ServicerContext[Any, Any]
# A generic class for the checker only.
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
_Continuation: TypeAlias = "Callable[[grpc.HandlerCallDetails], Awaitable[_Handler | None]]"
_Admit: TypeAlias = "Callable[[_Context], Awaitable[None]]"


class Calls(grpc.aio.ServerInterceptor):
    """Answers what a handler raises with its status, and ends open streams when the server stops.

    Services raise the errors of `penstock.plugin` and know no status. A handler that is an
    asynchronous generator is closed as soon as its call is over, whatever ended it.

    Args:
        admit: Called before each call of a service that is guarded; what it raises is the answer.
        guarded: The full names of those services.
    """

    def __init__(self, admit: "_Admit | None" = None, guarded: Collection[str] = ()) -> None:
        self._admit = admit
        self._guarded = guarded
        self._handlers: dict[str, _Handler] = {}
        self._streams: set[_Stream] = set()
        self._stopping = False
        self._last_ended = asyncio.Event()

    async def intercept_service(
        self, continuation: _Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> "_Handler | None":
        """Find the handler of a call, and wrap it when it is called for the first time."""
        method = handler_call_details.method
        if method not in self._handlers:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None
            service = method.split("/")[1]
            self._handlers[method] = self._wrap(handler, service in self._guarded)
        return self._handlers[method]

    def end_streams(self) -> None:
        """End every open stream with UNAVAILABLE, and those still to come."""
        self._stopping = True
        for stream in self._streams:
            stream.end()

    async def all_streams_ended(self) -> None:
        """Wait until no handler of a stream does anything more.

        A call is over when its client has gone; its handler may still be leaving a group.
        """
        while self._streams:
            self._last_ended.clear()
            await self._last_ended.wait()

    def _wrap(self, handler: _Handler, guarded: bool) -> _Handler:
        codec = (handler.request_deserializer, handler.response_serializer)
        admit = self._admit if guarded else None
        if handler.stream_stream:
            stream = self._stream(handler.stream_stream, admit)
            return grpc.stream_stream_rpc_method_handler(stream, *codec)
        if handler.unary_stream:
            stream = self._stream(handler.unary_stream, admit)
            return grpc.unary_stream_rpc_method_handler(stream, *codec)
        if handler.stream_unary:
            return grpc.stream_unary_rpc_method_handler(_unary(handler.stream_unary, admit), *codec)
        return grpc.unary_unary_rpc_method_handler(_unary(handler.unary_unary, admit), *codec)

    def _stream(self, handle: Callable[..., Any], admit: "_Admit | None") -> Any:
        async def answer(request: Any, context: _Context) -> None:
            stream = _Stream(context)
            self._streams.add(stream)
            try:
                if self._stopping:
                    raise _stopping()
                if admit:
                    await admit(context)
                await stream.run(handle, request)
            except grpc.aio.BaseError:
                raise
            # Whatever a handler raises is answered; what nobody expected is logged there.
            except Exception as error:  # noqa: BLE001
                await _abort(context, error)
            finally:
                self._streams.discard(stream)
                if not self._streams:
                    self._last_ended.set()

        return answer


class _Stream:
    """An open stream: the context of its handler, and how it is ended from outside.

    gRPC loses count of what it has sent when a write is interrupted, and can send no status after
    that: a stream is ended between two writes. One whose client does not read is left to the
    server, which breaks it off when its grace is over.
    """

    def __init__(self, context: _Context) -> None:
        self._context = context
        self._task = asyncio.current_task()
        self._writing = False
        self._ended = False
        self._interrupted = False

    async def run(self, handle: Callable[..., Any], request: Any) -> None:
        try:
            if inspect.isasyncgenfunction(handle):
                async with aclosing(handle(request, self)) as replies:
                    async for reply in replies:
                        await self.write(reply)
            else:
                await handle(request, self)
        except asyncio.CancelledError:
            if not self._interrupted or self._task is None:
                raise
            self._task.uncancel()
            raise _stopping() from None

    def end(self) -> None:
        self._ended = True
        # One whose client has gone is cancelled already, and clears up: that is not broken off.
        if self._task is not None and not self._writing and not self._task.cancelling():
            self._interrupted = True
            self._task.cancel()

    async def write(self, message: Any) -> None:
        await self._send(self._context.write(message))

    async def send_initial_metadata(self, metadata: Any) -> None:
        await self._send(self._context.send_initial_metadata(metadata))

    async def _send(self, sending: Awaitable[None]) -> None:
        self._writing = True
        await sending
        self._writing = False
        if self._ended:
            raise _stopping()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


def _stopping() -> TemporaryError:
    return TemporaryError("the gateway is stopping: call again")


def _unary(handle: Any, admit: "_Admit | None") -> Any:
    async def answer(request: Any, context: _Context) -> Any:
        try:
            if admit:
                await admit(context)
            return await handle(request, context)
        # gRPC's own: the call was aborted with a status, or its client is gone.
        except grpc.aio.BaseError:
            raise
        # As for streams.
        except Exception as error:  # noqa: BLE001
            return await _abort(context, error)

    return answer


async def _abort(context: _Context, error: Exception) -> None:
    code, text = status_of(error)
    await context.abort(code, text)
