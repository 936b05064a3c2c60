"""The order of messages within a window."""

from collections.abc import Iterable

from penstock_sidecar.engine.settlement import Run


def in_order(runs: Iterable[Run]) -> list[Run]:
    """Runs in the order of their offsets; what is of different partitions may be mixed."""
    return sorted(runs, key=_offset)


def _offset(run: Run) -> int:
    return run.first
