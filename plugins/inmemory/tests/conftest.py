"""A gateway whose time stands still until a test moves it."""

from collections.abc import AsyncIterator

import pytest

from penstock_inmemory import InMemoryGateway


@pytest.fixture
def now() -> list[float]:
    """The time of `gateway`, in seconds since the epoch: `now[0] += 60` lets a minute pass."""
    return [1_700_000_000.0]


@pytest.fixture
async def gateway(now: list[float]) -> AsyncIterator[InMemoryGateway]:
    async with InMemoryGateway(clock=lambda: now[0]) as gateway:
        yield gateway
