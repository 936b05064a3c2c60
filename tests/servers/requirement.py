"""Whether a test may be skipped because its server cannot be had."""

import os
from typing import NoReturn

import pytest


class Unavailable(Exception):
    """A server cannot be started on this machine: what is missing, and what to install."""


def skip(reason: Unavailable) -> NoReturn:
    """Skip the test with this reason; fail it where PENSTOCK_REQUIRE=all allows no skipping."""
    if os.environ.get("PENSTOCK_REQUIRE") == "all":
        pytest.fail(f"{reason} (PENSTOCK_REQUIRE=all: nothing may be skipped)", pytrace=False)
    pytest.skip(str(reason))
