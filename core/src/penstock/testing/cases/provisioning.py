"""Provisioning."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from uuid import uuid4

from penstock.plugin import Address, Capability, Gateway, PermanentError, StreamSettings
from penstock.testing.expectation import expect, refused
from penstock.testing.filling import numbers
from penstock.testing.promise import ONLY_IN_PROCESS, Chapter, promise
from penstock.testing.rig import Rig

MADE = "Make what a stream needs, or find it made; asked twice, it answers the same."
IMPOSSIBLE = "PermanentError: The settings are impossible here; the text names the field."


class Provisioning(Chapter):
    """`Gateway.provision`."""

    title = "provisioning"

    @promise(Address, "topic: Its name in the messaging system, as publish and subscribe take it.")
    async def test_the_topic_of_a_stream_can_be_used(self, rig: Rig) -> None:
        address = await rig.provision(rig.stream())
        await rig.publish(address.topic, numbers(5))
        await rig.read_all(address.topic, 5)

    @promise(
        StreamSettings,
        "partitions: How many are wanted; ``None`` leaves it to the gateway.",
        not_over=ONLY_IN_PROCESS,
    )
    async def test_a_stream_may_leave_its_partitions_to_the_gateway(self, rig: Rig) -> None:
        stream = rig.stream(partitions=None)
        address = await rig.provision(stream)
        expect("what differs from what was declared", address.drift, ())
        await rig.publish(address.topic, numbers(5))
        expect("the second answer", await rig.provision(stream), address)
        await rig.read_all(address.topic, 5)

    @promise(Gateway.provision, MADE, not_over=ONLY_IN_PROCESS)
    async def test_asked_twice_it_answers_the_same(self, rig: Rig) -> None:
        stream = rig.stream()
        first = await rig.provision(stream)
        await rig.publish(first.topic, numbers(5))
        expect("the second answer", await rig.provision(stream), first)
        await rig.read_all(first.topic, 5)

    @promise(Gateway.provision, MADE, not_over=ONLY_IN_PROCESS)
    async def test_asked_by_several_at_once_it_answers_the_same(self, rig: Rig) -> None:
        stream = rig.stream(partitions=3)
        async with AsyncExitStack() as opened:
            gateways = [rig.gateway] * 3
            if rig.offers(Capability.DURABLE):  # otherwise there is no other process to ask
                other = await opened.enter_async_context(rig.another())
                gateways += [other.gateway] * 3
            answers = await asyncio.gather(*(gateway.provision(stream) for gateway in gateways))
        expect("the answers", answers, answers[:1] * len(answers))
        await rig.publish(answers[0].topic, numbers(5))
        await rig.read_all(answers[0].topic, 5)

    @promise(
        StreamSettings,
        "namespace, name: DNS-1123 labels; together they are unique within a gateway.",
        not_over=ONLY_IN_PROCESS,
    )
    async def test_no_two_streams_share_a_topic(self, rig: Rig) -> None:
        space = f"c-{uuid4().hex[:12]}"
        names = [(space, "a"), (space, "b"), (f"{space}-a", "b"), (space, "a-b")]
        streams = [rig.stream(namespace=namespace, name=name) for namespace, name in names]
        topics = [(await rig.provision(stream)).topic for stream in streams]
        expect("how many topics four streams have", len(set(topics)), 4)
        await rig.publish(topics[0], numbers(5))
        ends = [len(await rig.end_positions(topic)) for topic in topics]
        expect("which of four topics have records", ends, [1, 0, 0, 0])

    @promise(
        Gateway.stream_of,
        "Say which stream a topic is of, by its name alone, whether or not it is provisioned.",
        not_over=ONLY_IN_PROCESS,
    )
    async def test_the_stream_of_a_topic_is_known(self, rig: Rig) -> None:
        stream = rig.stream()
        topic = (await rig.provision(stream)).topic
        expect("whose topic it is", rig.gateway.stream_of(topic), (stream.namespace, stream.name))
        async with rig.another() as other:
            found = other.gateway.stream_of(topic)
        expect("whose another process thinks it is", found, (stream.namespace, stream.name))

    @promise(
        Gateway.stream_of,
        "``None``: no stream of this gateway has such a topic.",
        not_over=ONLY_IN_PROCESS,
    )
    async def test_a_topic_of_no_stream_is_of_no_stream(self, rig: Rig) -> None:
        topic = (await rig.provision(rig.stream())).topic
        for stranger in ("", "_", "a", "_a", "a_", "A_b", "a_b_c", f"x{topic}_", f"_{topic}"):
            expect(f"the stream of topic {stranger!r}", rig.gateway.stream_of(stranger), None)

    @promise(Gateway.provision, IMPOSSIBLE, not_over=ONLY_IN_PROCESS)
    async def test_impossible_partitions_are_refused(self, rig: Rig) -> None:
        for impossible in (0, -1):
            with refused(
                PermanentError, f"a stream of {impossible} partitions", naming="partition"
            ):
                await rig.provision(replace(rig.stream(), partitions=impossible))

    @promise(Gateway.provision, IMPOSSIBLE, not_over=ONLY_IN_PROCESS)
    async def test_a_setting_that_there_is_not_is_refused(self, rig: Rig) -> None:
        stream = rig.stream(config={"no.such.setting": "1"})
        with refused(
            PermanentError, "a stream with a setting of its own", naming="no.such.setting"
        ):
            await rig.provision(stream)
