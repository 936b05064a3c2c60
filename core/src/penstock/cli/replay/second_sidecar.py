"""The sidecar of a re-run: a process beside that of the live processor."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import click

from penstock.cli.replay.rerun import Rerun
from penstock.cli.replay.subject import Running
from penstock.local.process import Command, Process, describe_exit
from penstock.local.reaper import Reaper
from penstock.local.sidecar import GRACE_SECONDS, MODULE
from penstock.local.state import find_run
from penstock.observability.log import FORMAT_VARIABLE, LEVEL_VARIABLE, LogFormat
from penstock.plugin import NotReady, PenstockError

LOOK_SECONDS = 0.5
"""Between two looks at how far it is."""
QUIET_SECONDS = 2.0
"""Between two lines that say so."""


def sidecar_command(running: Running, rerun: Rerun, folder: Path) -> Command:
    """What is started: the live sidecar's program, with a version of its group and bounds."""
    environment = {
        FORMAT_VARIABLE: LogFormat.TEXT.value,
        LEVEL_VARIABLE: "warning",
        **os.environ,
        **running.processor.environment,
        # Where something was acked before, that counts; elsewhere the first record is due.
        "INPUT_START_OFFSETS": ",".join("earliest" for _ in running.processor.inputs),
        "PENSTOCK_GROUP_VERSION": str(rerun.version),
        "PENSTOCK_UNTIL": json.dumps(rerun.last),
        "PENSTOCK_GRACE_SECONDS": f"{GRACE_SECONDS:g}",
    }
    for name in ("PENSTOCK_READY_FILE", "PENSTOCK_METRICS_PORT", "PENSTOCK_MEMBER"):
        environment.pop(name, None)
    return Command([sys.executable, "-P", "-m", MODULE], environment, folder)


async def run_to_the_end(
    command: Command,
    running: Running,
    state: Path,
    progress: Callable[[], Awaitable[str]],
) -> None:
    """Run a second sidecar until it has reached its bounds.

    Args:
        command: The sidecar.
        running: The run that it belongs to.
        state: The folder of that run.
        progress: Says how far it is.

    Raises:
        KeyboardInterrupt: It was interrupted.
        PenstockError: It ended before.
    """
    interrupted = asyncio.Event()
    again = "the same command goes on where it was"
    with Reaper() as reaper:
        process = await Process.start(command, reaper, lambda line: click.echo(line, err=True))
        async with _interruptible(interrupted), _stopped(process):
            said, due = "", 0.0
            loop = asyncio.get_running_loop()
            ending = asyncio.create_task(process.wait())
            stopping = asyncio.create_task(interrupted.wait())
            try:
                while not (ending.done() or stopping.done()):
                    await asyncio.wait(
                        {ending, stopping},
                        timeout=LOOK_SECONDS,
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                    run = find_run(state)
                    if not ending.done() and (run is None or run.pid != running.run.pid):
                        raise NotReady("penstock run has ended, and the replay with it")
                    if loop.time() < due or ending.done():
                        continue
                    if (now := await progress()) != said:
                        said, due = now, loop.time() + QUIET_SECONDS
                        click.echo(said, err=True)
            finally:
                stopping.cancel()
            if interrupted.is_set():
                click.echo(f"interrupted; {again}", err=True)
                raise KeyboardInterrupt
            if code := await ending:
                raise PenstockError(f"the sidecar of the replay {describe_exit(code)}; {again}")


@asynccontextmanager
async def _stopped(process: Process) -> AsyncIterator[None]:
    """See that a process has ended behind this."""
    try:
        yield
    finally:
        await process.stop(GRACE_SECONDS + 1)


@asynccontextmanager
async def _interruptible(interrupted: asyncio.Event) -> AsyncIterator[None]:
    """Have signals set an event."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, interrupted.set)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
