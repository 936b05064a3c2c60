"""A gateway whose ports are encrypted and whose callers need tokens and rights."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from penstock.plugin import StreamName
from penstock.server import GatewayServer
from penstock.server.access.access import Access
from penstock.server.access.caller import Caller
from penstock.server.certificate import Certificate
from penstock.wire.credentials import Credentials
from penstock.wire.remote import RemotePubSub
from penstock_inmemory import InMemoryGateway
from tests.servers.certificates import Certificate as Files
from tests.servers.certificates import Certificates


@dataclass
class Tenants:
    """Who may do what: a token is the name of a user.

    Attributes:
        rights: User, verb, namespace and name.
        now: The clock of those who remember.
    """

    rights: set[tuple[str, str, str, str]] = field(default_factory=set)
    now: float = 0.0

    async def authenticate(self, token: str, audiences: Sequence[str]) -> Caller | None:
        del audiences
        return Caller(token) if token in {one[0] for one in self.rights} else None

    async def is_allowed(self, caller: Caller, verb: str, stream: StreamName) -> bool:
        return (caller.name, verb, *stream) in self.rights


@pytest.fixture
def tenants() -> Tenants:
    return Tenants()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def put(folder: Path, files: Files) -> None:
    """Mount a certificate as Kubernetes does, or replace it."""
    folder.mkdir(exist_ok=True)
    (folder / "tls.crt").write_bytes(files.chain.read_bytes())
    (folder / "tls.key").write_bytes(files.key.read_bytes())


@pytest.fixture
def tls_folder(tmp_path: Path, certificates: Certificates) -> Path:
    put(tmp_path / "tls", certificates.server)
    return tmp_path / "tls"


@pytest.fixture
async def guarded(tenants: Tenants, tls_folder: Path) -> AsyncIterator[GatewayServer]:
    """Serves namespace `shop`."""
    async with GatewayServer(
        InMemoryGateway(),
        port=0,
        provisioner_port=0,
        certificate=Certificate(tls_folder),
        namespace="shop",
        access=Access(tenants, clock=lambda: tenants.now),
    ) as server:
        yield server
        await server.stop(grace=0.1)


Client = Callable[..., RemotePubSub]


@pytest.fixture
def client(guarded: GatewayServer, certificates: Certificates, tmp_path: Path) -> Client:
    """Makes a client with a user's token, of either protocol."""

    def make(user: str, *, batches: bool = True) -> RemotePubSub:
        token = tmp_path / f"token-{user}"
        token.write_text(user)
        credentials = Credentials(certificates.authority, token)
        return RemotePubSub(guarded.address, credentials=credentials, batches=batches)

    return make
