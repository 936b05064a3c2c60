"""Runs the benchmarks and prints what they found: `make bench`.

`python -m benchmarks memory` or `kafka` runs the one half alone.
"""

import asyncio
import sys

from benchmarks import memory
from benchmarks.kafka import measurements

HALVES = {"memory": memory.measure, "kafka": measurements.measure}


async def main() -> None:
    """Run what is asked for, or all of it."""
    for half in sys.argv[1:] or HALVES:
        await HALVES[half]()


if __name__ == "__main__":
    asyncio.run(main())
