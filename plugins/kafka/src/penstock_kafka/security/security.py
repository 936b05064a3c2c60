"""What every client is given of `tls` and `auth`."""

import logging
from typing import Any

from penstock_kafka.security.auth import Auth, CertificateAuth, OAuth, PasswordAuth
from penstock_kafka.security.context import FollowingContext, following_context
from penstock_kafka.security.secret import of_field
from penstock_kafka.security.tls import Tls
from penstock_kafka.security.token import TokenProvider

_LOG = logging.getLogger(__name__)


class Security:
    """Makes settings of aiokafka of the files that hold the secrets.

    Certificates, keys and tokens are those of the moment in which a connection is made; a password
    is that of the moment in which a client is made, as aiokafka keeps it.

    Args:
        tls: Whom to trust; ``None`` is no encryption.
        auth: How to log in; ``None`` is not at all.
    """

    def __init__(self, tls: Tls | None, auth: Auth | None) -> None:
        self._tls = tls
        self._auth = auth
        self._context: FollowingContext | None = None
        self._tokens = TokenProvider(auth) if isinstance(auth, OAuth) else None
        if tls is None and auth is not None and auth.type in ("plain", "oauth"):
            _LOG.warning(
                "auth: what type %s logs in with travels in the clear without tls", auth.type
            )

    def settings(self) -> dict[str, Any]:
        """Settings for a client; they hold secrets, so they are for no log.

        Raises:
            NotReady: A secret is not there as yet, or is not what it should be; the text names the
                field.
        """
        protocol = "PLAINTEXT" if self._tls is None else "SSL"
        settings: dict[str, Any] = {"security_protocol": protocol}
        if self._tls is not None:
            settings["ssl_context"] = self._tls_context(self._tls)
        if login := self._login():
            settings |= login | {"security_protocol": f"SASL_{protocol}"}
        return settings

    def _tls_context(self, tls: Tls) -> FollowingContext:
        if self._context is None:
            shown = self._auth if isinstance(self._auth, CertificateAuth) else None
            self._context = following_context(tls.trusted_certificates, shown)
        return self._context

    def _login(self) -> dict[str, Any]:
        match self._auth:
            case PasswordAuth() as auth:
                with of_field("auth.passwordSecret"):
                    password = auth.password_secret.text()
                return {
                    "sasl_mechanism": auth.mechanism,
                    "sasl_plain_username": auth.username,
                    "sasl_plain_password": password,
                }
            case OAuth():
                return {
                    "sasl_mechanism": "OAUTHBEARER",
                    "sasl_oauth_token_provider": self._tokens,
                }
            case _:
                return {}
