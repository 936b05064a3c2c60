"""The sidecar as whoever starts it sees it: exit codes, logs, the ready file, kills and signals."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any, Protocol

import grpc
import pytest

from penstock.plugin import Edge, Gateway, Group, Message

Item = tuple[int, Message]
Until = Callable[[Callable[[], Awaitable[bool] | bool]], Awaitable[None]]


class Call(Protocol):
    items: list[Item]


class Served(Protocol):
    address: str
    server: grpc.aio.Server
    calls: list[Call]


class Functions(Protocol):
    async def streams(
        self, function: Callable[[AsyncIterator[Item]], Any], port: int = 0
    ) -> Served: ...
    async def one_value(
        self, function: Callable[[Item], Sequence[Item]], port: int = 0
    ) -> Served: ...


class Sidecar(Protocol):
    process: "subprocess.Popen[bytes]"
    ready: Path

    @property
    def log(self) -> str: ...
    async def until_ready(self) -> None: ...
    async def wait(self) -> int: ...
    async def stop(self) -> int: ...


class Sidecars(Protocol):
    bindings: Path

    def bind(self, name: str, gateway: str, topic: str, type_: str = ...) -> Path: ...
    def environment(self, function: str = ..., **others: str) -> dict[str, str]: ...
    def start(self, function: str = ..., **others: str) -> Sidecar: ...
    def run(self, environment: Mapping[str, str]) -> tuple[int, str]: ...


def same(item: Item) -> Sequence[Item]:
    return [(0, item[1])]


async def publish(store: Gateway, topic: str, *texts: str) -> None:
    await store.publish(topic, [Message(text.encode(), "text/plain") for text in texts])


async def read(store: Gateway, topic: str, count: int) -> list[Message]:
    """The first so many messages of a topic."""
    found: list[Message] = []
    async with asyncio.timeout(20):
        watcher = await store.subscribe(topic, Group("watcher"), Edge.EARLIEST)
        async with watcher:
            await watcher.next_event()
            while len(found) < count:
                records = await watcher.read(0, count - len(found))
                found += [record.message for record in records]
    return found


@pytest.fixture
def bound(sidecars: Sidecars, gateway: tuple[Gateway, str]) -> Gateway:
    """A gateway whose topics `in` and `out` are bound to the input and the output."""
    store, address = gateway
    sidecars.bind("input_000", address, "in")
    sidecars.bind("output_000", address, "out")
    return store


# How it ends.


def test_a_missing_variable_is_exit_code_1(sidecars: Sidecars) -> None:
    environment = sidecars.environment()
    del environment["GROUP"]
    status, log = sidecars.run(environment)
    assert status == 1
    assert "ERROR GROUP is not set: expected" in log
    assert log.count("\n") == 1


def test_an_argument_is_exit_code_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "penstock_sidecar", "--help"],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert done.returncode == 2
    assert "--help: penstock-sidecar takes no arguments" in done.stderr


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"INPUT_START_OFFSETS": "latest,latest"}, "INPUT_NAMES has 1 entries"),
        ({"INPUT_START_OFFSETS": "now"}, "'now' is not a start offset"),
        ({"PENSTOCK_WINDOW": "minute"}, "PENSTOCK_WINDOW='minute'"),
        ({"PENSTOCK_DELIVERY": '{"retries": 3}'}, "retries: there is no such field"),
        (
            {"PENSTOCK_WINDOW": '{"time": "Event", "latePolicy": "DeadLetter"}'},
            "latePolicy: DeadLetter needs deadLetter in PENSTOCK_DELIVERY",
        ),
        ({}, "input_000/metadata/contentType cannot be read"),
    ],
    ids=["lists", "offset", "window", "delivery", "late", "bindings"],
)
def test_a_wrong_value_is_exit_code_2(
    sidecars: Sidecars, variables: Mapping[str, str], text: str
) -> None:
    status, log = sidecars.run(sidecars.environment(**variables))
    assert status == 2
    assert text in log
    assert log.count("\n") == 1


async def test_a_function_that_fails_stops_its_partition_and_nothing_is_acked_past_it(
    sidecars: Sidecars, functions: Functions, bound: Gateway, until: Until
) -> None:
    def fail(_: Item) -> Sequence[Item]:
        raise ValueError("no good")

    host = await functions.one_value(fail)
    await publish(bound, "in", "a", "b")
    sidecar = sidecars.start(host.address, PENSTOCK_DELIVERY='{"maxDeliveries": 1}')
    await until(lambda: "input in: partition 0 stops at in[0] 0, " in sidecar.log)
    assert "no good" in sidecar.log
    assert "Traceback" not in sidecar.log
    # The others go on, if there are any: nothing says that messages cannot flow.
    assert sidecar.ready.exists()
    assert await sidecar.stop() == 0
    assert (await bound.positions("in", "g")).get(0, {}) == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_is_exit_code_0_once_the_window_is_done(
    sidecars: Sidecars, functions: Functions, bound: Gateway, until: Until, number: signal.Signals
) -> None:
    async def last(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        kept = [item async for item in items]
        yield kept[-1]

    host = await functions.streams(last)
    await publish(bound, "in", "a", "b")
    sidecar = sidecars.start(host.address, PENSTOCK_WINDOW='{"size": "1h"}')
    await until(lambda: bool(host.calls and len(host.calls[0].items) == 2))
    sidecar.process.send_signal(number)
    assert await sidecar.wait() == 0
    assert [message.payload for message in await read(bound, "out", 1)] == [b"b"]
    assert await bound.positions("in", "g") == {0: {0: 1}}
    assert not sidecar.ready.exists()


async def test_a_second_signal_does_not_wait(
    sidecars: Sidecars, functions: Functions, bound: Gateway, until: Until
) -> None:
    async def hang(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        async for item in items:
            await asyncio.Event().wait()
            yield item

    host = await functions.streams(hang)
    await publish(bound, "in", "a")
    sidecar = sidecars.start(host.address)
    await until(lambda: bool(host.calls and host.calls[0].items))
    sidecar.process.send_signal(signal.SIGTERM)
    await until(lambda: "stopping within 30 s" in sidecar.log)
    sidecar.process.send_signal(signal.SIGTERM)
    assert await sidecar.wait() == 0
    assert "not done in time, and to be repeated: in[0] 0" in sidecar.log
    assert await bound.positions("in", "g") == {}


async def test_a_function_that_goes_away_while_it_stops_is_not_waited_for(
    sidecars: Sidecars, functions: Functions, bound: Gateway, until: Until
) -> None:
    async def hang(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        async for item in items:
            await asyncio.Event().wait()
            yield item

    host = await functions.streams(hang)
    await publish(bound, "in", "a")
    sidecar = sidecars.start(host.address)
    await until(lambda: bool(host.calls and host.calls[0].items))
    sidecar.process.send_signal(signal.SIGTERM)
    await until(lambda: "stopping within 30 s" in sidecar.log)
    await host.server.stop(None)
    assert await sidecar.wait() == 0


@pytest.mark.usefixtures("bound")
async def test_a_signal_while_it_waits_for_the_function_is_exit_code_0(
    sidecars: Sidecars, until: Until
) -> None:
    sidecar = sidecars.start()
    await until(lambda: "waiting: the function has not opened its port" in sidecar.log)
    assert await sidecar.stop() == 0


# When it is ready.


async def test_it_is_ready_once_the_function_is_there_and_its_inputs_are_subscribed(
    sidecars: Sidecars, functions: Functions, bound: Gateway, until: Until, free_port: int
) -> None:
    sidecar = sidecars.start(f"127.0.0.1:{free_port}", INPUT_START_OFFSETS="latest")
    await until(lambda: "waiting: the function has not opened its port" in sidecar.log)
    assert not sidecar.ready.exists()
    await functions.one_value(same, free_port)
    await sidecar.until_ready()
    # What is published from now on is not missed, though the group starts at the latest.
    await publish(bound, "in", "a")
    assert [message.payload for message in await read(bound, "out", 1)] == [b"a"]


async def test_it_waits_for_a_gateway_that_is_not_there_yet(
    sidecars: Sidecars, functions: Functions, until: Until, free_port: int
) -> None:
    for name in ("input_000", "output_000"):
        sidecars.bind(name, f"127.0.0.1:{free_port}", "topic")
    host = await functions.one_value(same)
    sidecar = sidecars.start(host.address)
    await until(lambda: "beginning anew in 0.2 s: gateway 127.0.0.1" in sidecar.log)
    assert not sidecar.ready.exists()
    assert await sidecar.stop() == 0


async def test_a_function_that_comes_back_is_called_again(
    sidecars: Sidecars, functions: Functions, bound: Gateway, until: Until
) -> None:
    host = await functions.one_value(same)
    sidecar = sidecars.start(host.address)
    await sidecar.until_ready()
    await publish(bound, "in", "a")
    await read(bound, "out", 1)
    await host.server.stop(None)
    await publish(bound, "in", "b")
    await until(lambda: "waiting: the function has not opened its port" in sidecar.log)
    await functions.one_value(same, int(host.address.rpartition(":")[2]))
    assert [message.payload for message in await read(bound, "out", 2)] == [b"a", b"b"]
    # The membership is the one that it had.
    assert sidecar.log.count("reading partitions 0") == 1
    assert sidecar.ready.exists()


# What else it does.


async def test_everything_arrives_though_it_is_killed_in_the_middle(
    sidecars: Sidecars, functions: Functions, bound: Gateway, until: Until
) -> None:
    host = await functions.one_value(same)
    numbers = [str(number) for number in range(20_000)]
    await publish(bound, "in", *numbers)

    for _ in range(3):
        before = await bound.end_positions("out")

        async def has_more(before: Mapping[int, int] = before) -> bool:
            return await bound.end_positions("out") != before

        sidecar = sidecars.start(host.address)
        await until(has_more)
        sidecar.process.kill()
        await sidecar.wait()
        await publish(bound, "in", "more")

    async def all_acked() -> bool:
        acked = (await bound.positions("in", "g")).get(0, {})
        return acked == await bound.end_positions("in")

    sidecar = sidecars.start(host.address)
    await until(all_acked)
    ends = await bound.end_positions("out")
    outputs = await read(bound, "out", ends[0] + 1)
    by_id = {message.id: message.payload.decode() for message in outputs}
    # Duplicates have equal ids, and without them nothing is lost or added.
    assert sorted(by_id.values()) == sorted([*numbers, "more", "more", "more"])
    assert len(by_id) == len(numbers) + 3
    assert await sidecar.stop() == 0


async def test_one_stream_under_two_aliases_is_read_twice(
    sidecars: Sidecars, functions: Functions, bound: Gateway
) -> None:
    host = await functions.one_value(lambda item: [(0, Message(b"%d" % item[0], "text/plain"))])
    address = (sidecars.bindings / "input_000/secret/gateway").read_text()
    sidecars.bind("input_001", address, "in")
    await publish(bound, "in", "a")
    sidecar = sidecars.start(
        host.address, INPUT_NAMES="one,two", INPUT_START_OFFSETS="earliest,earliest"
    )
    outputs = await read(bound, "out", 2)
    assert sorted(message.payload for message in outputs) == [b"0", b"1"]
    assert await sidecar.stop() == 0
    assert set(await bound.positions("in", "g")) == {0}
    assert set(await bound.positions("in", "g.two")) == {0}


async def test_it_can_be_held_to_riffs_protocols(
    sidecars: Sidecars, functions: Functions, bound: Gateway, until: Until
) -> None:
    host = await functions.one_value(same)
    await publish(bound, "in", "a")
    sidecar = sidecars.start(host.address, PENSTOCK_PROTOCOL="riff")
    # The host in this test speaks only the other protocol.
    await until(lambda: "is gone (UNIMPLEMENTED)" in sidecar.log)


PLUGIN = """
from pydantic import BaseModel
from penstock.plugin import GatewayKind, hookimpl
from penstock.wire.remote import RemotePubSub

class Spec(BaseModel):
    address: str

@hookimpl
def penstock_gateway_kind():
    return GatewayKind("TestGateway", Spec, frozenset(), "A gateway of a test.")

@hookimpl
def penstock_gateway_factory():
    return lambda spec: None

@hookimpl
def penstock_pubsub_factory():
    return lambda spec: RemotePubSub(spec.address)
"""


@pytest.fixture
def plugin(tmp_path: Path) -> str:
    """A folder in which a plugin of the kind TestGateway is installed."""
    folder = tmp_path / "site"
    information = folder / "penstock_test-1.0.dist-info"
    information.mkdir(parents=True)
    (folder / "penstock_test.py").write_text(dedent(PLUGIN))
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: penstock-test\nVersion: 1\n"
    )
    (information / "entry_points.txt").write_text("[penstock.gateways]\ntest = penstock_test\n")
    return str(folder)


async def test_a_messaging_system_is_reached_past_its_gateway_where_a_plugin_can(
    sidecars: Sidecars,
    functions: Functions,
    gateway: tuple[Gateway, str],
    plugin: str,
) -> None:
    store, address = gateway
    for name, topic in (("input_000", "in"), ("output_000", "out")):
        folder = sidecars.bind(name, "127.0.0.1:1", topic)
        connection = f'{{"kind": "TestGateway", "spec": {{"address": "{address}"}}}}'
        (folder / "secret/connection").write_text(connection)
    # A version of the group was here before: a group without a version goes on from there.
    await publish(store, "in", "a", "b")
    await store.ack("in", Group("g", 1), {0: 0})
    host = await functions.one_value(same)
    sidecar = sidecars.start(host.address, PYTHONPATH=plugin)
    assert [message.payload for message in await read(store, "out", 1)] == [b"b"]
    assert await sidecar.stop() == 0


async def test_a_connection_that_no_plugin_knows_is_left_alone(
    sidecars: Sidecars, functions: Functions, bound: Gateway
) -> None:
    connection = sidecars.bindings / "input_000/secret/connection"
    connection.write_text('{"kind": "UnknownGateway", "spec": {}}')
    await publish(bound, "in", "a")
    sidecars.start((await functions.one_value(same)).address)
    assert [message.payload for message in await read(bound, "out", 1)] == [b"a"]


@pytest.mark.usefixtures("bound")
async def test_a_connection_with_wrong_settings_is_exit_code_2(
    sidecars: Sidecars, functions: Functions, plugin: str
) -> None:
    connection = sidecars.bindings / "input_000/secret/connection"
    connection.write_text('{"kind": "TestGateway", "spec": {}}')
    host = await functions.one_value(same)
    sidecar = sidecars.start(host.address, PYTHONPATH=plugin)
    assert await sidecar.wait() == 2
    assert "input_000/secret/connection: spec.address: Field required" in sidecar.log
