"""A function that knows nothing of protocols behaves the same over penstock's and over riff's."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Protocol

import pytest

from penstock.plugin import Edge, Group, Message
from penstock.wire.remote import RemotePubSub

FUNCTIONS = """
from collections.abc import Iterator


def shout(text: str) -> str:
    return text.upper()


def count(texts: Iterator[str]) -> int:
    return sum(1 for _ in texts)
"""
MANIFEST = """\
    apiVersion: streaming.projectriff.io/v1alpha1
    kind: InMemoryGateway
    metadata: {name: memory}
    ---
    apiVersion: streaming.projectriff.io/v1alpha1
    kind: Stream
    metadata: {name: words}
    spec: {gateway: {name: memory}, contentType: text/plain}
    ---
    apiVersion: streaming.projectriff.io/v1alpha1
    kind: Stream
    metadata: {name: results}
    spec: {gateway: {name: memory}, contentType: TYPE}
    ---
    apiVersion: streaming.projectriff.io/v1alpha1
    kind: Processor
    metadata: {name: it}
    spec:
      inputs: [{stream: words, startOffset: earliest}]
      outputs: [{stream: results}]
      window: WINDOW
      template:
        spec:
          containers:
            - name: function
              image: it:latest
              command: [penstock-invoker, "its_functions:FUNCTION"]
    """


class Runtime(Protocol):
    """What `run_penstock` gives."""

    @property
    def streams(self) -> dict[str, dict[str, str]]: ...


RunPenstock = Callable[[Path], Runtime]


@pytest.fixture(params=["batch", "riff"])
def protocol(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The protocols that sidecars speak."""
    spoken: str = request.param
    monkeypatch.setenv("PENSTOCK_PROTOCOL", spoken)
    return spoken


def manifest(folder: Path, function: str, type_: str, window: str) -> Path:
    (folder / "its_functions.py").write_text(FUNCTIONS)
    path = folder / "app.yaml"
    values = {"FUNCTION": function, "TYPE": type_, "WINDOW": window}
    text = dedent(MANIFEST)
    for name, value in values.items():
        text = text.replace(name, value)
    path.write_text(text)
    return path


async def through(runtime: Runtime, messages: list[Message], count: int) -> list[Message]:
    """Publish messages, and read so many results."""
    words, results = runtime.streams["words"], runtime.streams["results"]
    found: list[Message] = []
    async with asyncio.timeout(20), RemotePubSub(words["gateway"]) as remote:
        await remote.publish(words["topic"], messages)
        reader = await remote.subscribe(results["topic"], Group("reader"), Edge.EARLIEST)
        async with reader:
            await reader.next_event()
            while len(found) < count:
                found += [record.message for record in await reader.read(0, count)]
    return found


def test_a_function_of_one_value(run_penstock: RunPenstock, tmp_path: Path, protocol: str) -> None:
    runtime = run_penstock(manifest(tmp_path, "shout", "text/plain", "{size: 1h}"))
    words = [Message(b"a", "text/plain", b"k"), Message(b"b", "text/plain")]
    found = asyncio.run(through(runtime, words, 2))
    assert [message.payload for message in found] == [b"A", b"B"]
    assert {message.content_type for message in found} == {"text/plain"}
    if protocol == "batch":
        assert [message.key for message in found] == [b"k", None]
        assert [message.id for message in found] == [
            "it/words/0/0/results/0",
            "it/words/0/1/results/0",
        ]


@pytest.mark.usefixtures("protocol")
def test_a_function_of_a_window(run_penstock: RunPenstock, tmp_path: Path) -> None:
    window = "{type: Count, count: 3}"
    runtime = run_penstock(manifest(tmp_path, "count", "application/json", window))
    found = asyncio.run(through(runtime, [Message(b"a", "text/plain")] * 7, 2))
    assert [message.payload for message in found] == [b"3", b"3"]
