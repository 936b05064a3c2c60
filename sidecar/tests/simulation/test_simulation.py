"""Histories of a fixed set of seeds; `PENSTOCK_SIMULATION_SEED` repeats one of any other."""

import logging
import os
from collections.abc import Iterator

import pytest

from sidecar.tests.simulation.history import run

CHOSEN = os.environ.get("PENSTOCK_SIMULATION_SEED")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The pump says in the log whatever goes wrong, and here everything does."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("seed", [int(CHOSEN)] if CHOSEN else range(100))
def test_nothing_is_lost_and_nothing_is_acked_early(seed: int) -> None:
    run(seed)


@pytest.mark.parametrize("seed", [3, 14])
def test_a_seed_is_always_the_same_history(seed: int) -> None:
    assert run(seed) == run(seed)
