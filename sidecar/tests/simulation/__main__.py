"""Runs histories one after the other, and says how much they were."""

import argparse
import logging
import time
from collections.abc import Iterator
from itertools import count

from sidecar.tests.simulation.history import run
from sidecar.tests.simulation.ledger import Violation


def main() -> int:
    """Run them, and print the seeds that fail."""
    parser = argparse.ArgumentParser(prog="python -m sidecar.tests.simulation")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long, of real time")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="only this one")
    chosen = parser.parse_args()
    logging.disable(logging.ERROR)
    seeds: Iterator[int] = count(chosen.first) if chosen.seed is None else iter([chosen.seed])
    began = time.perf_counter()
    hours = operations = histories = 0.0
    failed = []
    for seed in seeds:
        try:
            outcome = run(seed)
        except Violation as violation:
            failed.append(seed)
            print(f"{violation}\n")
        else:
            hours += outcome.hours
            operations += outcome.operations
        histories += 1
        if time.perf_counter() - began > chosen.seconds:
            break
    took = time.perf_counter() - began
    print(
        f"{histories:.0f} histories, {hours:.0f} hours simulated in {took:.0f} s, "
        f"{operations / took:.0f} requests/s; failed: {failed or 'none'}"
    )
    return 1 if failed else 0


raise SystemExit(main())
