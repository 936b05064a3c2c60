"""Why a connection failed, in words: what the operating system, OpenSSL and asyncio raise."""

import errno
import re
import socket
import ssl
from asyncio import IncompleteReadError
from collections.abc import Mapping

ENDED = "it ended the connection"
"""What is said where nothing better is known."""

NOT_KAFKA = "it does not speak Kafka's protocol"
NOT_TRUSTED = "nobody who is trusted vouches for its certificate"
NO_TLS = "it does not speak TLS"
SPEAKS_TLS = "it speaks TLS"
WANTS_CERTIFICATE = "it wants a certificate of the client"
REFUSES_CERTIFICATE = "it refuses the client's certificate"

_ALERT = 0x1503
"""How an alert of TLS begins."""
_LONGEST = 256 * 1024 * 1024

_CERTIFICATE: Mapping[int, str] = {
    9: "its certificate is not valid yet; is the clock right?",
    10: "its certificate, or that of its authority, has expired",
    **dict.fromkeys((18, 19, 20, 21), NOT_TRUSTED),
    **dict.fromkeys((62, 64), "its certificate is for another host: {said}"),
}
"""By the code of OpenSSL's X509_verify_cert_error_string(3)."""

_TLS: Mapping[str, str] = {
    **dict.fromkeys(("BAD_CERTIFICATE", "CERTIFICATE_REQUIRED"), WANTS_CERTIFICATE),
    **dict.fromkeys(("CERTIFICATE_", "UNKNOWN_CA"), REFUSES_CERTIFICATE),
    **dict.fromkeys(("WRONG_VERSION_NUMBER", "RECORD_LAYER", "PACKET_LENGTH"), NO_TLS),
    "PROTOCOL": "it has no version of TLS in common with us",
    "EOF": ENDED,
}
"""By a part of OpenSSL's reason; those of alerts begin differently from version to version."""

_NUMBERED: Mapping[int, str] = {
    errno.ECONNREFUSED: "nothing listens there",
    **dict.fromkeys((errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE), ENDED),
    errno.EHOSTUNREACH: "there is no way to the host",
    errno.ENETUNREACH: "there is no way to the network of the host",
    errno.ETIMEDOUT: "there is no answer",
}


def fault(error: BaseException) -> str:
    """What was wrong, as a part of a sentence about a server, `it`.

    Args:
        error: What was raised when connecting, sending or receiving.
    """
    match error:
        case ssl.SSLCertVerificationError():
            words = _CERTIFICATE.get(error.verify_code, "its certificate is not valid: {said}")
            return words.format(said=error.verify_message.rstrip("."))
        case ssl.SSLError():
            reason = getattr(error, "reason", None) or str(error)  # OpenSSL's have one
            said = next((words for part, words in _TLS.items() if part in reason), "")
            return said or f"TLS failed: {reason.replace('_', ' ').lower()}"
        case OSError():
            return _of_system(error)
        case EOFError():
            return _of_end(error)
    return NOT_KAFKA


def _of_system(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return f"the host's name cannot be resolved ({error.strerror})"
    words = _NUMBERED.get(_number(error))
    return words or error.strerror or str(error) or type(error).__name__


def _number(error: OSError) -> int:
    if error.errno is not None:
        return error.errno
    # asyncio tells of all the addresses of a host in one text, and of other things without any.
    numbers = set(re.findall(r"\[Errno (\d+)\]", str(error)))
    if len(numbers) == 1:
        return int(numbers.pop())
    if isinstance(error, TimeoutError):
        return errno.ETIMEDOUT
    return errno.ECONNRESET if isinstance(error, ConnectionError) else 0


def _of_end(error: EOFError) -> str:
    # A message begins with its length, and what is none looks like an absurd one.
    length = (error.expected or 0) if isinstance(error, IncompleteReadError) else 0
    if length >> 16 == _ALERT:
        return SPEAKS_TLS
    return NOT_KAFKA if length > _LONGEST else ENDED
