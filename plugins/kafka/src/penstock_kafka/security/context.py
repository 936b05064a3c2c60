"""Contexts of TLS, made of files and made anew when those change."""

import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from penstock.plugin import NotReady, SecretSource
from penstock_kafka.security.auth import CertificateAuth
from penstock_kafka.security.secret import of_field

_LOG = logging.getLogger(__name__)
_TO_PEM = "a .p12 or .jks has to be converted to PEM"


class FollowingContext(ssl.SSLContext):
    """A context for clients that follows its files: what they hold counts for new connections.

    While the files cannot be used, connections are made with what they held before.

    Args:
        make: Makes a context of what the files hold now.
        files: What it is made of, by the field of the spec.

    Raises:
        NotReady: The files cannot be used.
    """

    def __new__(cls, *_: object) -> Self:
        """Give the base class what it wants."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(
        self, make: Callable[[], ssl.SSLContext], files: Mapping[str, SecretSource]
    ) -> None:
        self._make = make
        self._files = files
        self._held = self._read()
        self._current = make()

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Begin a connection; asyncio calls this for each."""
        self._follow()
        return self._current.wrap_bio(*arguments, **options)

    def _follow(self) -> None:
        try:
            held = self._read()
            if held != self._held:
                self._current = self._make()
                self._held = held
        except NotReady as error:
            # Raised from here, it would end aiokafka's tasks, and with them the client.
            _LOG.warning("new connections use the certificates and keys of before: %s", error)

    def _read(self) -> tuple[bytes, ...]:
        contents = []
        for field, file in self._files.items():
            with of_field(field):
                contents.append(file.read())
        return tuple(contents)


def following_context(
    trusted: Sequence[SecretSource], shown: CertificateAuth | None
) -> FollowingContext:
    """A context for connections to brokers, which follows the files of the spec.

    Args:
        trusted: Whom to trust; the system's authorities, if nobody.
        shown: The client's own certificate.

    Raises:
        NotReady: A file is not there, or does not hold what it should.
    """
    field = "tls.trustedCertificates"
    files = {f"{field}[{index}]": source for index, source in enumerate(trusted)}
    if shown is not None:
        files |= {"auth.certificate": shown.certificate, "auth.key": shown.key}
        if shown.key_password_secret is not None:
            files["auth.keyPasswordSecret"] = shown.key_password_secret
    return FollowingContext(lambda: client_context(field, trusted, shown), files)


def client_context(
    field: str, trusted: Sequence[SecretSource], shown: CertificateAuth | None = None
) -> ssl.SSLContext:
    """A context that checks the server's certificate and host name, of what files hold now.

    Args:
        field: The field of the spec that has the trusted certificates, for messages.
        trusted: Whom to trust; the system's authorities, if nobody.
        shown: The client's own certificate.

    Raises:
        NotReady: A file is not there, or does not hold what it should.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not trusted:
        context.load_default_certs()
    for index, certificate in enumerate(trusted):
        with of_field(f"{field}[{index}]"):
            _trust(context, certificate)
    if shown is not None:
        _show(context, shown)
    return context


def _trust(context: ssl.SSLContext, certificate: SecretSource) -> None:
    certificate.read()
    try:
        context.load_verify_locations(cafile=certificate.path)
    except ssl.SSLError as error:
        raise NotReady(f"the file {certificate.path} holds no certificate; {_TO_PEM}") from error


def _show(context: ssl.SSLContext, auth: CertificateAuth) -> None:
    certificate, key = auth.certificate.path, auth.key.path

    def password() -> str:
        # Without this, OpenSSL would ask for it on the terminal.
        if auth.key_password_secret is None:
            raise NotReady(
                f"auth.key: the file {key} is encrypted: its password belongs in keyPasswordSecret"
            )
        with of_field("auth.keyPasswordSecret"):
            return auth.key_password_secret.text()

    try:
        context.load_cert_chain(certificate, key, password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise NotReady(
                f"auth.key: the file {key} is not the key of the certificate in {certificate}"
            ) from error
        also = ", or keyPasswordSecret is not its password" if auth.key_password_secret else ""
        raise NotReady(
            f"auth: the files {certificate} and {key} are not a certificate and its private "
            f"key{also}; {_TO_PEM}"
        ) from error
