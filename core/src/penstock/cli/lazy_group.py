"""Groups of commands that are imported when they are called, so that `--help` is quick."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import click

from penstock.resources.suggestion import did_you_mean


class Lazy(NamedTuple):
    """A command by the module that has it, as its attribute `command`, and its first sentence."""

    module: str
    summary: str


class LazyGroup(click.Group):
    """A group of such commands, listed in the order in which they are given."""

    def __init__(self, *arguments: Any, lazy: Mapping[str, Lazy], **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of the commands."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import a command."""
        if cmd_name not in self.lazy:
            return None
        command: click.Command = import_module(self.lazy[cmd_name].module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of some arguments."""
        name = args[0]
        if name not in self.lazy and name[:1] != "-":
            ctx.fail(f'there is no command "{name}"{did_you_mean(name, self.lazy)}')
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands without importing them."""
        rows: Sequence[tuple[str, str]] = [(name, lazy.summary) for name, lazy in self.lazy.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
