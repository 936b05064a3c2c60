"""Manifests of other systems, and the command that reads them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from penstock.adoption import ORIGINS, Adopted, adopt
from penstock.cli.root import penstock
from penstock.plugin import load_plugins
from penstock.resources.files import Text

Run = Callable[..., Result]
Read = Callable[[str, str], Adopted]


@pytest.fixture
def run() -> Run:
    """The command line, in this process."""

    def run(*arguments: str, stdin: str | bytes = "") -> Result:
        return CliRunner(env={"PENSTOCK_DEBUG": None}).invoke(penstock, arguments, input=stdin)

    return run


@pytest.fixture
def read() -> Read:
    """What becomes of a text that is read as the file app.yaml."""
    plugins = load_plugins()
    return lambda origin, text: adopt(ORIGINS[origin], [Text(Path("app.yaml"), text)], plugins)
