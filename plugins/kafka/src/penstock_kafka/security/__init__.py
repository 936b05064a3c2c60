"""Who the brokers are, and who the gateway is to them: TLS and the ways to log in."""

from penstock_kafka.security.auth import Auth, CertificateAuth, OAuth, PasswordAuth
from penstock_kafka.security.security import Security
from penstock_kafka.security.tls import Tls

__all__ = ["Auth", "CertificateAuth", "OAuth", "PasswordAuth", "Security", "Tls"]
