"""Python modules as processes."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def process(module: str, *arguments: str, **variables: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A Python module as a process, stopped at the end."""
    started = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield started
    finally:
        started.terminate()
        started.wait(30)


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
