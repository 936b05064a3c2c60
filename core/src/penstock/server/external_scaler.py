"""KEDA's external-scaler contract: how many messages a consumer group has to do yet.

docs/autoscaling.md says what operators of a cluster have to know of it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, NamedTuple

import grpc

from penstock.observability.group_progress import GroupProgress
from penstock.plugin import (
    Edge,
    NotReady,
    PermanentError,
    PubSub,
    Unsupported,
    start_of_version,
)
from penstock.server.scaling_trigger import ScalingTrigger
from penstock.wire.protocol.externalscaler_pb2 import (
    GetMetricSpecResponse,
    GetMetricsRequest,
    GetMetricsResponse,
    IsActiveResponse,
    MetricSpec,
    MetricValue,
    ScaledObjectRef,
)
from penstock.wire.protocol.externalscaler_pb2_grpc import ExternalScalerServicer

PATIENCE: Final = 10.0
"""Seconds that the gateway has for an answer."""
REMEMBERED_BEGINNINGS: Final = 10_000
"""How many groups that begin at the latest, and have acked nothing, are remembered."""

_Context = grpc.aio.ServicerContext[Any, Any]


class _Lag(NamedTuple):
    messages: int
    partitions: int


class ExternalScaler(ExternalScalerServicer):
    """Answers KEDA, for any gateway; raises the errors of `penstock.plugin`.

    Args:
        gateway: Who knows the positions.
        interval: Seconds between two looks for whom `StreamIsActive` tells of changes.
        patience: As `PATIENCE`.
    """

    def __init__(self, gateway: PubSub, interval: float, patience: float = PATIENCE) -> None:
        self._gateway = gateway
        self._interval = interval
        self._patience = patience
        # Where a topic ended when a group that begins there was first asked about.
        self._beginnings: OrderedDict[tuple[str, str], Mapping[int, int]] = OrderedDict()

    async def IsActive(  # noqa: N802 - the protocol's name
        self,
        request: ScaledObjectRef,
        context: _Context,  # noqa: ARG002 - gRPC's signature
    ) -> IsActiveResponse:
        """Whether there is enough to do for a replica."""
        return IsActiveResponse(result=await self._is_active(_trigger(request)))

    async def StreamIsActive(  # noqa: N802 - the protocol's name
        self,
        request: ScaledObjectRef,
        context: _Context,  # noqa: ARG002 - gRPC's signature
    ) -> AsyncIterator[IsActiveResponse]:
        """The same, at once and with each change, until the client goes away."""
        trigger = _trigger(request)
        told: bool | None = None
        while True:
            active = await self._is_active(trigger)
            if active is not told:
                told = active
                yield IsActiveResponse(result=active)
            await asyncio.sleep(self._interval)

    async def GetMetricSpec(  # noqa: N802 - the protocol's name
        self,
        request: ScaledObjectRef,
        context: _Context,  # noqa: ARG002 - gRPC's signature
    ) -> GetMetricSpecResponse:
        """The metric's name, and how much of it calls for one replica; asks nobody."""
        trigger = _trigger(request)
        size = trigger.lag_threshold
        spec = MetricSpec(metricName=trigger.metric, targetSize=size, targetSizeFloat=size)
        return GetMetricSpecResponse(metricSpecs=[spec])

    async def GetMetrics(  # noqa: N802 - the protocol's name
        self,
        request: GetMetricsRequest,
        context: _Context,  # noqa: ARG002 - gRPC's signature
    ) -> GetMetricsResponse:
        """The metric's value."""
        trigger = _trigger(request.scaledObjectRef)
        name = request.metricName
        if not trigger.is_metric(name):
            raise PermanentError(
                f"metric {name[:300]!r} is not this trigger's: expected {trigger.metric}"
            )
        lag = await self._lag(trigger)
        value = trigger.value(lag.messages, lag.partitions)
        return GetMetricsResponse(
            metricValues=[MetricValue(metricName=name, metricValue=value, metricValueFloat=value)]
        )

    async def _is_active(self, trigger: ScalingTrigger) -> bool:
        return trigger.is_active((await self._lag(trigger)).messages)

    async def _lag(self, trigger: ScalingTrigger) -> _Lag:
        try:
            async with asyncio.timeout(self._patience):
                return await self._measure(trigger)
        except TimeoutError as error:
            raise NotReady(
                f"the lag of group {trigger.group} on topic {trigger.topic} is not known: the "
                f"gateway did not answer within {self._patience:g} s"
            ) from error

    async def _measure(self, trigger: ScalingTrigger) -> _Lag:
        topic, group = trigger.topic, trigger.group
        # The ends come last: what is added or removed meanwhile makes no lag negative.
        firsts = await self._firsts(topic)
        versions = await self._gateway.positions(topic, group.name)
        ends = await self._gateway.end_positions(topic)
        acked = versions.get(group.version, {})
        partitions = {*firsts, *ends, *acked}
        progress = GroupProgress()
        beginning = self._beginning(trigger, ends)
        progress.begin(start_of_version(group, versions, trigger.start, trigger.start), beginning)
        for partition, first in firsts.items():
            progress.gone(partition, first)
        lags = progress.lag(acked, ends, partitions)
        return _Lag(sum(lags.values()), len(partitions))

    async def _firsts(self, topic: str) -> Mapping[int, int]:
        """The first offset that is kept, by partition; empty where nobody can tell."""
        try:
            return await self._gateway.locate(topic, Edge.EARLIEST)
        except Unsupported:
            return {}

    def _beginning(self, trigger: ScalingTrigger, ends: Mapping[int, int]) -> Mapping[int, int]:
        """Where a group begins at the latest: gateways tell only what is acked."""
        if trigger.start is Edge.EARLIEST:
            return {}
        key = trigger.topic, str(trigger.group)
        beginning = self._beginnings.setdefault(key, ends)
        if any(ends.get(partition, end) < end for partition, end in beginning.items()):
            # The topic was made anew: all that is there came after the group was asked about.
            beginning = self._beginnings[key] = {}
        self._beginnings.move_to_end(key)
        if len(self._beginnings) > REMEMBERED_BEGINNINGS:
            self._beginnings.popitem(last=False)
        return beginning


def _trigger(request: ScaledObjectRef) -> ScalingTrigger:
    try:
        return ScalingTrigger.of(request.scalerMetadata)
    except PermanentError as error:
        raise PermanentError(f"ScaledObject {request.namespace}/{request.name}: {error}") from error
