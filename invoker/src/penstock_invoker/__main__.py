"""The command `penstock-invoker`."""

import argparse
import asyncio
import io
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock.plugin import UsageError
from penstock_invoker.loading import ImportFailed, load
from penstock_invoker.server import InvokerServer
from penstock_invoker.signature import Function, read_function

DEFAULT_PORT = "8081"
DEFAULT_GRACE_SECONDS = "30"
LAST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line and the environment say.

    Attributes:
        target: `module:function`.
        host, port: Where to listen.
        grace: Seconds that running calls get when the process is told to stop.
    """

    target: str
    host: str
    port: int
    grace: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a function until SIGTERM or SIGINT; the exit status.

    0 after a signal, 1 when the function's module fails, 2 for whatever is wrong in the command.
    """
    try:
        settings = read_settings(arguments, os.environ)
        # What a function prints is to be seen when it is printed, wherever it goes.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)
        function = read_function(settings.target, load(settings.target))
        asyncio.run(_serve(function, settings))
    except UsageError as error:
        print(f"penstock-invoker: {error}", file=sys.stderr)
        return 2
    except ImportFailed as error:
        print(f"penstock-invoker: cannot import {settings.target}\n{error}", file=sys.stderr)
        return 1
    return 0


def read_settings(arguments: Sequence[str] | None, environment: Mapping[str, str]) -> Settings:
    """Read the command line, and from the environment what it leaves open.

    Raises:
        UsageError: A number is none.
    """
    parser = argparse.ArgumentParser(
        prog="penstock-invoker",
        description="Serves a Python function to riff's and penstock's streaming processors.",
        epilog="Modules in the current directory come first. On SIGTERM running calls get "
        f"PENSTOCK_GRACE_SECONDS (default {DEFAULT_GRACE_SECONDS}) to end.",
    )
    parser.add_argument("target", metavar="module:function", help="the function to serve")
    parser.add_argument(
        "--host",
        default=environment.get("PENSTOCK_HOST") or "0.0.0.0",
        help="the interface to listen on (PENSTOCK_HOST; default: every one)",
    )
    parser.add_argument(
        "--port",
        default=environment.get("GRPC_PORT") or DEFAULT_PORT,
        help=f"the port to listen on, 0 for a free one (GRPC_PORT; default: {DEFAULT_PORT})",
    )
    options = parser.parse_args(arguments)
    grace = environment.get("PENSTOCK_GRACE_SECONDS") or DEFAULT_GRACE_SECONDS
    return Settings(options.target, options.host, _port(options.port), _seconds(grace))


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise UsageError(
            f"{text!r} is not a port: expected a number from 0 to 65535 in GRPC_PORT or --port"
        )
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < float("inf"):
        raise UsageError(
            f"PENSTOCK_GRACE_SECONDS is {text!r}: expected a number of seconds, 0 or more"
        )
    return seconds


async def _serve(function: Function, settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # The second signal ends the process at once.
        loop.add_signal_handler(number, _stop_once, loop, number, stop)
    async with InvokerServer(function, host=settings.host, port=settings.port) as server:
        print(
            f"penstock-invoker: {function.name} listens on {server.address}",
            file=sys.stderr,
            flush=True,
        )
        await stop.wait()
        await server.stop(settings.grace)
    await _leave_nothing_to_cancel()


async def _leave_nothing_to_cancel() -> None:
    """Let gRPC's own tasks end: it prints a traceback when one is cancelled with the event loop."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=LAST_SECONDS)


def _stop_once(
    loop: asyncio.AbstractEventLoop, number: signal.Signals, stop: asyncio.Event
) -> None:
    loop.remove_signal_handler(number)
    signal.signal(number, signal.SIG_DFL)
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
