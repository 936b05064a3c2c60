"""Runs the benchmarks and prints what they found: `make bench`.

`python -m benchmarks engine`, `memory` or `kafka` runs one part alone.
"""

import asyncio
import sys

from benchmarks import engine, memory
from benchmarks.kafka import measurements

PARTS = {"engine": engine.measure, "memory": memory.measure, "kafka": measurements.measure}


async def main() -> None:
    """Run what is asked for, or all of it."""
    for part in sys.argv[1:] or PARTS:
        await PARTS[part]()


if __name__ == "__main__":
    asyncio.run(main())
