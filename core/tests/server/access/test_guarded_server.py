"""Tenants of a gateway, by each of its protocols: what they may do is done, all else is refused."""

import asyncio
import ssl

import aiohttp
import pytest

from core.tests.server.access.conftest import Client, Tenants
from penstock.plugin import (
    Assigned,
    Edge,
    Group,
    Message,
    NotReady,
    PermanentError,
    TemporaryError,
)
from penstock.server import GatewayServer
from penstock.wire.remote import RemotePubSub
from tests.servers.certificates import Certificates

TOPIC = "shop_orders"
GROUP = Group("readers")
PATIENCE = 20.0  # seconds for what happens at once where it is right


async def publish(gateway: RemotePubSub, topic: str = TOPIC) -> None:
    """Publish a message, and raise why it was not stored, wherever a protocol says it."""
    [result] = await gateway.publish(topic, [Message(b"1")])
    if isinstance(result, Exception):
        raise result


both_protocols = pytest.mark.parametrize("batches", [True, False], ids=["penstock", "riff"])


@both_protocols
async def test_who_may_publish_cannot_read(client: Client, tenants: Tenants, batches: bool) -> None:
    tenants.rights.add(("ann", "publish", "shop", "orders"))
    async with client("ann", batches=batches) as ann:
        await publish(ann)
        for attempt in (
            ann.subscribe(TOPIC, GROUP, Edge.EARLIEST),
            ann.ack(TOPIC, GROUP, {0: 0}),
            ann.end_positions(TOPIC),
        ):
            with pytest.raises(TemporaryError, match='ann may not subscribe stream "orders"'):
                await attempt


@both_protocols
async def test_who_may_read_cannot_publish(client: Client, tenants: Tenants, batches: bool) -> None:
    tenants.rights |= {
        ("ann", "publish", "shop", "orders"),
        ("ben", "subscribe", "shop", "orders"),
    }
    async with client("ann") as ann, client("ben", batches=batches) as ben:
        await publish(ann)
        async with asyncio.timeout(PATIENCE):
            subscription = await ben.subscribe(TOPIC, GROUP, Edge.EARLIEST)
            async with subscription:
                event = await subscription.next_event()
                assert event == Assigned(frozenset({0}))
                [record] = await subscription.read(0, 10)
                await subscription.ack({0: record.offset})
        assert record.message.payload == b"1"
        with pytest.raises(TemporaryError, match='ben may not publish stream "orders"'):
            await publish(ben)


@both_protocols
async def test_calls_at_once_are_told_apart(
    client: Client, tenants: Tenants, batches: bool
) -> None:
    tenants.rights |= {("ann", "publish", "shop", "orders"), ("eve", "publish", "shop", "other")}
    async with client("ann", batches=batches) as ann, client("eve", batches=batches) as eve:
        calls = [publish(one) for _ in range(50) for one in (ann, eve)]
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert not any(isinstance(one, BaseException) for one in results[::2])
    assert all(isinstance(one, TemporaryError) for one in results[1::2])


@both_protocols
@pytest.mark.parametrize("topic", ["bank_orders", "orders", "__consumer_offsets", "shop_", "a.b_c"])
async def test_what_is_of_another_namespace_is_out_of_reach(
    client: Client, tenants: Tenants, topic: str, batches: bool
) -> None:
    tenants.rights |= {
        ("eve", verb, "bank", "orders") for verb in ("publish", "subscribe", "provision")
    }
    async with client("eve", batches=batches) as eve:
        for attempt in (
            publish(eve, topic),
            eve.subscribe(topic, GROUP, Edge.EARLIEST),
            eve.ack(topic, GROUP, {0: 0}),
            eve.positions(topic, GROUP.name),
            eve.end_positions(topic),
        ):
            with pytest.raises(PermanentError):
                await attempt


@both_protocols
async def test_a_token_that_is_nobodys_opens_nothing(client: Client, batches: bool) -> None:
    async with client("nobody", batches=batches) as nobody:
        with pytest.raises(TemporaryError, match="the token is not good"):
            await publish(nobody)
        with pytest.raises(TemporaryError, match="the token is not good"):
            await nobody.subscribe(TOPIC, GROUP, Edge.EARLIEST)


async def test_a_subscription_ends_to_give_when_the_right_is_gone_and_loses_nothing(
    client: Client, tenants: Tenants
) -> None:
    may_read = ("ben", "subscribe", "shop", "orders")
    tenants.rights |= {("ann", "publish", "shop", "orders"), may_read, ("ben", "x", "y", "z")}
    async with client("ann") as ann, client("ben") as ben:
        subscription = await ben.subscribe(TOPIC, GROUP, Edge.EARLIEST)
        async with subscription:
            await subscription.next_event()
            tenants.rights.remove(may_read)
            tenants.now += 60
            await publish(ann)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await subscription.read(0, 10)
            tenants.rights.add(may_read)
            tenants.now += 60
            async with asyncio.timeout(PATIENCE):
                [record] = await subscription.read(0, 10)
    assert record.message.payload == b"1"


async def test_without_encryption_nobody_gets_through(guarded: GatewayServer) -> None:
    async with RemotePubSub(guarded.address) as plain:
        with pytest.raises(NotReady):
            await publish(plain)


async def test_the_provisioner_asks_as_well(
    guarded: GatewayServer, tenants: Tenants, certificates: Certificates
) -> None:
    tenants.rights |= {
        ("operator", "provision", "shop", "orders"),
        ("operator", "provision", "bank", "orders"),
        ("ann", "publish", "shop", "orders"),
    }
    trust = ssl.create_default_context(cafile=str(certificates.authority))
    base = f"https://127.0.0.1:{guarded.provisioner_port}"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as session:

        async def ask(path: str, user: str = "") -> tuple[int, str]:
            headers = {"Authorization": f"Bearer {user}"} if user else {}
            async with session.put(base + path, headers=headers) as response:
                return response.status, await response.text()

        assert (await ask("/shop/orders", "operator"))[0] == 201
        status, text = await ask("/bank/orders", "operator")
        assert (status, "serves namespace" in text) == (400, True)
        status, text = await ask("/shop/orders", "ann")
        assert (status, "ann may not provision" in text) == (403, True)
        assert (await ask("/shop/orders"))[0] == 401
        assert (await ask("/shop/orders", "nobody"))[0] == 401
        async with session.get(f"{base}/metrics") as response:
            assert response.status == 200
