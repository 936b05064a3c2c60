"""A server's certificate, from files that are replaced while it serves."""

import logging
import ssl
from pathlib import Path
from typing import Final, NamedTuple

import grpc

from penstock.plugin import UsageError

CHAIN: Final = "tls.crt"
KEY: Final = "tls.key"

_LOG = logging.getLogger(__name__)


class _Pair(NamedTuple):
    key: bytes
    chain: bytes


class Certificate:
    """What a Secret of type `kubernetes.io/tls` holds, mounted as a folder.

    The files are looked at with each connection: a certificate that was renewed is used from then
    on, and one that cannot be read leaves the one before in use.

    Args:
        folder: Where `tls.crt` and `tls.key` are, as PEM.

    Raises:
        UsageError: One of them cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pair = self._read()
        try:
            self._context = self._load()
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"the certificate in {folder} cannot be used: {CHAIN} and {KEY} must be PEM, and "
                f"of one pair ({error})"
            ) from error

    def for_grpc(self) -> grpc.ServerCredentials:
        """For a gRPC server."""

        def current() -> grpc.ServerCertificateConfiguration:
            self._renew()
            return _configuration(self._pair)

        return grpc.dynamic_ssl_server_credentials(_configuration(self._pair), current)

    def for_http(self) -> ssl.SSLContext:
        """For an HTTP server."""
        context = self._load()

        def choose(connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
            self._renew()
            connection.context = self._context

        context.sni_callback = choose
        return context

    def _renew(self) -> None:
        try:
            found = self._read()
            if found != self._pair:
                context = self._load()
                self._pair, self._context = found, context
                _LOG.info("the certificate in %s was renewed", self._folder)
        # Two files are not replaced at once: what does not fit now may fit with the next look.
        except (UsageError, OSError, ssl.SSLError) as error:
            _LOG.warning("the certificate in %s cannot be renewed: %s", self._folder, error)

    def _read(self) -> _Pair:
        try:
            return _Pair((self._folder / KEY).read_bytes(), (self._folder / CHAIN).read_bytes())
        except OSError as error:
            raise UsageError(
                f"{error.filename} cannot be read ({error.strerror}): a folder with {CHAIN} and "
                f"{KEY} is expected, as a Secret of type kubernetes.io/tls is mounted"
            ) from error

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._folder / CHAIN, self._folder / KEY)
        return context


def _configuration(pair: _Pair) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([pair])
