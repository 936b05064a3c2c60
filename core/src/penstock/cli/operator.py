"""`penstock operator`: what is declared in a cluster, made of Kubernetes' own objects."""

import asyncio
import logging
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from penstock import __version__
from penstock.cli.manifests import warn_of_broken
from penstock.garbage import collect_seldom
from penstock.observability.log import set_up_log
from penstock.plugin import Plugin, Plugins, UsageError, load_plugins
from penstock.resources.suggestion import did_you_mean, listing

if TYPE_CHECKING:
    from penstock.operator.edge.operator import Operator
    from penstock.operator.edge.reconciler import ServedKind

_OF_NO_INTEREST = re.compile(
    r"Request attempt #[12]/\d+ failed; will retry|Unresolved resources cannot be served"
)

namespace_option = click.option(
    "-n",
    "--namespace",
    "namespaces",
    multiple=True,
    metavar="NAME",
    help="Serve this namespace; may be given again. Left out, all are served.",
)
health_port_option = click.option(
    "--health-port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Answer GET /healthz on this port while it is alive, for the probes of its pod.",
)


@click.command("operator")
@click.option(
    "--with",
    "types",
    metavar="TYPE,…",
    default="",
    help="Serve the gateways of these types too, such as kafka,inmemory; those of others have "
    "controllers of their own.",
)
@namespace_option
@health_port_option
@click.option(
    "--gateway-image",
    "gateway_images",
    multiple=True,
    metavar="TYPE=IMAGE",
    help="The image that serves gateways of a type; by default penstock-TYPE:VERSION, with the "
    "version of the plugin.",
)
@click.option(
    "--sidecar-image",
    metavar="IMAGE",
    default=f"penstock-sidecar:{__version__}",
    help="The image of the sidecar.",
)
def command(
    *,
    types: str,
    namespaces: tuple[str, ...],
    health_port: int | None,
    gateway_images: tuple[str, ...],
    sidecar_image: str,
) -> None:
    """Serve what is declared in a cluster.

    Gateways, streams and processors become Kubernetes' own objects, and say how they are, until
    this is stopped.

    The cluster is that of the pod's service account; elsewhere that of the kubeconfig, which
    KUBECONFIG names.

    Events are logged on standard error, one a line: for a person on a terminal, as JSON elsewhere,
    or as PENSTOCK_LOG_FORMAT=text or json says; from PENSTOCK_LOG_LEVEL=info on.
    """
    plugins = load_plugins()
    warn_of_broken(plugins)
    names = [one for one in types.split(",") if one]
    kinds = served_kinds(names, plugins, read_images(gateway_images, names))
    from penstock.operator.edge.connection import find_connection  # noqa: PLC0415 - an extra
    from penstock.operator.edge.operator import Operator  # noqa: PLC0415 - as above

    set_up_log(os.environ)
    operator = Operator(
        find_connection(),
        core=True,
        kinds=kinds,
        namespaces=namespaces,
        sidecar_image=sidecar_image,
        health_port=health_port,
    )
    serve(operator)


def served_kinds(
    types: Sequence[str], plugins: Plugins, images: dict[str, str]
) -> "dict[str, ServedKind]":
    """The kinds of some types, by name, with the image of each.

    Raises:
        UsageError: There is no plugin of a type.
    """
    from penstock.operator.edge.reconciler import ServedKind  # noqa: PLC0415 - an extra

    found = {}
    for type_ in types:
        plugin = plugins.by_type(type_)
        if plugin is None:
            known = [one.kind.type for one in plugins.by_kind.values()]
            raise UsageError(
                f'there is no gateway of type "{type_}"{did_you_mean(type_, known)}; installed: '
                f"{listing(known) or 'none'}"
            )
        found[plugin.kind.name] = ServedKind(plugin.kind, images.get(type_) or _image(plugin))
    return found


def read_images(settings: Sequence[str], types: Sequence[str]) -> dict[str, str]:
    """Images by type, from `TYPE=IMAGE`.

    Raises:
        UsageError: One is not of this form, or of a type that is not served.
    """
    images = {}
    for setting in settings:
        type_, _, image = setting.partition("=")
        if not type_ or not image:
            raise UsageError(f'--gateway-image: "{setting}" is not TYPE=IMAGE')
        if type_ not in types:
            raise UsageError(f'--gateway-image: type "{type_}" is not served: add it to --with')
        images[type_] = image
    return images


def serve(operator: "Operator") -> None:
    """Run until Ctrl-C or SIGTERM."""
    # What kopf has to say of each of its handlers is not for the log of an operator.
    logging.getLogger("kopf").setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_is_worth_saying)
    collect_seldom()
    asyncio.run(operator.run())


def _is_worth_saying(record: logging.LogRecord) -> bool:
    """Whether a line of kopf's is news to who runs an operator.

    Each restart of the API server makes some requests fail once or twice; and of the kinds that are
    watched, those of builds are in few clusters, while the operator itself waits for all others.
    """
    if not record.name.startswith("kopf"):
        return True
    return not _OF_NO_INTEREST.match(record.getMessage())


def _image(plugin: Plugin) -> str:
    return f"penstock-{plugin.kind.type}:{plugin.version}"
