"""`penstock gateway`: one gateway, served to everybody."""

import asyncio
import logging
import os
import signal
from contextlib import nullcontext
from pathlib import Path

import click

from penstock.cli.gateway_spec import read_spec
from penstock.cli.manifests import warn_of_broken
from penstock.garbage import collect_seldom
from penstock.observability.log import set_up_log
from penstock.observability.tracing import open_tracer
from penstock.plugin import Plugins, UsageError, load_plugins
from penstock.resources.secrets import mounted
from penstock.resources.suggestion import did_you_mean, listing
from penstock.server import GatewayServer
from penstock.server.access.access import Access
from penstock.server.access.reviews import Reviews
from penstock.server.certificate import Certificate

SECRETS = Path("/var/run/secrets/penstock")

_LOG = logging.getLogger(__name__)


@click.group("gateway")
def command() -> None:
    """Serve gateways."""


@command.command("serve")
@click.argument("type_", metavar="TYPE")
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=6565,
    help="Port of the gateway protocols, health and reflection; 0 takes a free one.",
)
@click.option(
    "--provisioner-port",
    type=click.IntRange(0, 65535),
    help="Port of the HTTP provisioner and, at /metrics, of Prometheus metrics; 0 takes a free "
    "one. Left out, there is neither.",
)
@click.option(
    "--advertised",
    metavar="HOST[:PORT]",
    help="Where clients reach the gateway, if not where it listens.",
)
@click.option(
    "--name", help="What metrics, traces and logs call the gateway; TYPE where it is left out."
)
@click.option(
    "--spec",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="The gateway's spec, as YAML; - is standard input.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="A field of the spec, its value read as YAML; may be given again, and counts more than "
    "FILE. A dot leads into a field: retention.messages=1000.",
)
@click.option(
    "--secrets",
    type=click.Path(file_okay=False, path_type=Path),
    default=SECRETS,
    show_default=True,
    metavar="FOLDER",
    help="Where Secrets that the spec names are mounted: a key of one is FOLDER/SECRET/KEY.",
)
@click.option(
    "--tls",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Encrypt both ports with the certificate tls.crt and the key tls.key of this folder, as "
    "a Secret of type kubernetes.io/tls is mounted. Renewed files are used at once.",
)
@click.option(
    "--namespace",
    metavar="NAME",
    help="Serve the streams of this namespace alone. Left out, every topic is served.",
)
@click.option(
    "--access",
    type=click.Choice(["kubernetes"]),
    help="Let in who has a bearer token of the cluster, to do what their Roles say of Streams: "
    "publish, subscribe, provision. Needs --tls. Left out, everybody may do everything.",
)
@click.option(
    "--audience",
    "audiences",
    multiple=True,
    metavar="NAME",
    default=["penstock"],
    help="With --access: whom a token must be meant for; may be given again.",
)
def serve(
    *,
    type_: str,
    host: str,
    port: int,
    provisioner_port: int | None,
    advertised: str | None,
    name: str | None,
    spec: Path | None,
    settings: tuple[str, ...],
    secrets: Path,
    tls: Path | None,
    namespace: str | None,
    access: str | None,
    audiences: tuple[str, ...],
) -> None:
    """Serve a gateway of a TYPE until Ctrl-C.

    TYPE is the word for a kind of gateway, such as inmemory for InMemoryGateway; penstock plugin
    list shows the kinds. Clients speak riff's gateway protocol or penstock's own on the one port,
    and provision streams with PUT /NAMESPACE/STREAM on the other, or remove them, with their data,
    with DELETE. The first line of the output names both.

    Events are logged on standard error, one a line: for a person on a terminal, as JSON elsewhere,
    or as PENSTOCK_LOG_FORMAT=text or json says; from PENSTOCK_LOG_LEVEL=info on.
    """
    plugins = load_plugins()
    warn_of_broken(plugins)
    plugin = plugins.by_type(type_.lower())
    if plugin is None:
        raise _unknown(type_, plugins)
    resolved = mounted(read_spec(plugin.kind, spec, settings), secrets.absolute())
    gateway = plugin.gateway(resolved)
    name = name or plugin.kind.type
    certificate = Certificate(tls) if tls else None
    if access and not certificate:
        raise UsageError("--access needs --tls: a token is not sent where everybody can read it")
    reviews = Reviews.of_this_pod(os.environ) if access else None
    set_up_log(os.environ, gateway=name)
    with open_tracer(f"{name}-gateway", os.environ) as tracer:
        server = GatewayServer(
            gateway,
            host=host,
            port=port,
            provisioner_port=provisioner_port,
            advertised=advertised,
            name=name,
            tracer=tracer,
            certificate=certificate,
            namespace=namespace,
            access=Access(reviews, audiences) if reviews else None,
        )
        collect_seldom()
        asyncio.run(_serve(plugin.kind.name, server, reviews))


async def _serve(kind: str, server: GatewayServer, reviews: Reviews | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with reviews or nullcontext(), server:
        line = f"{kind} serves {server.address}"
        if server.provisioner_port is not None:
            line += f", provisioner on port {server.provisioner_port}"
        click.echo(f"{line}; Ctrl-C stops")
        where = {"address": server.address, "provisioner_port": server.provisioner_port}
        _LOG.info("serving %s", kind, extra=where)
        await stop.wait()
    _LOG.info("stopped")


def _unknown(type_: str, plugins: Plugins) -> UsageError:
    types = [one.kind.type for one in plugins.by_kind.values()]
    hint = did_you_mean(type_, types) or f"; its plugin may be in penstock-{type_.lower()}"
    return UsageError(
        f'there is no gateway of type "{type_}"{hint}; installed: {listing(types) or "none"}'
    )
