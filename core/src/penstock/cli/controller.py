"""`penstock controller`: gateways of one kind, in a process of their own."""

import os

import click

from penstock.cli.manifests import warn_of_broken
from penstock.cli.operator import health_port_option, namespace_option, serve, served_kinds
from penstock.observability.log import set_up_log
from penstock.plugin import load_plugins


@click.command("controller")
@click.argument("type_", metavar="TYPE")
@namespace_option
@health_port_option
@click.option(
    "--image",
    metavar="IMAGE",
    default="",
    help="The image that serves the gateways; by default penstock-TYPE:VERSION, with the version "
    "of the plugin.",
)
def command(
    *, type_: str, namespaces: tuple[str, ...], health_port: int | None, image: str
) -> None:
    """Serve gateways of one kind in a cluster.

    It runs beside the operator, until it is stopped. TYPE is the word for a kind of gateway, such
    as inmemory for InMemoryGateway; penstock plugin list shows the kinds. Each becomes a Gateway
    of the same name, which is the operator's.
    """
    plugins = load_plugins()
    warn_of_broken(plugins)
    type_ = type_.lower()
    kinds = served_kinds([type_], plugins, {type_: image})
    from penstock.operator.edge.connection import find_connection  # noqa: PLC0415 - an extra
    from penstock.operator.edge.operator import Operator  # noqa: PLC0415 - as above

    set_up_log(os.environ)
    operator = Operator(
        find_connection(),
        core=False,
        kinds=kinds,
        namespaces=namespaces,
        health_port=health_port,
    )
    serve(operator)
