"""Fixtures for the tests of all packages."""

pytest_plugins = ["tests.servers.fixtures"]
