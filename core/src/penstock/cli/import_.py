"""`penstock import`: manifests of other systems as those of penstock."""

from pathlib import Path

import click

from penstock.adoption import ORIGINS, adopt
from penstock.cli.manifests import count, files_argument, paint, warn_of_broken
from penstock.plugin import load_plugins
from penstock.resources.files import read_files


@click.command("import")
@click.argument("origin", type=click.Choice(list(ORIGINS)))
@files_argument
@click.pass_context
def command(ctx: click.Context, origin: str, files: tuple[Path, ...]) -> None:
    """Print manifests of another system as those of penstock.

    ORIGIN is the system that they are of. Each FILE is YAML with one document or several, a
    folder of such files, or - for standard input; what one declares the others may refer to.
    Comments say where each resource is from and which of its fields have no equal. What a person
    should know is said on standard error, with its file and line. Where something is wrong in a
    FILE, nothing is printed, and the exit code is 2; warnings alone leave it at 0.
    """
    plugins = load_plugins()
    warn_of_broken(plugins)
    adopted = adopt(ORIGINS[origin], read_files(files), plugins)
    for problem in adopted.problems:
        click.echo(paint(problem), err=True)
    if not adopted.errors:
        click.echo(adopted.text, nl=False)
    errors, warnings = len(adopted.errors), len(adopted.problems) - len(adopted.errors)
    click.echo(f"{count(errors, 'error')}, {count(warnings, 'warning')}", err=True)
    ctx.exit(2 if errors else 0)
