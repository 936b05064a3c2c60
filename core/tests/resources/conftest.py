"""Plugins, and a way to read a manifest that stands in the test."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from pydantic import BaseModel, ConfigDict, Field

from penstock.plugin import BrokenPlugin, Gateway, GatewayKind, Plugin, Plugins
from penstock.resources.manifest import Manifests, load


class MemorySpec(BaseModel):
    """Settings of a gateway that needs none."""

    model_config = ConfigDict(extra="forbid")

    partitions: int = Field(default=1, ge=1, description="Partitions of a stream.")


class KafkaSpec(BaseModel):
    """Settings of a gateway that needs one; a plugin's author need not refuse unknown fields."""

    bootstrapServers: str = Field(description="Brokers, as in kafka:9092.")  # noqa: N815


class PulsarSpec(BaseModel):
    """As riff has it, with a name that is not quite camelCase."""

    serviceURL: str = Field(  # noqa: N815
        pattern=r"^pulsar(\+ssl)?://", description="A URL, as in pulsar://pulsar:6650."
    )


def _no_gateway(spec: object) -> Gateway:
    raise AssertionError(f"reading a manifest opens no gateway: {spec}")


def _plugin(kind: str, spec: type[BaseModel]) -> Plugin:
    described = GatewayKind(kind, spec, frozenset(), f"Streams of {kind}.")
    return Plugin(described.type, f"penstock-{described.type}", "1.0", described, _no_gateway, None)


@pytest.fixture
def plugins() -> Plugins:
    """Only the plugin of memory is there, and one that is broken."""
    broken = BrokenPlugin("pulsar", "penstock-pulsar", "0.3", "importing it raised OSError: gone")
    return Plugins({"InMemoryGateway": _plugin("InMemoryGateway", MemorySpec)}, (broken,))


@pytest.fixture
def riff_plugins(plugins: Plugins) -> Plugins:
    """The plugins of all three kinds of gateway that riff had."""
    more = {
        "KafkaGateway": _plugin("KafkaGateway", KafkaSpec),
        "PulsarGateway": _plugin("PulsarGateway", PulsarSpec),
    }
    return Plugins({**plugins.by_kind, **more})


@pytest.fixture
def riff_kind(riff_plugins: Plugins) -> GatewayKind:
    """A kind of gateway whose spec requires something."""
    return riff_plugins.by_kind["KafkaGateway"].kind


Read = Callable[..., Manifests]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugins: Plugins) -> Read:
    """Reads a text as the file app.yaml of the working directory."""
    monkeypatch.chdir(tmp_path)

    def read(text: str, using: Plugins = plugins, *, local: bool = True) -> Manifests:
        Path("app.yaml").write_text(dedent(text))
        return load([Path("app.yaml")], using, local=local)

    return read


@pytest.fixture
def problems(read: Read) -> Callable[[str], list[str]]:
    """What is wrong with a text that is read as app.yaml, line by line."""
    return lambda text: [str(one) for one in read(text).problems]
