"""Contexts of TLS: what they are made of, and that they follow it."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from penstock.plugin import NotReady, SecretSource
from penstock_kafka.security import CertificateAuth
from penstock_kafka.security.context import client_context, following_context

PASSWORD = "keep-this-key"
Write = Callable[[str, bytes], SecretSource]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(name: str, content: bytes) -> SecretSource:
        (tmp_path / name).write_bytes(content)
        return SecretSource(file=str(tmp_path / name))

    return to_file


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def shown(authority: trustme.CA, write: Write) -> Callable[..., CertificateAuth]:
    """Makes what a client shows, its key encrypted or not."""

    def make(password: str = "", **fields: Any) -> CertificateAuth:
        issued = authority.issue_cert("alice@example.com")
        key = issued.private_key_pem.bytes()
        if password:
            encryption = BestAvailableEncryption(password.encode())
            key = load_pem_private_key(key, None).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, encryption
            )
        certificate = write("crt.pem", issued.cert_chain_pems[0].bytes())
        return CertificateAuth(
            type="tls", certificate=certificate, key=write("key.pem", key), **fields
        )

    return make


def why_not(**arguments: Any) -> str:
    """Why there is no context."""
    with pytest.raises(NotReady) as refusal:
        client_context("tls.trustedCertificates", **arguments)
    text = str(refusal.value)
    assert PASSWORD not in text
    return text


def test_certificates_and_host_names_are_checked() -> None:
    context = client_context("tls.trustedCertificates", [])
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_who_is_named_is_trusted_and_nobody_else(authority: trustme.CA, write: Write) -> None:
    files = [write("a.pem", authority.cert_pem.bytes()), write("b", trustme.CA().cert_pem.bytes())]
    assert len(client_context("tls.trustedCertificates", files).get_ca_certs()) == 2


def test_one_file_may_hold_several(authority: trustme.CA, write: Write) -> None:
    both = authority.cert_pem.bytes() + b"# another\n" + trustme.CA().cert_pem.bytes()
    context = client_context("tls.trustedCertificates", [write("both.pem", both)])
    assert len(context.get_ca_certs()) == 2


def test_a_key_may_have_a_password(shown: Callable[..., CertificateAuth], write: Write) -> None:
    client_context("", [], shown())
    password = write("password", f"{PASSWORD}\n".encode())
    client_context("", [], shown(PASSWORD, key_password_secret=password))


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nMII\n"])
def test_a_file_without_a_certificate_is_named(
    content: bytes, authority: trustme.CA, write: Write
) -> None:
    good, bad = write("good.pem", authority.cert_pem.bytes()), write("bad.pem", content)
    assert why_not(trusted=[good, bad]) == (
        f"tls.trustedCertificates[1]: the file {bad.file} holds no certificate; "
        "a .p12 or .jks has to be converted to PEM"
    )


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = SecretSource(file=str(tmp_path / "ca.pem"))
    start = f"tls.trustedCertificates[0]: there is no file {missing.file}, as yet"
    assert why_not(trusted=[missing]).startswith(start)


def test_a_key_with_a_password_that_is_not_given(shown: Callable[..., CertificateAuth]) -> None:
    auth = shown(PASSWORD)
    assert why_not(trusted=[], shown=auth) == (
        f"auth.key: the file {auth.key.file} is encrypted: its password belongs in "
        "keyPasswordSecret"
    )


def test_a_key_with_another_password(shown: Callable[..., CertificateAuth], write: Write) -> None:
    auth = shown(PASSWORD, key_password_secret=write("password", b"another"))
    assert why_not(trusted=[], shown=auth) == (
        f"auth: the files {auth.certificate.file} and {auth.key.file} are not a certificate and "
        "its private key, or keyPasswordSecret is not its password; a .p12 or .jks has to be "
        "converted to PEM"
    )


def test_the_key_of_another_certificate(
    authority: trustme.CA, shown: Callable[..., CertificateAuth], write: Write
) -> None:
    auth = shown()
    write("key.pem", authority.issue_cert("bob@example.com").private_key_pem.bytes())
    assert why_not(trusted=[], shown=auth) == (
        f"auth.key: the file {auth.key.file} is not the key of the certificate in "
        f"{auth.certificate.file}"
    )


def connect(client: ssl.SSLContext, authority: trustme.CA) -> None:
    """Shake hands with a server of an authority, in memory.

    Raises:
        ssl.SSLCertVerificationError: The client does not trust it.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
        context.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(3):
        for side in list(sides):
            try:
                side.do_handshake()
                sides.remove(side)
            except ssl.SSLWantReadError:
                continue
    assert sides == []


def test_a_context_follows_its_files(authority: trustme.CA, write: Write) -> None:
    another = trustme.CA()
    context = following_context([write("ca.pem", authority.cert_pem.bytes())], None)
    connect(context, authority)
    write("ca.pem", another.cert_pem.bytes())
    connect(context, another)
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(context, authority)


@pytest.mark.parametrize("content", [b"half a certif", None])
def test_a_context_stays_as_it_was_while_its_files_are_no_good(
    content: bytes | None, authority: trustme.CA, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    source = write("ca.pem", authority.cert_pem.bytes())
    context = following_context([source], None)
    if content is None:
        source.path.unlink()
    else:
        write("ca.pem", content)
    connect(context, authority)
    assert "new connections use the certificates and keys of before" in caplog.text
    assert "tls.trustedCertificates[0]: " in caplog.text


def test_a_context_is_not_made_while_its_files_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match=r"tls.trustedCertificates\[0\]: there is no file"):
        following_context([SecretSource(file=str(tmp_path / "ca.pem"))], None)
