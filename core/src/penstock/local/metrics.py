"""Where the metrics of a run are: one port for its gateways, and one for each sidecar."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

from penstock.local.ports import HOST
from penstock.observability.metrics_page import PATH, MetricsPage
from penstock.observability.metrics_server import MetricsServer
from penstock.server.metrics import GatewayMetrics
from penstock.table import format_table


async def serve_metrics(stack: AsyncExitStack, port: int) -> tuple[GatewayMetrics, int]:
    """Serve the metrics of gateways until the stack is closed.

    Args:
        stack: What closes the port.
        port: The port; 0 takes a free one.

    Returns:
        Where the gateways are counted, and the port.

    Raises:
        UsageError: The port is not to be had.
    """
    page = MetricsPage()
    server = await stack.enter_async_context(MetricsServer(page, HOST, port))
    return GatewayMetrics(page), server.port


def summarize_metrics(gateways: int, sidecars: Mapping[str, int]) -> str:
    """A table of the addresses.

    Args:
        gateways: The port of the gateways' metrics.
        sidecars: Those of sidecars', by the processor's name.
    """
    rows = [("gateways", gateways), *sidecars.items()]
    urls = [(name, f"http://{HOST}:{port}{PATH}") for name, port in rows]
    return format_table(("metrics of", "at"), urls)
