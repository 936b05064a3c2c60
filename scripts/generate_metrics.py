"""Writes the tables of metrics in docs/observability.md, or checks that they are up to date."""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram

from penstock.observability.metrics_page import MetricsPage
from penstock.server.metrics import GatewayMetrics
from penstock_sidecar.observability.metrics import SidecarMetrics

PAGE = Path(__file__).resolve().parent.parent / "docs" / "observability.md"
TABLES: dict[str, type[GatewayMetrics] | type[SidecarMetrics]] = {
    "gateway": GatewayMetrics,
    "sidecar": SidecarMetrics,
}


def main() -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when stale")
    check: bool = parser.parse_args().check
    written = PAGE.read_text()
    fresh = written
    for name in TABLES:
        fresh = replace(fresh, name)
    if check and fresh != written:
        sys.stderr.write(f"{PAGE.name} does not show the metrics that there are: make generate\n")
        return 1
    if not check:
        PAGE.write_text(fresh)
    return 0


def replace(page: str, name: str) -> str:
    """The page with the table of a name as it is now."""
    begin, end = f"<!-- {name} metrics: make generate -->", "<!-- end -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    table = "\n".join([begin, "| metric | type | labels | is |", "| --- | --- | --- | --- |"])
    fresh, count = pattern.subn("\n".join([table, *rows(name), end]), page)
    if count != 1:
        raise SystemExit(f"{PAGE.name} has no place for the {name} metrics: expected {begin}")
    return fresh


def rows(name: str) -> Iterator[str]:
    """A line for each metric, in the order in which they are declared."""
    for metric in vars(TABLES[name](MetricsPage())).values():
        if isinstance(metric, Counter | Gauge | Histogram):
            [family] = metric.describe()
            suffix = "_total" if isinstance(metric, Counter) else ""
            # The library shows labels only of what was counted.
            labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001
            yield f"| `{family.name}{suffix}` | {family.type} | {labels} | {family.documentation} |"


if __name__ == "__main__":
    sys.exit(main())
