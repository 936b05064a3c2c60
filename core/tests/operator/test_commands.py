from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from penstock.cli import controller, operator
from penstock.plugin import UsageError


def misuse(command: click.Command, *arguments: str) -> str:
    result = CliRunner().invoke(command, arguments)
    assert isinstance(result.exception, UsageError)
    return str(result.exception)


@pytest.fixture
def kubeconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


def test_a_type_that_is_not_installed_is_refused() -> None:
    said = misuse(operator.command, "--with", "inmemroy")
    assert said.startswith('there is no gateway of type "inmemroy"; did you mean "inmemory"?')
    assert 'there is no gateway of type "rabbit"' in misuse(controller.command, "rabbit")


def test_an_image_needs_a_type_that_is_served() -> None:
    assert "is not TYPE=IMAGE" in misuse(operator.command, "--gateway-image", "x")
    said = misuse(operator.command, "--with", "inmemory", "--gateway-image", "kafka=k:1")
    assert 'type "kafka" is not served' in said


@pytest.mark.parametrize("text", [None, "contexts: []", "just a text", "current-context: gone"])
def test_a_kubeconfig_that_cannot_be_used_is_named(kubeconfig: Path, text: str | None) -> None:
    if text is not None:
        kubeconfig.write_text(text)
    said = misuse(controller.command, "inmemory")
    assert f"the kubeconfig {kubeconfig} cannot be used" in said
