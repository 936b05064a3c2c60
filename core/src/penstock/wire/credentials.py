"""What a client shows a gateway that asks, and what it asks of the gateway."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

from penstock.plugin import UsageError

_NO_TOKEN: Final = ()


@dataclass(frozen=True, slots=True)
class Credentials:
    """For an encrypted connection. A token is never sent over one that is not.

    Attributes:
        authority: A PEM file with the certificates of those who may have signed the gateway's;
            ``None``: those that this machine trusts.
        token: A file with a bearer token; it is read anew for each call, because it is replaced
            while it is in use.
    """

    authority: Path | None = None
    token: Path | None = None

    def for_grpc(self) -> grpc.ChannelCredentials:
        """For a channel.

        Raises:
            UsageError: A file cannot be read.
        """
        trusted = _read(self.authority) if self.authority else None
        channel = grpc.ssl_channel_credentials(trusted)
        if self.token is None:
            return channel
        _read(self.token)
        sent = grpc.metadata_call_credentials(_Token(self.token))
        return grpc.composite_channel_credentials(channel, sent)


class _Token(grpc.AuthMetadataPlugin):
    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(
        self,
        context: grpc.AuthMetadataContext,  # noqa: ARG002 - gRPC's signature
        callback: grpc.AuthMetadataPluginCallback,
    ) -> None:
        try:
            token = self._file.read_text().strip()
        except OSError as error:
            callback(_NO_TOKEN, error)
        else:
            callback((("authorization", f"Bearer {token}"),), None)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
