"""Gateways that are not there, go away, hang or refuse: what their callers see."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING

import grpc
import pytest

from penstock.plugin import (
    Edge,
    Group,
    Message,
    NotReady,
    PermanentError,
    Position,
    PublishResult,
    TemporaryError,
)
from penstock.server.catalog import StreamCatalog
from penstock.wire.channel import MAX_MESSAGE_BYTES
from penstock.wire.remote import RemotePubSub
from penstock_inmemory import InMemoryGateway

if TYPE_CHECKING:
    from core.tests.wire.conftest import Launch, Serve

READERS = Group("readers")
ONE = [Message(b"1")]
PATIENCE = 20.0

remotes = pytest.mark.parametrize(
    "protocols", [("batch", "riff"), ("riff",)], ids=["batch", "riff"]
)


class Fussy(InMemoryGateway):
    """Cannot store some messages: those that say `later` now, those that say `never` at all."""

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        results: list[PublishResult] = []
        for message in messages:
            if message.payload.startswith(b"never"):
                results.append(PermanentError("not this one"))
            elif message.payload.startswith(b"later"):
                results.append(TemporaryError("not now"))
            else:
                results += await super().publish(topic, [message])
        return results

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:  # noqa: ARG002
        raise TemporaryError("not now")


@pytest.fixture
async def gateway() -> AsyncIterator[InMemoryGateway]:
    async with Fussy() as gateway:
        yield gateway


@pytest.fixture
def nobody() -> str:
    """An address on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


async def test_where_nobody_listens_every_call_is_not_ready_and_names_the_address(
    nobody: str,
) -> None:
    async with RemotePubSub(nobody) as remote:
        for call in (
            remote.publish("numbers", ONE),
            remote.subscribe("numbers", READERS, Edge.LATEST),
            remote.ack("numbers", READERS, {0: 1}),
            remote.positions("numbers", "readers"),
            remote.end_positions("numbers"),
        ):
            with pytest.raises(NotReady, match=re.escape(nobody)) as failure:
                await call
            assert isinstance(failure.value.__cause__, grpc.aio.AioRpcError)


@remotes
async def test_a_server_that_is_killed_ends_what_waits_and_loses_nothing(
    protocols: tuple[str, ...], launch: "Launch"
) -> None:
    server = await launch(*protocols)
    async with asyncio.timeout(PATIENCE), RemotePubSub(server.address) as remote:
        await remote.publish("numbers", ONE)
        subscription = await remote.subscribe("numbers", READERS, Edge.EARLIEST)
        await subscription.next_event()
        assert len(await subscription.read(0, 10)) == 1
        reading = asyncio.create_task(subscription.read(0, 10))
        waiting = asyncio.create_task(subscription.next_event())
        await asyncio.sleep(0)
        await server.kill()
        with pytest.raises(TemporaryError, match=server.address):
            await waiting
        assert not await reading
        with pytest.raises(TemporaryError, match=server.address):
            await subscription.next_event()
        with pytest.raises(TemporaryError, match=server.address):
            await subscription.ack({0: 0})
        with pytest.raises(TemporaryError, match=server.address):
            await remote.publish("numbers", ONE)
        await subscription.close()

        await launch(*protocols, port=server.port)
        while True:
            try:
                subscription = await remote.subscribe("numbers", READERS, Edge.EARLIEST)
            except TemporaryError:
                continue
            break
        await remote.publish("numbers", ONE)
        await subscription.next_event()
        assert len(await subscription.read(0, 10)) == 1
        await subscription.close()


@remotes
async def test_a_publish_that_was_cut_off_is_to_be_repeated(
    protocols: tuple[str, ...], launch: "Launch"
) -> None:
    server = await launch(*protocols)
    async with asyncio.timeout(PATIENCE), RemotePubSub(server.address) as remote:
        await remote.publish("numbers", ONE)
        server.pause()
        publishing = asyncio.create_task(remote.publish("numbers", ONE * 3))
        await asyncio.sleep(0)
        await server.kill()
        with pytest.raises(TemporaryError, match=server.address):
            await publishing


async def test_a_server_that_hangs_is_noticed_by_a_subscription(launch: "Launch") -> None:
    server = await launch("batch", "riff")
    async with asyncio.timeout(PATIENCE), RemotePubSub(server.address, heartbeat=0.2) as remote:
        subscription = await remote.subscribe("numbers", READERS, Edge.EARLIEST)
        await subscription.next_event()
        server.pause()
        with pytest.raises(TemporaryError, match=rf"{server.address} has not answered for 0\.2 s"):
            await subscription.next_event()
        await subscription.close()
        server.resume()


async def test_a_server_that_is_quiet_and_well_stays_subscribed(launch: "Launch") -> None:
    server = await launch("batch", "riff")
    async with asyncio.timeout(PATIENCE), RemotePubSub(server.address, heartbeat=0.05) as remote:
        subscription = await remote.subscribe("numbers", READERS, Edge.EARLIEST)
        await subscription.next_event()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):  # ten heartbeats
                await subscription.next_event()
        await remote.publish("numbers", ONE)
        assert len(await subscription.read(0, 10)) == 1
        await subscription.close()


@pytest.mark.parametrize("batch", [True, False], ids=["batch", "riff"])
async def test_a_connection_that_is_closed_ends_its_subscriptions(
    serve: "Serve", batch: bool
) -> None:
    async with asyncio.timeout(PATIENCE):
        async with RemotePubSub((await serve(batch=batch, riff=True)).address) as remote:
            subscription = await remote.subscribe("numbers", READERS, Edge.EARLIEST)
            await subscription.next_event()
            reading = asyncio.create_task(subscription.read(0, 10))
            await asyncio.sleep(0)
        assert not await reading
        with pytest.raises(TemporaryError):
            await subscription.next_event()
        await subscription.close()


@pytest.mark.parametrize("batch", [True, False], ids=["batch", "riff"])
async def test_a_message_of_another_content_type_is_refused_and_the_others_stored(
    serve: "Serve", catalog: StreamCatalog, batch: bool
) -> None:
    catalog.declare("numbers", "application/json")
    messages = [
        Message(b"1", content_type="application/json"),
        Message(b"2", content_type="text/plain"),
        Message(b"3"),
        Message(b"4", content_type="application/json"),
    ]
    async with RemotePubSub((await serve(batch=batch, riff=True)).address) as remote:
        first, second, third, last = await remote.publish("numbers", messages)
    assert (first, last) == (Position(0, 0), Position(0, 1))
    assert isinstance(second, PermanentError)
    assert str(second) == "expected application/json got text/plain"
    assert isinstance(third, PermanentError)
    assert str(third) == "expected application/json got no content type"


async def test_what_a_gateway_says_of_a_message_comes_through(serve: "Serve") -> None:
    messages = [Message(b"1"), Message(b"never"), Message(b"later"), Message(b"2")]
    async with RemotePubSub((await serve(batch=True, riff=True)).address) as remote:
        first, never, later, last = await remote.publish("numbers", messages)
    assert (first, last) == (Position(0, 0), Position(0, 1))
    assert isinstance(never, PermanentError)
    assert str(never) == "not this one"
    assert isinstance(later, TemporaryError)
    assert str(later) == "not now"


async def test_over_riffs_protocol_nothing_overtakes_a_message_that_failed_for_now(
    serve: "Serve", gateway: InMemoryGateway
) -> None:
    messages = [Message(b"1"), Message(b"never"), Message(b"later"), Message(b"2")]
    async with RemotePubSub((await serve(batch=False, riff=True)).address) as remote:
        first, never, later, last = await remote.publish("numbers", messages)
        assert first == Position(0, 0)
        assert isinstance(never, PermanentError)
        assert isinstance(later, TemporaryError)
        assert isinstance(last, TemporaryError)
        assert await gateway.end_positions("numbers") == {0: 0}
        with pytest.raises(TemporaryError, match="not now"):
            await remote.publish("numbers", [Message(b"later"), Message(b"2")])


async def test_a_large_batch_goes_in_several_requests_and_none_after_one_that_failed_for_now(
    serve: "Serve", gateway: InMemoryGateway
) -> None:
    large = [Message(b"%d" % number * 1_000_000) for number in range(10)]
    async with RemotePubSub((await serve(batch=True, riff=True)).address) as remote:
        results = await remote.publish("numbers", large)
        assert results == [Position(0, offset) for offset in range(10)]
        results = await remote.publish("numbers", [large[0], Message(b"later"), *large[1:]])
        stored = await gateway.end_positions("numbers")
    assert results[0] == Position(0, 10)
    assert isinstance(results[1], TemporaryError)
    untried = [str(one) for one in results if isinstance(one, TemporaryError)]
    assert untried[-1] == "not tried after: not now"
    assert stored[0] < 15


@pytest.mark.parametrize("batch", [True, False], ids=["batch", "riff"])
async def test_a_message_that_is_too_large_is_refused_in_its_place(
    serve: "Serve", batch: bool
) -> None:
    too_large = Message(bytes(MAX_MESSAGE_BYTES))
    async with RemotePubSub((await serve(batch=batch, riff=True)).address) as remote:
        first, refused, last = await remote.publish("numbers", [*ONE, too_large, *ONE])
    assert isinstance(refused, PermanentError)
    assert str(MAX_MESSAGE_BYTES) in str(refused)
    assert (first, last) == (Position(0, 0), Position(0, 1))


@pytest.mark.parametrize("batch", [True, False], ids=["batch", "riff"])
async def test_text_that_is_not_unicode_is_refused(serve: "Serve", batch: bool) -> None:
    async with RemotePubSub((await serve(batch=batch, riff=True)).address) as remote:
        try:
            [refused] = await remote.publish("numbers", [Message(b"", id="\udcff")])
        except PermanentError as error:  # a batch is refused as a whole
            refused = error
    assert isinstance(refused, PermanentError)
    assert "not Unicode" in str(refused)


@pytest.mark.parametrize("batch", [True, False], ids=["batch", "riff"])
async def test_an_ack_that_was_not_stored_is_to_be_repeated(serve: "Serve", batch: bool) -> None:
    async with RemotePubSub((await serve(batch=batch, riff=True)).address) as remote:
        with pytest.raises(TemporaryError, match="not now"):
            await remote.ack("numbers", READERS, {0: 1})
