import ast
from pathlib import Path

import pytest
from pydantic import ValidationError

import penstock_inmemory
from penstock.plugin import Capability, Plugin, load_plugins
from penstock_inmemory import InMemoryGateway


@pytest.fixture
def plugin() -> Plugin:
    return load_plugins().by_kind["InMemoryGateway"]


def test_it_is_found_and_promises_all_but_durability(plugin: Plugin) -> None:
    assert (plugin.name, plugin.distribution) == ("inmemory", "penstock-inmemory")
    assert plugin.kind.type == "inmemory"
    assert set(Capability) - plugin.kind.capabilities == {Capability.DURABLE}
    assert plugin.pubsub is None


async def test_a_gateway_needs_no_spec(plugin: Plugin) -> None:
    async with plugin.make_gateway({}) as gateway:
        assert isinstance(gateway, InMemoryGateway)
        assert (await gateway.check()).ready


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"partition": 1}, "partition"),
        ({"partitions": 0}, "partitions"),
        ({"partitions": 10_001}, "partitions"),
        ({"retention": {"hours": 1}}, "retention.hours"),
        ({"retention": {"messages": 0}}, "retention.messages"),
        ({"retention": {"bytes": 0}}, "retention.bytes"),
        ({"retention": {"time": 60}}, "retention.time"),
        ({"retention": {"time": "0s"}}, "retention.time"),
        ({"retention": {"messages": "9"}}, "retention.messages"),
    ],
)
def test_a_spec_that_does_not_fit_is_refused(
    plugin: Plugin, spec: dict[str, object], field: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        plugin.make_gateway(spec)
    assert [".".join(map(str, e["loc"])) for e in refusal.value.errors()] == [field]


def test_of_penstock_it_imports_the_plugin_contract_alone() -> None:
    [root] = penstock_inmemory.__path__
    imported = {
        name
        for file in Path(root).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        for name in _imports(node)
    }
    assert {name for name in imported if name.split(".")[0] == "penstock"} == {"penstock.plugin"}


def _imports(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names):
            return [one.name for one in names]
        case ast.ImportFrom(str(module)):
            return [module]
    return []
