"""`penstock lint`: the errors of manifests, without running them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from penstock.cli.manifests import count, files_argument, paint, warn_of_broken
from penstock.local.function import function_service
from penstock.plugin import UsageError, load_plugins
from penstock.resources.manifest import load
from penstock.resources.models import Processor


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
    resource, field, what is wrong. Without --cluster, programs and folders that a function needs
    have to be on this machine, and the Secrets that a gateway's spec names have to be in a FILE.
    The exit code is 2 where there are errors; warnings alone leave it at 0.
    """
    plugins = load_plugins()
    warn_of_broken(plugins)
    manifests = load(files, plugins, local=not cluster)
    for problem in manifests.problems:
        click.echo(paint(problem))
    refusals = [] if cluster else list(_refusals(manifests.processors))
    for refusal in refusals:
        click.secho(refusal, fg="red")
    declared = (
        count(len(manifests.gateways) + len(manifests.abstract_gateways), "gateway"),
        count(len(manifests.streams), "stream"),
        count(len(manifests.processors), "processor"),
    )
    failures = len(manifests.errors) + len(refusals)
    errors = count(failures, "error")
    warnings = count(len(manifests.warnings), "warning")
    click.echo(f"{', '.join(declared)}: {errors}, {warnings}", err=True)
    ctx.exit(2 if failures else 0)


def _refusals(processors: Sequence[Processor]) -> Iterator[str]:
    """What `penstock run` would refuse of sound functions before it starts anything."""
    for processor in processors:
        container = processor.spec.function_container
        # That a command is missing is a problem of the manifest already.
        if container and container.command:
            try:
                function_service(processor, processor.metadata.name, port=0)
            except UsageError as error:
                yield str(error)
