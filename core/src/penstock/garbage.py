"""Garbage collection in processes that carry messages."""

import gc

YOUNG_OBJECTS = 10_000
YOUNG_RUNS = 20
MIDDLE_RUNS = 100


def collect_seldom() -> None:
    """Have Python look for cycles less often; called once, when everything is imported.

    Messages hold no cycles, so counting references frees them. By default each 700 new objects
    are searched all the same, and every now and then all objects there are: with a million
    messages held that is a pause of 50 ms, and takes a third of the throughput.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, YOUNG_RUNS, MIDDLE_RUNS)
