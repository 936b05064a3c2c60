"""What penstock finds when the package is installed."""

import ast
from pathlib import Path

import pytest
from pydantic import ValidationError

import penstock_kafka
from penstock.plugin import Capability, Plugin, load_plugins
from penstock_kafka import KafkaGateway, KafkaGatewaySpec, KafkaPubSub


@pytest.fixture
def plugin() -> Plugin:
    return load_plugins().by_kind["KafkaGateway"]


def test_it_is_found_and_promises_everything(plugin: Plugin) -> None:
    assert (plugin.name, plugin.distribution) == ("kafka", "penstock-kafka")
    assert plugin.kind.type == "kafka"
    assert plugin.kind.capabilities == set(Capability)


async def test_it_makes_gateways_and_what_sidecars_need(plugin: Plugin) -> None:
    assert isinstance(plugin.make_gateway({"bootstrapServers": "127.0.0.1:1"}), KafkaGateway)
    assert plugin.pubsub is not None
    pubsub = plugin.pubsub(KafkaGatewaySpec(bootstrap_servers="127.0.0.1:1"))
    assert isinstance(pubsub, KafkaPubSub)
    assert not isinstance(pubsub, KafkaGateway), "a sidecar makes no topics"


async def test_a_gateway_opens_and_closes_without_a_cluster(plugin: Plugin) -> None:
    async with plugin.make_gateway({"bootstrapServers": "127.0.0.1:1"}) as gateway:
        health = await gateway.check()
    assert not health.ready
    assert health.message == "cannot connect to Kafka: 127.0.0.1:1: nothing listens there"


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({}, "bootstrapServers"),
        ({"bootstrapServers": ""}, "bootstrapServers"),
        ({"bootstrapServers": "a", "bootstrap": "a"}, "bootstrap"),
        ({"bootstrapServers": "a", "tls": {"verify": False}}, "tls.verify"),
        ({"bootstrapServers": "a", "auth": {"type": "none"}}, "auth"),
    ],
)
def test_a_spec_that_does_not_fit_is_refused(
    plugin: Plugin, spec: dict[str, object], field: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        plugin.make_gateway(spec)
    assert [".".join(map(str, e["loc"])) for e in refusal.value.errors()] == [field]


def test_of_penstock_it_imports_the_plugin_contract_alone() -> None:
    [root] = penstock_kafka.__path__
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
