"""The reference of the command line, from the commands themselves.

`python -m penstock.cli.reference --output FILE` writes it; with `--check` it writes nothing and
says whether FILE is out of date.
"""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from penstock.cli.root import penstock

HEADER = """<!-- Generated from the commands: make generate -->
# Command line
"""


def reference() -> str:
    """The whole of it, in Markdown."""
    root = click.Context(penstock, info_name="penstock", **penstock.context_settings)
    return "\n".join([HEADER, *(_section(ctx) for ctx in _commands(root))])


def _commands(ctx: click.Context) -> Iterator[click.Context]:
    """The context of a command and of all that are below it."""
    yield ctx
    group = ctx.command
    if isinstance(group, click.Group):
        for name in group.list_commands(ctx):
            command = group.get_command(ctx, name)
            assert command is not None
            yield from _commands(click.Context(command, ctx, name))


def _section(ctx: click.Context) -> str:
    usage = " ".join([ctx.command_path, *ctx.command.collect_usage_pieces(ctx)])
    parts = [f"## {ctx.command_path}", f"```\n{usage}\n```", *_paragraphs(ctx.command.help or "")]
    if options := list(_options(ctx)):
        parts.append("\n".join(["| option | is |", "| --- | --- |", *options]))
    return "\n\n".join(parts) + "\n"


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b\n"):
            # What click must not wrap.
            yield f"```\n{paragraph[2:]}\n```"
        else:
            yield paragraph.replace("\n", " ")


def _options(ctx: click.Context) -> Iterator[str]:
    for parameter in ctx.command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record and isinstance(parameter, click.Option) and "--help" not in parameter.opts:
            names, text = (" ".join(part.replace("|", "\\|").split()) for part in record)
            yield f"| `{names}` | {text} |"


@click.command()
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The file.")
@click.option("--check", is_flag=True, help="Write nothing; fail where the file is out of date.")
def main(output: Path, *, check: bool) -> None:
    """Write the reference of the command line."""
    text = reference()
    if not check:
        output.write_text(text)
    elif not output.exists() or output.read_text() != text:
        click.echo(f"{output} is not what the commands say: run make generate", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
