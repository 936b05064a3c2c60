"""The suite, for each broken gateway: run by `test_broken_gateways.py`, and all of it fails."""

import gc
from collections.abc import Callable
from typing import Any

import pytest

from core.tests.testing.broken import (
    acks,
    brokers,
    members,
    positions,
    publishing,
    reading,
    streams,
)
from core.tests.testing.broken.breakage import BREAKAGES, Breakage
from penstock.testing import Backend, GatewayConformance

PATIENCE = 0.4  # seconds; what is awaited in vain is never going to come

MODULES = (acks, brokers, members, positions, publishing, reading, streams)
"""They write down what is broken when they are imported."""

# What is broken leaves tasks behind. Some Pythons 3.11 fail (AST constructor recursion depth) when
# garbage is collected, and complains, while pytest reads the source of a failure.
gc.disable()


def backend_of(breakage: Breakage) -> Callable[[Any], Backend]:
    """What the class of a broken gateway gives."""
    return lambda self: Backend(**{"patience": PATIENCE, **breakage.options})  # noqa: ARG005


for breakage in BREAKAGES:
    fixture = pytest.fixture(name="backend")(backend_of(breakage))
    globals()[breakage.suite] = type(breakage.suite, (GatewayConformance,), {"backend": fixture})
