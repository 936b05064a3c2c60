"""Certificates of a server, renewed while it serves, and those that cannot be used."""

import asyncio
import ssl
from pathlib import Path

import pytest

from core.tests.server.access.conftest import put
from penstock.plugin import Message, NotReady, Position, UsageError
from penstock.server import GatewayServer
from penstock.server.certificate import Certificate
from penstock.wire.credentials import Credentials
from penstock.wire.remote import RemotePubSub
from penstock_inmemory import InMemoryGateway
from tests.servers.certificates import Certificates


async def can_publish(server: GatewayServer, authority: Path) -> bool:
    async with RemotePubSub(server.address, credentials=Credentials(authority)) as client:
        try:
            [result] = await client.publish("a_b", [Message(b"1")])
        except NotReady:
            return False
    return isinstance(result, Position)


async def can_provision(server: GatewayServer, authority: Path) -> bool:
    """Whether the provisioner proves who it is to somebody who names no host, just an address."""
    trust = ssl.create_default_context(cafile=str(authority))
    assert server.provisioner_port
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", server.provisioner_port, ssl=trust)
    except ssl.SSLCertVerificationError:
        return False
    writer.close()
    return True


async def test_a_renewed_certificate_is_used_from_then_on(
    tls_folder: Path, certificates: Certificates, tmp_path: Path
) -> None:
    (tmp_path / "others").mkdir()
    others = Certificates(tmp_path / "others")
    async with GatewayServer(
        InMemoryGateway(), port=0, provisioner_port=0, certificate=Certificate(tls_folder)
    ) as server:
        for can in (can_publish, can_provision):
            assert await can(server, certificates.authority)
            assert not await can(server, others.authority)
        put(tls_folder, others.server)
        for can in (can_publish, can_provision):
            assert await can(server, others.authority)
            assert not await can(server, certificates.authority)
        # Half of a pair, or none: the one before is used.
        (tls_folder / "tls.key").write_bytes(certificates.server.key.read_bytes())
        for can in (can_publish, can_provision):
            assert await can(server, others.authority)
        (tls_folder / "tls.key").unlink()
        for can in (can_publish, can_provision):
            assert await can(server, others.authority)
        await server.stop(grace=0.1)


@pytest.mark.parametrize("broken", ["tls.crt", "tls.key"])
def test_a_file_that_is_not_there_is_named(tls_folder: Path, broken: str) -> None:
    (tls_folder / broken).unlink()
    with pytest.raises(UsageError, match=rf"{broken} cannot be read .*kubernetes.io/tls"):
        Certificate(tls_folder)


def test_files_that_are_none_are_refused(tls_folder: Path) -> None:
    (tls_folder / "tls.key").write_text("no key")
    with pytest.raises(UsageError, match=r"must be PEM, and of one pair"):
        Certificate(tls_folder)


def test_credentials_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ca\.crt cannot be read"):
        Credentials(tmp_path / "ca.crt").for_grpc()
    with pytest.raises(UsageError, match="token cannot be read"):
        Credentials(None, tmp_path / "token").for_grpc()
