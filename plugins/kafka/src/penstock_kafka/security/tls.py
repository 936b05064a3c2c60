"""Encryption, and whom to believe: the field `tls` of the spec."""

from pydantic import Field

from penstock.plugin import SecretSource
from penstock_kafka.model import Model

MAX_CERTIFICATES = 32


class Tls(Model):
    """Encrypt all connections.

    A broker has to show a certificate that is good for the host name by which it is reached.
    """

    trusted_certificates: tuple[SecretSource, ...] = Field(
        default=(),
        max_length=MAX_CERTIFICATES,
        description="Certificates, as PEM, of the authorities that may vouch for brokers; those "
        "that the system trusts, when there are none here.",
    )
