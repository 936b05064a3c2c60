"""`penstock lint`: the errors of manifests, without running them."""

from pathlib import Path

import click

from penstock.cli.manifests import count, files_argument, paint, warn_of_broken
from penstock.plugin import load_plugins
from penstock.resources.manifest import load


@click.command("lint")
@files_argument
@click.option(
    "--cluster",
    is_flag=True,
    help="Check for a cluster: a function needs an image or a build there, and a command here.",
)
@click.pass_context
def command(ctx: click.Context, files: tuple[Path, ...], *, cluster: bool) -> None:
    """Find the errors of manifests without running them.

    Each FILE is YAML with one document or several, a folder of such files, or - for standard
    input; what one declares the others may refer to. Each problem is a line: file, line number,
    resource, field, what is wrong. The exit code is 2 where there are errors; warnings alone
    leave it at 0.
    """
    plugins = load_plugins()
    warn_of_broken(plugins)
    manifests = load(files, plugins, local=not cluster)
    for problem in manifests.problems:
        click.echo(paint(problem))
    declared = (
        count(len(manifests.gateways) + len(manifests.abstract_gateways), "gateway"),
        count(len(manifests.streams), "stream"),
        count(len(manifests.processors), "processor"),
    )
    errors = count(len(manifests.errors), "error")
    warnings = count(len(manifests.warnings), "warning")
    click.echo(f"{', '.join(declared)}: {errors}, {warnings}", err=True)
    ctx.exit(2 if manifests.errors else 0)
