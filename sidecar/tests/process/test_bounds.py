"""A sidecar with bounds: it ends by itself when everything up to them is done."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from penstock.plugin import Edge, Gateway, Group, Message

Item = tuple[int, Message]
Until = Callable[[Callable[[], Awaitable[bool] | bool]], Awaitable[None]]
A_MINUTE = json.dumps({"size": "60s"})


class Call(Protocol):
    items: list[Item]


class Served(Protocol):
    address: str
    calls: list[Call]


class Functions(Protocol):
    async def riff(self, function: Callable[[AsyncIterator[Item]], Any]) -> Served: ...
    async def one_value(self, function: Callable[[Item], Sequence[Item]]) -> Served: ...


class Sidecar(Protocol):
    process: "subprocess.Popen[bytes]"

    @property
    def log(self) -> str: ...
    async def until_ready(self) -> None: ...
    async def wait(self) -> int: ...
    async def stop(self) -> int: ...


class Sidecars(Protocol):
    bindings: Path

    def bind(self, name: str, gateway: str, topic: str, type_: str = ...) -> Path: ...
    def start(self, function: str = ..., **others: str) -> Sidecar: ...


@pytest.fixture
async def store(sidecars: Sidecars, gateway: tuple[Gateway, str]) -> Gateway:
    """A gateway with ten records in `in`, which is bound to the input, as `out` to the output."""
    store, address = gateway
    sidecars.bind("input_000", address, "in")
    sidecars.bind("output_000", address, "out")
    await store.publish("in", [Message(b"%d" % n, "text/plain") for n in range(10)])
    return store


def same(item: Item) -> Sequence[Item]:
    return [(0, item[1])]


async def counting(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
    """How many messages a call was given."""
    count = 0
    async for _ in items:
        count += 1
    yield 0, Message(b"%d" % count, "text/plain")


async def outputs(store: Gateway) -> list[Message]:
    """What is in `out`."""
    last = (await store.end_positions("out")).get(0, -1)
    found: list[Message] = []
    async with await store.subscribe("out", Group("watcher"), Edge.EARLIEST) as watcher:
        await watcher.next_event()
        while len(found) <= last:
            found += [record.message for record in await watcher.read(0, 100)]
    return found


async def test_it_does_what_is_up_to_the_bound_and_ends_well(
    sidecars: Sidecars, functions: Functions, store: Gateway
) -> None:
    function = await functions.one_value(same)
    sidecar = sidecars.start(function.address, PENSTOCK_UNTIL='{"in": {"0": 6}}')
    assert await sidecar.wait() == 0, sidecar.log
    assert [one.payload for one in await outputs(store)] == [b"%d" % n for n in range(7)]
    assert await store.positions("in", "g") == {0: {0: 6}}


async def test_a_window_that_is_long_ends_with_the_bound(
    sidecars: Sidecars, functions: Functions, store: Gateway
) -> None:
    function = await functions.riff(counting)
    sidecar = sidecars.start(
        function.address, PENSTOCK_UNTIL='{"in": {"0": 6}}', PENSTOCK_WINDOW=A_MINUTE
    )
    assert await sidecar.wait() == 0, sidecar.log
    assert [one.payload for one in await outputs(store)] == [b"7"]


async def test_a_version_has_positions_of_its_own_and_the_ids_of_the_group(
    sidecars: Sidecars, functions: Functions, store: Gateway
) -> None:
    function = await functions.one_value(same)
    for version in ("", "2"):
        sidecar = sidecars.start(
            function.address, PENSTOCK_UNTIL='{"in": {"0": 6}}', PENSTOCK_GROUP_VERSION=version
        )
        assert await sidecar.wait() == 0, sidecar.log
    ids = [one.id for one in await outputs(store)]
    assert len(set(ids)) == 7
    assert ids[:7] == ids[7:]
    assert await store.positions("in", "g") == {0: {0: 6}, 2: {0: 6}}


async def test_with_nothing_left_to_do_it_ends_at_once(
    sidecars: Sidecars, functions: Functions, store: Gateway
) -> None:
    await store.ack("in", Group("g"), {0: 6})
    function = await functions.one_value(same)
    sidecar = sidecars.start(function.address, PENSTOCK_UNTIL='{"in": {"0": 6}}')
    assert await sidecar.wait() == 0, sidecar.log
    assert await outputs(store) == []


async def test_an_input_without_a_bound_is_left_alone(
    sidecars: Sidecars, functions: Functions, store: Gateway, gateway: tuple[Gateway, str]
) -> None:
    sidecars.bind("input_001", gateway[1], "other")
    await store.publish("other", [Message(b"x", "text/plain")])
    function = await functions.one_value(same)
    sidecar = sidecars.start(
        function.address,
        INPUT_NAMES="in,other",
        INPUT_START_OFFSETS="earliest,earliest",
        PENSTOCK_UNTIL='{"in": {"0": 6}}',
    )
    assert await sidecar.wait() == 0, sidecar.log
    assert len(await outputs(store)) == 7


async def test_one_that_is_stopped_before_has_failed_and_goes_on(
    sidecars: Sidecars, functions: Functions, store: Gateway, until: Until
) -> None:
    function = await functions.one_value(same)
    until_12 = {"PENSTOCK_UNTIL": '{"in": {"0": 12}}'}
    sidecar = sidecars.start(function.address, **until_12)

    async def done() -> bool:
        return await store.positions("in", "g") == {0: {0: 9}}

    await until(done)
    assert await sidecar.stop() == 1
    assert "group g has not done everything up to its bounds: started again" in sidecar.log
    await store.publish("in", [Message(b"more", "text/plain")] * 5)
    sidecar = sidecars.start(function.address, **until_12)
    assert await sidecar.wait() == 0, sidecar.log
    assert len(await outputs(store)) == 13


async def test_a_function_that_is_slow_is_waited_for(
    sidecars: Sidecars, functions: Functions, store: Gateway, until: Until
) -> None:
    go = asyncio.Event()

    async def waiting(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        async for item in items:
            await go.wait()
            yield item

    function = await functions.riff(waiting)
    sidecar = sidecars.start(
        function.address, PENSTOCK_UNTIL='{"in": {"0": 6}}', PENSTOCK_WINDOW=A_MINUTE
    )
    await until(lambda: "everything up to the bounds is read" in sidecar.log)
    go.set()
    assert await sidecar.wait() == 0, sidecar.log
    assert [one.payload for one in await outputs(store)] == [b"%d" % n for n in range(7)]


async def test_bounds_that_are_none_are_exit_code_2(sidecars: Sidecars) -> None:
    sidecar = sidecars.start(PENSTOCK_UNTIL='{"out": {"0": 6}}')
    assert await sidecar.wait() == 2
    assert "'out' is not an input: expected one of in" in sidecar.log


@pytest.mark.parametrize(
    "window",
    [
        {"type": "Tumbling", "size": "1h", "time": "Event"},
        {"type": "Tumbling", "size": "1h", "perKey": True},
        {"type": "Sliding", "size": "1h", "every": "1h"},
        {"type": "Session", "gap": "1h", "time": "Event", "perKey": True},
        {"type": "Count", "count": 1000},
        {"type": "Count", "count": 1000, "perKey": True},
        {"type": "Global", "maxMessages": 1000},
    ],
    ids=json.dumps,
)
async def test_windows_that_would_stay_open_end_with_the_bound(
    sidecars: Sidecars, functions: Functions, store: Gateway, window: dict[str, object]
) -> None:
    function = await functions.riff(counting)
    sidecar = sidecars.start(
        function.address, PENSTOCK_UNTIL='{"in": {"0": 6}}', PENSTOCK_WINDOW=json.dumps(window)
    )
    assert await sidecar.wait() == 0, sidecar.log
    assert sum(int(one.payload) for one in await outputs(store)) == 7
    assert await store.positions("in", "g") == {0: {0: 6}}
