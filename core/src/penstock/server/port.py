"""Whether a port can be listened on, said in time and in words."""

import errno
import socket

from penstock.plugin import UsageError


def check_port(host: str, port: int, purpose: str) -> None:
    """Refuse a port that cannot be had.

    Args:
        host: A name or an address of this machine.
        port: The port; 0, for a free one, can always be had.
        purpose: What it is for, in the words of the error.

    Raises:
        UsageError: Why it cannot.
    """
    if not 0 <= port <= 65535:
        raise UsageError(f"port {port} for {purpose}: expected 0 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise UsageError(
            f"host {host!r} for {purpose} is not known here ({error.strerror}): expected an "
            "address of this machine, such as 127.0.0.1 or 0.0.0.0"
        ) from error
    except OSError as error:
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"is not to be had: {error}"
        raise UsageError(
            f"port {port} of {host} for {purpose} {reason}; stop what listens there or choose "
            "another, 0 for any that is free"
        ) from error
