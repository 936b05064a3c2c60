"""`penstock run`: everything that manifests declare, on this machine."""

import asyncio
import logging
import os
import sys
from pathlib import Path

import click

from penstock.cli.manifests import files_argument, load_sound
from penstock.garbage import collect_seldom
from penstock.local.output import Output, OutputHandler
from penstock.local.reload import WATCHED
from penstock.local.runtime import Runtime
from penstock.local.sidecar import sidecar_log_name
from penstock.local.summary import display_name
from penstock.observability.tracing import open_tracer
from penstock.plugin import load_plugins


@click.command("run")
@files_argument
@click.option(
    "--reload",
    is_flag=True,
    help="Start a function anew when its program changes: in its working directory, executables "
    f"without a suffix, and what ends in {' '.join(WATCHED)}. Data that it writes there changes "
    "nothing, and manifests are read once all the same.",
)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    help="Show Prometheus metrics: those of the gateways at http://127.0.0.1:PORT/metrics, those "
    "of each sidecar on a free port of its own; 0 takes a free one. The tables say where.",
)
@click.pass_context
def command(
    ctx: click.Context, files: tuple[Path, ...], *, reload: bool, metrics_port: int | None
) -> None:
    """Run manifests on this machine: gateways, functions and all.

    Each FILE is YAML with one document or several, a folder of such files, or - for standard
    input. Gateways run in this process; an InMemoryGateway keeps its messages there.

    A function is started by the command, args, env and workingDir of its container and has to
    listen on GRPC_PORT. A relative workingDir begins at the folder of its file, which is the
    default. What is installed beside penstock, such as penstock-invoker, is found first.

    Secrets that a gateway's spec names are read from the FILEs too, and their values are laid out
    in files that you alone can read, until the end of the run. Where a spec names a file with a
    secret instead, a relative one begins at the folder of the manifest.

    A gateway whose messaging system is away is waited for, and holds up nothing that does without
    it. A stream that a gateway refuses ends the run, with exit code 2.

    A function or a sidecar that ends is started again, after 0.2 s, 0.4 s and so on up to 30 s.
    A function that ends before it was ever ready ends the run, but for --reload.

    Ctrl-C stops everything in order, with exit code 0; once more, and it does not wait. What
    runs is found by penstock publish and penstock subscribe. There is one run at a time for each
    PENSTOCK_STATE_DIR.
    """
    plugins = load_plugins()
    manifests = load_sound(files, plugins)
    names = [display_name(one.metadata) for one in manifests.processors]
    output = Output(
        [*names, *map(sidecar_log_name, names)],
        color=sys.stdout.isatty() and ctx.color is not False,
    )
    logging.basicConfig(handlers=[OutputHandler(output)])
    with open_tracer("penstock-run", os.environ) as tracer:
        runtime = Runtime(
            manifests,
            plugins,
            output,
            reload=reload,
            started=ctx.obj,
            metrics_port=metrics_port,
            tracer=tracer,
        )
        collect_seldom()
        asyncio.run(runtime.run())
