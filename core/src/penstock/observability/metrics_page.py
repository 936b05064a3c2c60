"""What a scrape is answered: every metric of a process, in the text formats of Prometheus."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

from penstock import __version__

PATH: Final = "/metrics"

COUNT_BUCKETS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Of histograms of messages in a batch."""
SECONDS_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Of histograms of what answers soon."""
LONG_SECONDS_BUCKETS: Final = (*SECONDS_BUCKETS, 30, 60, 120, 300, 600)
"""Of histograms of what may wait for the end of a window."""

# Each counter and histogram would else have another series, of when it was made.
disable_created_metrics()  # type: ignore[no-untyped-call] # it is typed nowhere


class Page(NamedTuple):
    """A rendered page, and which of the formats it is in."""

    content_type: str
    content: bytes


class MetricsPage:
    """Collects the metrics of a process, and renders them when asked to.

    Attributes:
        registry: Where metrics are registered.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._refreshes: list[Callable[[], Awaitable[None]]] = []
        self._rendering = asyncio.Lock()
        ProcessCollector(registry=self.registry)
        build = Info("penstock_build", "The version of penstock.", registry=self.registry)
        build.info({"version": __version__})

    def refresh_with(self, refresh: Callable[[], Awaitable[None]]) -> None:
        """Have something called before each rendering, to bring its metrics up to date."""
        self._refreshes.append(refresh)

    async def render(self, accept: str) -> Page:
        """Render all metrics.

        Args:
            accept: The formats that the asker takes, as in the HTTP header: OpenMetrics where that
                names it, else Prometheus's own.
        """
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):
            # A version that is no number: what everybody reads will do.
            encode, content_type = choose_encoder("")
        async with self._rendering:
            for refresh in self._refreshes:
                await refresh()
            # Beside the event loop: thousands of series take a while, and messages do not wait.
            return Page(content_type, await asyncio.to_thread(encode, self.registry))
