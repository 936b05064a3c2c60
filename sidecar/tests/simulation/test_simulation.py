"""Histories of a fixed set of seeds; `PENSTOCK_SIMULATION_SEED` repeats one of any other."""

import logging
import os
from collections.abc import Iterator

import pytest

from sidecar.tests.simulation.history import run

UNEXPLAINED = (7, 9, 21, 40, 43, 50)
"""Histories that fail, of which nobody has found out yet whether the simulation or what it runs is
to blame. This is a debt: take them out one by one."""

SEEDS = [
    pytest.param(seed, marks=pytest.mark.xfail(strict=False)) if seed in UNEXPLAINED else seed
    for seed in range(100)
]
CHOSEN = os.environ.get("PENSTOCK_SIMULATION_SEED")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The pump says in the log whatever goes wrong, and here everything does."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("seed", [int(CHOSEN)] if CHOSEN else SEEDS)
def test_nothing_is_lost_and_nothing_is_acked_early(seed: int) -> None:
    run(seed)


@pytest.mark.parametrize("seed", [3, 14])
def test_a_seed_is_always_the_same_history(seed: int) -> None:
    assert run(seed) == run(seed)
