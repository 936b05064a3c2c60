"""Which protocol is spoken: penstock's where it is there, riff's where it is not."""

from typing import TYPE_CHECKING

import pytest

from penstock.plugin import Edge, Group, Message, NotReady, Position, PubSub, TemporaryError
from penstock.wire.remote import RemotePubSub

if TYPE_CHECKING:
    from core.tests.wire.conftest import Launch, Log, Serve

READERS = Group("readers")
ONE = [Message(b"1")]


async def test_where_both_are_served_riffs_is_not_spoken(serve: "Serve", log: "Log") -> None:
    served = await serve(batch=True, riff=True)
    async with RemotePubSub(served.address) as remote:
        await remote.publish("numbers", ONE)
        async with await remote.subscribe("numbers", READERS, Edge.LATEST) as subscription:
            await subscription.next_event()
        await remote.ack("numbers", READERS, {0: 0})
        await remote.positions("numbers", "readers")
    assert log.methods
    assert all(method.startswith("BatchGateway/") for method in log.methods)


async def test_the_answer_of_a_server_without_ours_is_remembered(
    serve: "Serve", log: "Log"
) -> None:
    served = await serve(batch=False, riff=True)
    async with RemotePubSub(served.address) as remote:
        for _ in range(3):
            await remote.publish("numbers", ONE)
        await remote.ack("numbers", READERS, {0: 0})
    assert log.methods == [
        "BatchGateway/Publish",
        *["LiiklusService/Publish"] * 3,
        "LiiklusService/Ack",
    ]


async def test_every_call_finds_riffs_protocol_for_itself(serve: "Serve") -> None:
    address = (await serve(batch=False, riff=True)).address
    async with RemotePubSub(address) as remote:
        assert await remote.publish("numbers", ONE) == [Position(0, 0)]
    async with RemotePubSub(address) as remote:
        await remote.ack("numbers", READERS, {0: 5})
    async with RemotePubSub(address) as remote:
        assert await remote.positions("numbers", "readers") == {0: {0: 5}}
    async with RemotePubSub(address) as remote:
        assert await remote.end_positions("numbers") == {0: 0}
    async with (
        RemotePubSub(address) as remote,
        await remote.subscribe("numbers", Group("others"), Edge.EARLIEST) as subscription,
    ):
        await subscription.next_event()
        assert len(await subscription.read(0, 10)) == 1


async def test_a_first_call_that_subscribes_falls_back_each_time(launch: "Launch") -> None:
    server = await launch("riff")
    for _ in range(50):
        async with (
            RemotePubSub(server.address) as remote,
            await remote.subscribe("numbers", READERS, Edge.EARLIEST) as subscription,
        ):
            await subscription.next_event()


async def test_who_speaks_neither_is_named(serve: "Serve") -> None:
    served = await serve(batch=False, riff=False)
    async with RemotePubSub(served.address) as remote:
        for call in (
            remote.publish("numbers", ONE),
            remote.subscribe("numbers", READERS, Edge.LATEST),
        ):
            with pytest.raises(NotReady, match=rf"{served.address} speaks neither"):
                await call


@pytest.mark.parametrize("newer", [True, False])
async def test_after_another_server_took_the_address_its_protocol_is_spoken(
    serve: "Serve", log: "Log", newer: bool
) -> None:
    served = await serve(batch=not newer, riff=True)
    async with RemotePubSub(served.address) as remote:
        await remote.publish("numbers", ONE)
        await served.stop()
        await serve(batch=newer, riff=True, port=served.port)
        log.methods.clear()
        await until_stored(remote)
        await remote.publish("numbers", ONE)
    service = "BatchGateway" if newer else "LiiklusService"
    assert log.methods[-1].startswith(f"{service}/Publish")


async def until_stored(remote: PubSub) -> None:
    while True:
        try:
            await remote.publish("numbers", ONE)
        except TemporaryError:
            continue
        return
