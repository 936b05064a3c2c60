"""What happens in each case, window by window and failure by failure: the table of the docs."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import grpc
import pytest

from penstock.plugin import Edge, Gateway, Group, Message
from sidecar.tests.conftest import Refusal

Item = tuple[int, Message]
Until = Callable[[Callable[[], Awaitable[bool] | bool]], Awaitable[None]]
PAGE = Path(__file__).resolve().parents[3] / "docs" / "failures.md"
WRITE = "PENSTOCK_WRITE_FAILURES"
"""Set: the tests write their rows into the page, where they otherwise look for them."""

WINDOWS = {
    "Tumbling": '{"size": "100ms"}',
    "Tumbling, event time": '{"size": "100ms", "time": "Event", "idleTimeout": "50ms"}',
    "Tumbling, per key": '{"size": "100ms", "perKey": true}',
    "Sliding": '{"type": "Sliding", "size": "200ms", "every": "100ms"}',
    "Session": '{"type": "Session", "gap": "100ms"}',
    "Count": '{"type": "Count", "count": 3}',
    "Global": '{"type": "Global", "maxMessages": 3}',
}
QUICK = '"maxDeliveries": 2, "backoff": {"initial": "1ms"}, "timeout": "500ms"'
TO_OOPS = '"deadLetter": {"stream": "oops"}'
FAILURES = {
    "fails once": ("once", f"{{{QUICK}, {TO_OOPS}}}"),
    "fails each time": ("always", f"{{{QUICK}, {TO_OOPS}}}"),
    "fails each time, no dead letters": ("always", f"{{{QUICK}}}"),
    "takes no such content type": ("refuses", f"{{{QUICK}, {TO_OOPS}}}"),
    "hangs once": ("hangs", f"{{{QUICK}, {TO_OOPS}}}"),
    "goes away once": ("gone", f"{{{QUICK}, {TO_OOPS}}}"),
    "fails each time, AtMostOnce": ("always", f'{{"guarantee": "AtMostOnce", {TO_OOPS}}}'),
}

LAST = "fails each time, AtMostOnce"


class Served(Protocol):
    address: str


class Functions(Protocol):
    async def streams(
        self, function: Callable[[AsyncIterator[Item]], Any], port: int = 0
    ) -> Served: ...


class Sidecar(Protocol):
    @property
    def log(self) -> str: ...
    async def stop(self) -> int: ...


class Sidecars(Protocol):
    def bind(self, name: str, gateway: str, topic: str, type_: str = ...) -> Path: ...
    def start(self, function: str = ..., **others: str) -> Sidecar: ...


def function(kind: str) -> Callable[[AsyncIterator[Item]], AsyncIterator[Item]]:
    """One that has trouble with `b`: each time, or once."""
    troubles = 0

    async def run(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        nonlocal troubles
        given = [item async for item in items]
        if b"b" in [message.payload for _, message in given]:
            troubles += 1
            if kind == "always":
                raise ValueError("no good")
            if kind == "refuses":
                text = "Invoker: Unsupported Media Type: text/plain"
                raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, text)
            if troubles == 1:
                if kind == "hangs":
                    await asyncio.Event().wait()
                if kind == "gone":
                    raise Refusal(grpc.StatusCode.UNAVAILABLE, "shutting down")
                raise ValueError("no good")
        for _, message in given:
            yield 0, message

    return run


async def payloads(store: Gateway, topic: str) -> str:
    """What a topic holds, each once."""
    found: set[str] = set()
    last = (await store.end_positions(topic)).get(0, -1)
    offset = -1
    async with await store.subscribe(topic, Group("watcher"), Edge.EARLIEST) as watcher:
        await watcher.next_event()
        while offset < last:
            for record in await watcher.read(0, 100):
                found.add(record.message.payload.decode())
                offset = record.offset
    return " ".join(sorted(found)) or "none"


async def row(
    window: str,
    failure: str,
    bench: tuple[Sidecars, Functions, Gateway, str, Until],
) -> str:
    """Run one case; what came of it, as a row."""
    sidecars, functions, store, address, until = bench
    kind, delivery = FAILURES[failure]
    topics = {one: f"{one}-{list(FAILURES).index(failure)}" for one in ("in", "out", "oops")}
    bindings = {"input_000": "in", "output_000": "out", "dead_letter_000": "oops"}
    for folder, name in bindings.items():
        sidecars.bind(folder, address, topics[name])
    await store.publish(
        topics["in"], [Message(text.encode(), "text/plain", b"key") for text in "abc"]
    )
    host = await functions.streams(function(kind))
    sidecar = sidecars.start(
        host.address, PENSTOCK_WINDOW=WINDOWS[window], PENSTOCK_DELIVERY=delivery
    )

    async def acked() -> int:
        return (await store.positions(topics["in"], "g")).get(0, {}).get(0, -1)

    async def is_over() -> bool:
        # With AtMostOnce the ack comes first.
        settled = "AtMostOnce" not in failure or await store.end_positions(topics["oops"]) == {0: 2}
        return (await acked() == 2 and settled) or "stops at" in sidecar.log

    await until(is_over)
    stopped = "stops at" in sidecar.log
    assert await sidecar.stop() == 0
    cells = [
        window,
        failure,
        await payloads(store, topics["out"]),
        await payloads(store, topics["oops"]),
        " ".join("abc"[: await acked() + 1]) or "none",
        "stops" if stopped else "goes on",
    ]
    return f"| {' | '.join(cells)} |"


@pytest.fixture
def bench(
    sidecars: Sidecars, functions: Functions, gateway: tuple[Gateway, str], until: Until
) -> tuple[Sidecars, Functions, Gateway, str, Until]:
    """Everything that a case needs."""
    return sidecars, functions, *gateway, until


@pytest.mark.parametrize("window", WINDOWS)
async def test_each_row_of_the_table_is_what_happens(
    window: str, bench: tuple[Sidecars, Functions, Gateway, str, Until]
) -> None:
    rows = [await row(window, failure, bench) for failure in FAILURES]
    written = PAGE.read_text()
    before = [line for line in written.splitlines() if line.startswith(f"| {window} |")]
    if os.environ.get(WRITE):
        kept = [line for line in written.splitlines() if line not in before]
        PAGE.write_text("\n".join([*kept[: kept.index(END)], *rows, *kept[kept.index(END) :], ""]))
    else:
        assert before == rows


END = "<!-- end -->"
