"""Streams of a run, made side by side."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from io import StringIO
from pathlib import Path

import pytest

from penstock.local.gateways import LocalGateways
from penstock.local.output import Output
from penstock.local.streams import LocalStreams
from penstock.plugin import (
    Address,
    Capability,
    GatewayKind,
    NotReady,
    PermanentError,
    Plugin,
    Plugins,
    StreamSettings,
    UsageError,
)
from penstock.resources.manifest import load
from penstock_inmemory import InMemoryGateway, InMemoryGatewaySpec

GATEWAY = """\
apiVersion: streaming.projectriff.io/v1alpha1
kind: MoodyGateway
metadata: {name: GATEWAY}
---
"""
STREAM = """\
apiVersion: streaming.projectriff.io/v1alpha1
kind: Stream
metadata: {name: STREAM}
spec: {gateway: {name: GATEWAY}}
---
"""
ALL = GATEWAY + STREAM.replace("STREAM", "GATEWAY-a") + STREAM.replace("STREAM", "GATEWAY-b")


class MoodyGateway(InMemoryGateway):
    """Refuses some streams."""

    def __init__(self, refusals: Mapping[str, Exception]) -> None:
        super().__init__()
        self._refusals = refusals

    async def provision(self, stream: StreamSettings) -> Address:
        if refusal := self._refusals.get(stream.name):
            raise refusal
        return await super().provision(stream)


async def opened(folder: Path, refusals: Mapping[str, Exception], wanted: int) -> LocalStreams:
    """Two gateways with two streams each; comes back when so many streams are there."""
    kind = GatewayKind("MoodyGateway", InMemoryGatewaySpec, frozenset[Capability](), "Moody.")
    plugin = Plugin("moody", "penstock-moody", "1", kind, lambda _: MoodyGateway(refusals), None)
    plugins = Plugins({kind.name: plugin})
    manifest = folder / "app.yaml"
    manifest.write_text(ALL.replace("GATEWAY", "first") + ALL.replace("GATEWAY", "second"))
    manifests = load([manifest], plugins)
    async with AsyncExitStack() as stack:
        gateways = LocalGateways(plugins, stack, Output([], StringIO()))
        streams = LocalStreams(manifests.streams, gateways)
        enough = asyncio.Event()

        def found() -> None:
            if len(streams.running) == wanted:
                enough.set()

        opening = asyncio.create_task(streams.open(manifests.gateways, found))
        waiting = asyncio.create_task(enough.wait())
        async with asyncio.timeout(10):
            await asyncio.wait({opening, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            opening.cancel()
        waiting.cancel()
        await asyncio.wait({opening, waiting})
        if not opening.cancelled():
            opening.result()
        return streams


async def test_a_stream_that_is_not_ready_holds_up_no_other(tmp_path: Path) -> None:
    away = {"first-a": NotReady("the broker is away"), "second-b": NotReady("no leader")}
    streams = await opened(tmp_path, away, wanted=2)
    assert [stream.name for stream in streams.running] == ["first-b", "second-a"]
    assert set(streams.bindings) == {("default", "first-b"), ("default", "second-a")}


async def test_a_stream_that_is_refused_ends_it(tmp_path: Path) -> None:
    refusals = {"first-a": NotReady("away"), "second-a": PermanentError("partitions: too many")}
    with pytest.raises(UsageError, match='Stream "second-a": partitions: too many'):
        await opened(tmp_path, refusals, wanted=4)
