"""The manifests that a command is given, and what is said of their problems."""

from collections.abc import Sequence
from pathlib import Path

import click

from penstock.plugin import Plugins, UsageError
from penstock.resources.manifest import Manifests, load
from penstock.resources.problem import Problem

files_argument = click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
)


def load_sound(files: Sequence[Path], plugins: Plugins) -> Manifests:
    """Read manifests that are to be used; their problems are shown on standard error.

    Raises:
        UsageError: They have errors.
    """
    warn_of_broken(plugins)
    manifests = load(files, plugins)
    for problem in manifests.problems:
        click.echo(paint(problem), err=True)
    if manifests.errors:
        errors = count(len(manifests.errors), "error")
        raise UsageError(f"{errors} in the manifests: nothing was started")
    return manifests


def warn_of_broken(plugins: Plugins) -> None:
    """Say on standard error which plugins are installed and cannot be used."""
    for broken in plugins.broken:
        text = f"warning: plugin {broken.name} {broken.version} is not used: {broken.reason}"
        click.secho(text, fg="yellow", err=True)


def paint(problem: Problem) -> str:
    """The text of a problem, in its colour."""
    return click.style(str(problem), fg="red" if problem.severity == "error" else "yellow")


def count(number: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
