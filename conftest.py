"""Fixtures for the tests of all packages, and what holds for all of them."""

import signal

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.servers.fixtures"]

# What is started in the background of a shell ignores Ctrl-C, and so would what the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says only how busy the machine is.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
