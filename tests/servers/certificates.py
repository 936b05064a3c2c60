"""Certificates for servers and clients of the tests, signed by an authority of their own."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

SERVER_NAMES = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Certificate:
    """PEM files of one certificate.

    Attributes:
        chain: The certificate, and what leads to its authority.
        key: Its private key, not encrypted.
        both: The two in one file.
    """

    chain: Path
    key: Path
    both: Path


class Certificates:
    """An authority and what it has signed, as files of a folder.

    Attributes:
        authority: The PEM file of the authority's certificate, which clients and servers trust.
        another_authority: That of one who has signed nothing here.
        server: Good for `localhost` and 127.0.0.1.
        wrong_host: A server's, good for another host alone.
        expired: A server's, good until yesterday.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.authority = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.authority))
        self.another_authority = folder / "another-authority.pem"
        trustme.CA().cert_pem.write_to_path(str(self.another_authority))
        self.server = self._write("server", self._authority.issue_cert(*SERVER_NAMES))
        self.wrong_host = self._write("wrong-host", self._authority.issue_cert("kafka.example.com"))
        yesterday = datetime.now(UTC) - timedelta(days=1)
        self.expired = self._write(
            "expired", self._authority.issue_cert(*SERVER_NAMES, not_after=yesterday)
        )

    def client(self, name: str) -> Certificate:
        """A client's certificate, with this common name."""
        issued = self._authority.issue_cert(f"{name}@example.com", common_name=name)
        return self._write(f"client-{name}", issued)

    def _write(self, name: str, issued: trustme.LeafCert) -> Certificate:
        # Java reads private keys as PKCS #8, and in no other form.
        key = load_pem_private_key(issued.private_key_pem.bytes(), password=None).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
        files = Certificate(
            *(self._folder / f"{name}.{part}.pem" for part in ("chain", "key", "both"))
        )
        files.chain.write_bytes(chain)
        files.key.write_bytes(key)
        files.both.write_bytes(key + chain)
        return files
