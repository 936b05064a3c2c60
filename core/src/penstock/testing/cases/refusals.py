"""What a gateway does not declare, it refuses clearly."""

from dataclasses import replace

from penstock.plugin import (
    AtOffsets,
    AtTime,
    Capability,
    Gateway,
    PubSub,
    Retention,
    Unsupported,
)
from penstock.testing.expectation import refused
from penstock.testing.promise import ONLY_IN_PROCESS, Chapter, promise
from penstock.testing.rig import Rig
from penstock.testing.way import Way

REST = "The host asks only for what is declared; a gateway answers the rest with `Unsupported`."

SUBSCRIBING = (
    "Unsupported: The gateway has no `SEEK` and `start` is not an edge, or no `VERSIONS` and the "
    "group has one."
)


class Refusals(Chapter):
    """`Unsupported`, for each capability that can be asked for."""

    title = "refusals"

    @promise(
        PubSub.subscribe,
        SUBSCRIBING,
        refuses=Capability.SEEK,
        not_over={Way.RIFF: "riff's protocol knows the earliest and the latest alone"},
    )
    async def test_offsets_and_times_are_refused(self, rig: Rig) -> None:
        topic = await rig.topic()
        for start in (AtOffsets({0: 0}), AtTime(0)):
            with refused(Unsupported, f"subscribing at {start}"):
                await rig.subscribe(topic, rig.group(), start)

    @promise(PubSub.locate, "Unsupported: The gateway has no `SEEK`.", refuses=Capability.SEEK)
    async def test_locating_a_time_is_refused(self, rig: Rig) -> None:
        topic = await rig.topic()
        with refused(Unsupported, "locating a time"):
            await rig.locate(topic, AtTime(0))

    @promise(PubSub.subscribe, SUBSCRIBING, refuses=Capability.VERSIONS)
    async def test_versions_are_refused(self, rig: Rig) -> None:
        topic = await rig.topic()
        with refused(Unsupported, "subscribing with version 1 of a group"):
            await rig.subscribe(topic, rig.group(version=1))

    @promise(
        PubSub.ack,
        "Unsupported: The gateway has no `ACK_BY_OTHERS`.",
        refuses=Capability.ACK_BY_OTHERS,
    )
    async def test_acks_by_others_are_refused(self, rig: Rig) -> None:
        topic = await rig.topic()
        with refused(Unsupported, "an ack by who is not subscribed"):
            await rig.ack(topic, rig.group(), {0: 1})

    @promise(Capability, REST, refuses=Capability.PARTITIONS, not_over=ONLY_IN_PROCESS)
    async def test_several_partitions_are_refused(self, rig: Rig) -> None:
        with refused(Unsupported, "a stream of two partitions", naming="partitions"):
            await rig.provision(replace(rig.stream(), partitions=2))

    @promise(Capability, REST, refuses=Capability.RETENTION, not_over=ONLY_IN_PROCESS)
    async def test_bounds_of_retention_are_refused(self, rig: Rig) -> None:
        for bound in (Retention(messages=10), Retention(bytes=10**6), Retention(seconds=60)):
            with refused(Unsupported, f"a stream with {bound}", naming="retention"):
                await rig.provision(rig.stream(retention=bound))

    @promise(
        Gateway.deprovision,
        "Unsupported: The gateway has no `DEPROVISION`.",
        refuses=Capability.DEPROVISION,
        not_over=ONLY_IN_PROCESS,
    )
    async def test_deprovisioning_is_refused(self, rig: Rig) -> None:
        stream = rig.stream()
        await rig.provision(stream)
        with refused(Unsupported, "deprovisioning"):
            await rig.gateway.deprovision(stream)
