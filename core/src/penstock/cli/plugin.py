"""`penstock plugin`: what is installed."""

import json
from typing import Any

import click

from penstock.plugin import BrokenPlugin, Plugin, Plugins, load_plugins
from penstock.table import format_table


@click.group("plugin")
def command() -> None:
    """Show the gateway plugins."""


@command.command("list")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", help="Form.")
def list_plugins(output: str) -> None:
    """List the installed gateway plugins, and why a broken one is not used.

    A broken plugin stops no other, and listing it is no failure: the exit code is 0.
    """
    plugins = load_plugins()
    click.echo(json.dumps(_as_json(plugins), indent=2) if output == "json" else _as_table(plugins))


def _as_table(plugins: Plugins) -> str:
    rows = [
        (p.name, p.version, p.kind.name, ", ".join(sorted(p.kind.capabilities)))
        for p in plugins.by_kind.values()
    ]
    rows += [(p.name, p.version, "", f"broken: {p.reason}") for p in plugins.broken]
    if not rows:
        return "No gateway plugins are installed. Install one: pip install penstock-inmemory"
    return format_table(("name", "version", "kind", "capabilities"), rows)


def _as_json(plugins: Plugins) -> list[dict[str, Any]]:
    working = [
        {
            **_origin(one),
            "kind": one.kind.name,
            "summary": one.kind.summary,
            "capabilities": sorted(one.kind.capabilities),
        }
        for one in plugins.by_kind.values()
    ]
    return working + [{**_origin(one), "broken": one.reason} for one in plugins.broken]


def _origin(one: Plugin | BrokenPlugin) -> dict[str, Any]:
    return {"name": one.name, "distribution": one.distribution, "version": one.version}
