"""Ports of the loopback for servers that keep theirs across a restart."""

import random
import socket
from itertools import cycle

HOST = "127.0.0.1"

LOWEST, HIGHEST = 20_000, 32_000
"""Below the range from which systems take a client's port: while a server is down, no client can
be given its port, and none that tries to reach it can be connected to itself."""


_ports = cycle(random.sample(range(LOWEST, HIGHEST + 1), HIGHEST + 1 - LOWEST))


def free_port() -> int:
    """A port that nobody listens on, and that the system gives to no client.

    No two calls give the same one: what was given may not be listened on yet.
    """
    while True:
        port = next(_ports)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        return port


def is_open(port: int) -> bool:
    """Whether something accepts connections on a port."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
