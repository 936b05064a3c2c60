"""Throw-away gateway plugins, installed as pip would: a module and its metadata on the path."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

InstallPlugin = Callable[[str, str], None]

GOOD_PLUGIN = """
    from pydantic import BaseModel
    from penstock.plugin import Capability, GatewayKind, hookimpl

    class Spec(BaseModel):
        url: str = "nowhere"

    @hookimpl
    def penstock_gateway_kind():
        return GatewayKind("{kind}", Spec, frozenset({{Capability.DURABLE}}), "A test.")

    @hookimpl
    def penstock_gateway_factory():
        return lambda spec: ("gateway at", spec.url)
"""


@pytest.fixture
def install_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InstallPlugin]:
    """Installs a plugin by the name of its entry point, from the source of its module."""
    monkeypatch.syspath_prepend(str(tmp_path))
    modules: list[str] = []

    def install(name: str, source: str) -> None:
        module = f"penstock_test_{name}"
        modules.append(module)
        (tmp_path / f"{module}.py").write_text(dedent(source))
        metadata = tmp_path / f"penstock_{name}-1.2.3.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: penstock-{name}\nVersion: 1.2.3\n"
        )
        (metadata / "entry_points.txt").write_text(f"[penstock.gateways]\n{name} = {module}\n")

    yield install
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture
def good_plugin() -> Callable[[str], str]:
    """The source of a plugin that works, for a kind of the given name."""
    return lambda kind: dedent(GOOD_PLUGIN).format(kind=kind)
