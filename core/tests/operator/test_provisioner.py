from collections.abc import AsyncIterator, Sequence

import pytest

from penstock.operator.edge.provisioner import ProvisionerClient
from penstock.operator.provisioning import ProvisionRequest
from penstock.plugin import Address, NotReady, PermanentError, StreamName, TemporaryError
from penstock.server import GatewayServer
from penstock.server.access.access import Access
from penstock.server.access.caller import Caller
from penstock_inmemory import penstock_gateway_factory
from penstock_inmemory.spec import InMemoryGatewaySpec


def asking(url: str, body: str = "{}") -> ProvisionRequest:
    return ProvisionRequest("franz", url, body, "now")


@pytest.fixture
async def server() -> AsyncIterator[GatewayServer]:
    gateway = penstock_gateway_factory()(InMemoryGatewaySpec())
    async with GatewayServer(gateway, port=0, provisioner_port=0) as server:
        yield server


@pytest.fixture
async def client() -> AsyncIterator[ProvisionerClient]:
    async with ProvisionerClient() as client:
        yield client


async def test_a_gateway_makes_a_stream(server: GatewayServer, client: ProvisionerClient) -> None:
    url = f"http://127.0.0.1:{server.provisioner_port}/shop/orders"
    answer = await client.provision(asking(url, '{"contentType": "text/plain"}'))
    assert isinstance(answer, Address)
    assert answer == await client.provision(asking(url))
    assert answer.gateway == server.address


async def test_a_refusal_is_in_the_gateways_words(
    server: GatewayServer, client: ProvisionerClient
) -> None:
    url = f"http://127.0.0.1:{server.provisioner_port}/shop/Orders"
    answer = await client.provision(asking(url))
    assert isinstance(answer, PermanentError)
    assert "is not a DNS-1123 label" in str(answer)


async def test_a_gateway_removes_a_stream(server: GatewayServer, client: ProvisionerClient) -> None:
    base = f"http://127.0.0.1:{server.provisioner_port}"
    await client.provision(asking(f"{base}/shop/orders"))
    assert await client.deprovision(asking(f"{base}/shop/orders", "")) is None
    refusal = await client.deprovision(asking(f"{base}/shop/Orders", ""))
    assert isinstance(refusal, PermanentError)
    assert "is not a DNS-1123 label" in str(refusal)
    metrics = await client.deprovision(asking(f"{base}/metrics", ""))
    assert isinstance(metrics, PermanentError), (
        "a gateway that does not know DELETE is not asked on"
    )
    away = await client.deprovision(asking("http://127.0.0.1:1/shop/orders", ""))
    assert isinstance(away, NotReady)


class Nobody:
    """Knows no token."""

    async def authenticate(self, token: str, audiences: Sequence[str]) -> None:
        del token, audiences

    async def is_allowed(self, caller: Caller, verb: str, stream: StreamName) -> bool:
        raise AssertionError(f"{caller.name} is asked about to {verb} {stream}")


async def test_who_is_not_let_in_tries_again(client: ProvisionerClient) -> None:
    gateway = penstock_gateway_factory()(InMemoryGatewaySpec())
    async with GatewayServer(
        gateway, port=0, provisioner_port=0, access=Access(Nobody())
    ) as guarded:
        url = f"http://127.0.0.1:{guarded.provisioner_port}/shop/orders"
        answer = await client.provision(asking(url))
    assert isinstance(answer, TemporaryError)
    assert "this gateway asks its callers who they are" in str(answer)


async def test_nobody_there_is_worth_another_try(client: ProvisionerClient) -> None:
    answer = await client.provision(asking("http://127.0.0.1:1/shop/orders"))
    assert isinstance(answer, NotReady)
    assert 'gateway "franz" does not answer' in str(answer)


async def test_an_answer_of_something_else_is_refused(
    server: GatewayServer, client: ProvisionerClient
) -> None:
    metrics = f"http://127.0.0.1:{server.provisioner_port}/metrics"
    answer = await client.provision(asking(metrics))
    assert isinstance(answer, PermanentError)
