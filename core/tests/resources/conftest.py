"""Plugins, a way to read a manifest that stands in the test, and the API server's rules."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from textwrap import dedent
from types import CodeType
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from penstock.duration import parse_duration
from penstock.plugin import BrokenPlugin, Gateway, GatewayKind, Plugin, Plugins
from penstock.resources.manifest import Manifests, load
from penstock.resources.structural_schema import Schema


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


class _Object:
    """An object as CEL sees it."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        for name, value in fields.items():
            setattr(self, name, _Object(value) if isinstance(value, dict) else value)


class _Span(float):
    """A duration as CEL has it, in seconds."""

    def getMilliseconds(self) -> int:  # noqa: N802 - as CEL calls it
        return round(self * 1000)


def _has(field: Callable[[], object]) -> bool:
    try:
        field()
    except AttributeError:
        return False
    return True


@cache
def _compiled(expression: str) -> CodeType:
    """A rule as Python: what of CEL the rules use differs in a few signs."""
    text = re.sub(r"\((\([^?]*\)) \? ([^:]*) : ([^)]*)\)", r"(\2 if \1 else \3)", expression)
    text = re.sub(r"has\(([\w.]+)\)", r"has(lambda: \1)", text)
    text = re.sub(r"!(?!=)", " not ", text.replace("&&", " and ").replace("||", " or "))
    return compile(text.strip(), expression, "eval")


def _holds(expression: str, value: Any) -> bool:
    names = {
        "self": _Object(value) if isinstance(value, dict) else value,
        "has": _has,
        "string": str,
        "duration": lambda text: _Span(parse_duration(text)),
    }
    try:
        return bool(eval(_compiled(expression), names))
    except ValueError:
        return False  # as where CEL ends with an error


def _broken(schema: Schema, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, field in schema.get("properties", {}).items():
            if "default" in field and name not in value:
                value = {**value, name: field["default"]}
            if name in value:
                yield from _broken(field, value[name])
    for rule in schema.get("x-kubernetes-validations", ()):
        if not _holds(rule["rule"], value):
            yield rule["message"]


@pytest.fixture
def broken_rules() -> Callable[[Schema, Any], list[str]]:
    """What the API server says of a value by the rules in its schema, defaults put in."""
    return lambda schema, value: list(_broken(schema, value))
