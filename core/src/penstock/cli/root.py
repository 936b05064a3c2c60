"""The command `penstock`, and what its commands have in common: how they fail."""

import os
from typing import Any

import click

from penstock import __version__
from penstock.cli.lazy_group import Lazy, LazyGroup
from penstock.plugin.errors import PenstockError, UsageError

COMMANDS = {
    "run": Lazy("penstock.cli.run", "Run manifests on this machine: gateways, functions and all."),
    "publish": Lazy("penstock.cli.publish", "Publish messages to a stream."),
    "subscribe": Lazy("penstock.cli.subscribe", "Print the messages of a stream as JSON lines."),
    "deadletter": Lazy(
        "penstock.cli.deadletter", "Look at dead letters, replay them and drop them."
    ),
    "replay": Lazy(
        "penstock.cli.replay.command", "Process records again that a processor has had."
    ),
    "lint": Lazy("penstock.cli.lint", "Find the errors of manifests without running them."),
    "import": Lazy(
        "penstock.cli.import_", "Print manifests of another system as those of penstock."
    ),
    "gateway": Lazy("penstock.cli.gateway", "Serve gateways."),
    "operator": Lazy("penstock.cli.operator", "Serve what is declared in a cluster."),
    "controller": Lazy("penstock.cli.controller", "Serve gateways of one kind in a cluster."),
    "plugin": Lazy("penstock.cli.plugin", "Show the gateway plugins."),
}


class Failure(click.ClickException):
    """An error as the command line shows it, in one message; exit code 1."""


class Misuse(Failure):
    """An error in what a person wrote."""

    exit_code = 2


class Root(LazyGroup):
    """The group of all commands."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except PenstockError as error:
            if "PENSTOCK_DEBUG" in os.environ:
                raise
            shown = Misuse if isinstance(error, UsageError) else Failure
            raise shown(str(error)) from error
        except KeyboardInterrupt:
            ctx.exit(130)


@click.group(
    cls=Root,
    lazy=COMMANDS,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "show_default": True,
    },
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def penstock(ctx: click.Context) -> None:
    """Streaming gateways on Kubernetes and on a laptop.

    Environment: PENSTOCK_STATE_DIR is the folder by which other commands find what is running
    (default: penstock in XDG_STATE_HOME or ~/.local/state). NO_COLOR turns colours off.
    PENSTOCK_DEBUG shows where an error was raised.

    Exit codes: 0, 1 failed, 2 wrong use, 130 Ctrl-C.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False
