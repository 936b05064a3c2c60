"""Processes are killed in the middle of 100,000 messages; afterwards everything is counted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from textwrap import dedent
from typing import Protocol

import pytest

from penstock.plugin import Edge, Group, Message, Record
from penstock.wire.remote import RemotePubSub

MESSAGES = 100_000
BATCH = 500
KILLS = 4
HEAD = "apiVersion: streaming.projectriff.io/v1alpha1\nkind: "
STREAM = """\
    Stream
    metadata: {name: NAME}
    spec: {gateway: {name: memory}, contentType: text/plain}
    """
PROCESSOR = """\
    Processor
    metadata: {name: copier}
    spec:
      inputs: [{stream: numbers, startOffset: earliest}]
      outputs: [{stream: copies}]
      template:
        spec:
          containers:
            - name: function
              image: copier:latest
              command: [penstock-invoker, "copy_function:copy"]
    """


class Runtime(Protocol):
    """What `run_penstock` gives."""

    @property
    def streams(self) -> dict[str, dict[str, str]]: ...

    def kill(self, module: str) -> None: ...


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    (tmp_path / "copy_function.py").write_text("def copy(text: str) -> str:\n    return text\n")
    streams = [STREAM.replace("NAME", name) for name in ("numbers", "copies")]
    documents = ["InMemoryGateway\nmetadata: {name: memory}\n", *streams, PROCESSOR]
    path = tmp_path / "app.yaml"
    path.write_text("---\n".join(HEAD + dedent(document) for document in documents))
    return path


async def publish(remote: RemotePubSub, topic: str) -> None:
    for start in range(0, MESSAGES, BATCH):
        numbers = [str(number) for number in range(start, start + BATCH)]
        await remote.publish(topic, [Message(n.encode(), "text/plain", id=n) for n in numbers])


async def outputs(remote: RemotePubSub, topic: str) -> AsyncIterator[list[Record]]:
    """What comes out, from the first record on."""
    async with await remote.subscribe(topic, Group("counter"), Edge.EARLIEST) as subscription:
        await subscription.next_event()
        while records := await subscription.read(0, 5000):
            yield list(records)


async def count_through(runtime: Runtime, module: str) -> list[Record]:
    """Publish everything, kill a module's process now and then, read until each number came."""
    seen: set[bytes] = set()
    received: list[Record] = []
    kills = [MESSAGES * step // (KILLS + 1) for step in range(1, KILLS + 1)]
    numbers, copies = runtime.streams["numbers"], runtime.streams["copies"]
    async with asyncio.timeout(100), RemotePubSub(numbers["gateway"]) as remote:
        publisher = asyncio.create_task(publish(remote, numbers["topic"]))
        async for records in outputs(remote, copies["topic"]):
            received += records
            seen.update(record.message.payload for record in records)
            if kills and len(seen) >= kills[0]:
                runtime.kill(module)
                kills.pop(0)
            if len(seen) == MESSAGES:
                break
        await publisher
    assert not kills, "the processes were not all killed"
    return received


@pytest.mark.timeout(150)
@pytest.mark.parametrize("module", ["penstock_sidecar", "penstock-invoker"])
def test_nothing_is_lost_when_a_process_is_killed(
    run_penstock: Callable[[Path], Runtime], manifest: Path, module: str
) -> None:
    received = asyncio.run(count_through(run_penstock(manifest), module))

    first_seen = list(dict.fromkeys(int(record.message.payload) for record in received))
    assert first_seen == list(range(MESSAGES)), "each number came, and first in order"
    ids = {(record.message.payload, record.message.id) for record in received}
    assert len(ids) == MESSAGES, "a repeated output has the id that it had before"
    print(f"\n{module} killed {KILLS} times: {len(received) - MESSAGES} duplicates of {MESSAGES}")
