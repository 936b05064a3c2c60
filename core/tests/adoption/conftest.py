"""Manifests of other systems, and the command that reads them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from penstock.adoption import ORIGINS, Adopted, adopt
from penstock.cli.root import penstock
from penstock.resources.files import Text

MANIFESTS = Path(__file__).parent / "manifests"
KINDS = ("InMemoryGateway", "KafkaGateway")

Run = Callable[..., Result]
Read = Callable[[str, str], Adopted]


@pytest.fixture
def run() -> Run:
    """The command line, in this process."""

    def run(*arguments: str, stdin: str | bytes = "") -> Result:
        environment = {**os.environ, "PENSTOCK_DEBUG": ""}
        environment.pop("PENSTOCK_DEBUG")
        return CliRunner(env=environment).invoke(penstock, arguments, input=stdin)

    return run


@pytest.fixture
def read() -> Read:
    """What becomes of a text that is read as the file app.yaml."""
    return lambda origin, text: adopt(ORIGINS[origin], [Text(Path("app.yaml"), text)], KINDS)
