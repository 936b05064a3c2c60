"""Fixtures of the runs with Kafka."""

from pathlib import Path
from uuid import uuid4

import pytest

from tests.command_line import Penstock


@pytest.fixture
def penstock(tmp_path: Path) -> Penstock:
    """The command line, in a state folder of the test's."""
    return Penstock(tmp_path / "state")


@pytest.fixture
def prefix() -> str:
    """What the names of the test's topics begin with."""
    return f"{uuid4().hex[:12]}."
