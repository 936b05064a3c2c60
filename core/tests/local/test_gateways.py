"""Gateways of a run: opened here, and asked for streams until they have them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import BaseModel, Field

from penstock.local.gateways import LocalGateways
from penstock.local.output import Output
from penstock.plugin import (
    Address,
    Capability,
    Gateway,
    GatewayKind,
    Group,
    Health,
    Message,
    NotReady,
    PermanentError,
    Plugin,
    Plugins,
    PublishResult,
    Start,
    StreamSettings,
    Subscription,
    UsageError,
)
from penstock.resources.manifest import load
from penstock.resources.models import Stream
from penstock.workload import Connection

MANIFEST = """\
apiVersion: streaming.projectriff.io/v1alpha1
kind: SlowGateway
metadata: {name: slow}
spec: {brokerUrl: there}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Stream
metadata: {name: words}
spec: {gateway: {name: slow}, contentType: text/plain}
"""


class Spec(BaseModel):
    broker_url: str = Field(alias="brokerUrl")


class SlowGateway(Gateway):
    """Not ready at first; a plugin of somebody's."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.failures: list[Exception] = []
        self.health = Health(ready=True)

    async def check(self) -> Health:
        return self.health

    async def provision(self, stream: StreamSettings) -> Address:
        if self.failures:
            raise self.failures.pop(0)
        return Address(f"{stream.name}-{self.spec.broker_url}")

    async def deprovision(self, stream: StreamSettings) -> None:
        raise NotImplementedError

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        raise NotImplementedError

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        raise NotImplementedError

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        raise NotImplementedError

    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        raise NotImplementedError

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        raise NotImplementedError


class Slow(NamedTuple):
    """A gateway of that kind, open, and its one stream."""

    gateways: LocalGateways
    gateway: SlowGateway
    stream: Stream
    shown: StringIO


@pytest.fixture
def health() -> Health:
    """What the gateway says of itself when it is opened."""
    return Health(ready=True)


@pytest.fixture
async def slow(tmp_path: Path, health: Health) -> AsyncIterator[Slow]:
    made: list[SlowGateway] = []

    def make(spec: Spec) -> Gateway:
        made.append(SlowGateway(spec))
        made[-1].health = health
        return made[-1]

    kind = GatewayKind("SlowGateway", Spec, frozenset[Capability](), "Slow.")
    plugins = Plugins({kind.name: Plugin("slow", "penstock-slow", "1", kind, make, make)})
    (tmp_path / "app.yaml").write_text(MANIFEST)
    manifests = load([tmp_path / "app.yaml"], plugins)
    shown = StringIO()
    async with AsyncExitStack() as stack:
        gateways = LocalGateways(plugins, stack, Output([], shown))
        await gateways.open(manifests.gateways[0])
        yield Slow(gateways, made[0], manifests.streams[0], shown)


async def test_a_gateway_is_made_from_its_spec_and_served(slow: Slow) -> None:
    binding = await slow.gateways.provision(slow.stream)
    assert binding.topic == "words-there"
    assert binding.content_type == "text/plain"
    assert f'SlowGateway "slow" serves {binding.gateway}' in slow.shown.getvalue()


async def test_a_sidecar_may_connect_by_itself_where_the_plugin_can(slow: Slow) -> None:
    binding = await slow.gateways.provision(slow.stream)
    assert binding.connection == Connection("SlowGateway", {"brokerUrl": "there"})


async def test_a_gateway_that_is_not_ready_is_asked_again(slow: Slow) -> None:
    slow.gateway.failures = [
        NotReady("the broker is away", retry_after=0.001),
        NotReady("the broker is away", retry_after=0.001),
    ]
    binding = await slow.gateways.provision(slow.stream)
    assert binding.topic == "words-there"
    said = 'Stream "words" is not ready: the broker is away; trying again'
    assert slow.shown.getvalue().count(said) == 1


@pytest.mark.parametrize("health", [Health(ready=False, message="the broker is away")])
async def test_what_is_wrong_with_a_gateway_is_said_once_and_not_by_its_streams_too(
    slow: Slow,
) -> None:
    slow.gateway.failures = [
        NotReady("the broker is away", retry_after=0.001),
        NotReady("the topic has no leader", retry_after=0.001),
    ]
    await slow.gateways.provision(slow.stream)
    shown = slow.shown.getvalue()
    assert shown.count("the broker is away") == 1
    assert 'SlowGateway "slow" is not ready: the broker is away; trying again' in shown
    assert 'Stream "words" is not ready: the topic has no leader; trying again' in shown


async def test_a_stream_that_a_gateway_refuses_is_named_with_its_place(slow: Slow) -> None:
    slow.gateway.failures = [PermanentError("spec.partitions: too many")]
    with pytest.raises(UsageError) as refusal:
        await slow.gateways.provision(slow.stream)
    assert str(refusal.value).endswith('app.yaml:6: Stream "words": spec.partitions: too many')
