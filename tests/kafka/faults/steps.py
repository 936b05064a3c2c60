"""The steps of a sidecar at which it can be met, each by holding up what comes next."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from tests.kafka.pipeline import Pipeline
from tests.kafka.request_proxy import Api, RequestProxy, Way

IsMet = Callable[[], Awaitable[bool] | bool]

Step = Callable[[Pipeline, RequestProxy], AbstractAsyncContextManager[IsMet]]
"""While it lasts the first sidecar of a pipeline gets no further than that; what it gives says
whether the sidecar has got there."""


@asynccontextmanager
async def after_fetch(pipeline: Pipeline, _requests: RequestProxy) -> AsyncIterator[IsMet]:
    """It has read messages, and the function's host stands still: none is processed."""
    (sidecar, *_), metric = pipeline.sidecars, "penstock_sidecar_input_messages_total"
    read_before = await asyncio.to_thread(sidecar.metric, metric)

    async def has_read() -> bool:
        return await asyncio.to_thread(sidecar.metric, metric) > read_before

    pipeline.function.freeze()
    try:
        yield has_read
    finally:
        pipeline.function.thaw()


@asynccontextmanager
async def during_call(pipeline: Pipeline, _requests: RequestProxy) -> AsyncIterator[IsMet]:
    """The function is in the middle of a message."""
    pipeline.function.hold_on = True
    try:
        yield lambda: pipeline.function.is_held
    finally:
        pipeline.function.hold_on = False


@asynccontextmanager
async def before_publish(_pipeline: Pipeline, requests: RequestProxy) -> AsyncIterator[IsMet]:
    """Outputs are on their way, and have not reached the broker."""
    with requests.hold(Api.PRODUCE, Way.TO_BROKER) as hold:
        yield hold.caught.is_set


@asynccontextmanager
async def after_publish(_pipeline: Pipeline, requests: RequestProxy) -> AsyncIterator[IsMet]:
    """The broker has stored outputs, and the sidecar does not know it yet."""
    with requests.hold(Api.PRODUCE, Way.TO_CLIENT) as hold:
        yield hold.caught.is_set


@asynccontextmanager
async def before_ack(_pipeline: Pipeline, requests: RequestProxy) -> AsyncIterator[IsMet]:
    """Outputs are accepted, and the ack of their inputs has not reached the broker."""
    with requests.hold(Api.OFFSET_COMMIT, Way.TO_BROKER) as hold:
        yield hold.caught.is_set


@asynccontextmanager
async def after_ack(_pipeline: Pipeline, requests: RequestProxy) -> AsyncIterator[IsMet]:
    """The broker has stored an ack, and the sidecar does not know it yet."""
    with requests.hold(Api.OFFSET_COMMIT, Way.TO_CLIENT) as hold:
        yield hold.caught.is_set
