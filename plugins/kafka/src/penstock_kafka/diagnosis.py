"""Why a broker does not answer: what was raised says it, or else a second look."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka.errors import (
    IllegalSaslStateError,
    IncompatibleBrokerVersion,
    KafkaConnectionError,
    KafkaError,
    KafkaProtocolError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.admin import SaslHandShakeRequest

from penstock_kafka.broker_address import BrokerAddress
from penstock_kafka.connection import FAILURES, connected
from penstock_kafka.faults import (
    ENDED,
    NO_TLS,
    NOT_KAFKA,
    NOT_TRUSTED,
    REFUSES_CERTIFICATE,
    SPEAKS_TLS,
    WANTS_CERTIFICATE,
    fault,
)
from penstock_kafka.security.token import TokenUnavailable

SECOND_LOOK_SECONDS = 3.0

_ADVICE: Mapping[str, str] = {
    NO_TLS: "leave out tls, or use another port",
    SPEAKS_TLS: "set tls, if only to {}",
    NOT_TRUSTED: "put its authority into tls.trustedCertificates",
    WANTS_CERTIFICATE: "set auth, of type tls",
    REFUSES_CERTIFICATE: "see auth.certificate",
}


async def diagnosis(
    error: BaseException, address: BrokerAddress, settings: Mapping[str, Any]
) -> str:
    """What was wrong, as a part of a sentence about the broker, `it`.

    Args:
        error: One of `FAILURES`.
        address: The broker.
        settings: With which it was tried.
    """
    is_closed = isinstance(error, KafkaConnectionError)
    cause = error.__cause__ if is_closed and error.__cause__ else error
    if isinstance(cause, IncompatibleBrokerVersion | NotImplementedError):
        return f"its version does not go with this client: {cause.args[0]}"
    if isinstance(cause, KafkaError):
        return await _of_kafka(cause, address, settings)
    words = fault(cause)
    if words == ENDED:
        return await _of_end(address, settings, began=is_closed)
    return f"{words}: {_ADVICE[words]}" if words in _ADVICE else words


async def _of_kafka(error: KafkaError, address: BrokerAddress, settings: Mapping[str, Any]) -> str:
    said = error.args[0] if error.args and isinstance(error.args[0], str) else ""
    mechanism = settings.get("sasl_mechanism")
    match error:
        case TokenUnavailable():
            return said
        case SaslAuthenticationFailed():
            user = settings.get("sasl_plain_username")
            who = "auth.username and auth.passwordSecret"
            return f'the login as "{user}" by {mechanism} failed ({said}): see {who}'
        case UnsupportedSaslMechanismError():
            offered = await _mechanisms(address, settings)
            instead = f", but {', '.join(offered)}" if offered else ""
            return f"it does not offer {mechanism}{instead}: see auth.type"
        case IllegalSaslStateError():
            return "it asks for no login: leave out auth, or use another port"
        case KafkaProtocolError():
            return NOT_KAFKA
    return f"{type(error).__name__}{f': {said}' if said else ''}"


async def _of_end(address: BrokerAddress, settings: Mapping[str, Any], *, began: bool) -> str:
    """Why a connection was ended without a word."""
    if "ssl_context" in settings and not began:
        # A server without TLS takes the beginning of TLS for a message of absurd length.
        if await _speaks_plain_text(address, settings):
            return f"{NO_TLS}: {_ADVICE[NO_TLS]}"
    elif "sasl_mechanism" not in settings and (offered := await _mechanisms(address, settings)):
        return f"it asks for a login ({', '.join(offered)}): set auth"
    return ENDED


async def _speaks_plain_text(address: BrokerAddress, settings: Mapping[str, Any]) -> bool:
    plain = {**_without_login(settings), "security_protocol": "PLAINTEXT"}
    with suppress(*FAILURES):
        async with asyncio.timeout(SECOND_LOOK_SECONDS), connected(address, plain):
            return True
    return False


async def _mechanisms(address: BrokerAddress, settings: Mapping[str, Any]) -> Sequence[str]:
    """By which mechanisms a broker lets clients log in; none, if it asks for no login."""
    with suppress(*FAILURES):
        async with (
            asyncio.timeout(SECOND_LOOK_SECONDS),
            connected(address, _without_login(settings)) as connection,
        ):
            # There is none of this name: the broker answers with those that there are.
            answer = await connection.send(SaslHandShakeRequest("?"))
            return sorted(answer.enabled_mechanisms)
    return ()


def _without_login(settings: Mapping[str, Any]) -> dict[str, Any]:
    protocol = settings["security_protocol"].removeprefix("SASL_")
    kept = {name: value for name, value in settings.items() if not name.startswith("sasl_")}
    return {**kept, "security_protocol": protocol}
