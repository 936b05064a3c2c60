"""Deprovisioning."""

from penstock.plugin import Capability, Gateway
from penstock.testing.expectation import expect
from penstock.testing.filling import numbers
from penstock.testing.promise import ONLY_IN_PROCESS, Chapter, promise
from penstock.testing.rig import Rig

GONE = "Remove a stream and its data for good; a stream that is not there is no error."


class Deprovisioning(Chapter):
    """`Capability.DEPROVISION`."""

    title = "deprovision"
    needs = frozenset({Capability.DEPROVISION})

    @promise(Gateway.deprovision, GONE)
    async def test_a_stream_that_is_made_again_is_empty(self, rig: Rig) -> None:
        stream = rig.stream()
        topic = (await rig.provision(stream)).topic
        await rig.publish(topic, numbers(10))
        await rig.gateway.deprovision(stream)
        topic = (await rig.provision(stream)).topic
        expect("end positions of the new stream", dict(await rig.end_positions(topic)), {})
        await rig.publish(topic, numbers(3, start=10))
        member = await rig.read_all(topic, 3)
        expect("payloads as read", member.payloads, [b"10", b"11", b"12"])

    @promise(Gateway.deprovision, GONE)
    async def test_positions_of_its_groups_are_gone_with_it(self, rig: Rig) -> None:
        stream, group = rig.stream(), rig.group()
        topic = (await rig.provision(stream)).topic
        await rig.publish(topic, numbers(10))
        member = await rig.join(topic, group)
        await member.until_read(10)
        await member.ack_all()
        await rig.leave(member)
        await rig.gateway.deprovision(stream)
        topic = (await rig.provision(stream)).topic
        expect("positions on the new stream", dict(await rig.positions(topic, group)), {})
        await rig.publish(topic, numbers(3))
        await (await rig.join(topic, group)).until_read(3)

    @promise(Gateway.deprovision, GONE, not_over=ONLY_IN_PROCESS)
    async def test_a_stream_that_is_not_there_is_no_error(self, rig: Rig) -> None:
        stream = rig.stream()
        await rig.gateway.deprovision(stream)
        await rig.provision(stream)
        await rig.gateway.deprovision(stream)
        await rig.gateway.deprovision(stream)

    @promise(Gateway.deprovision, GONE, not_over=ONLY_IN_PROCESS)
    async def test_other_streams_stay(self, rig: Rig) -> None:
        stays, goes = rig.stream(), rig.stream()
        topic = (await rig.provision(stays)).topic
        await rig.provision(goes)
        await rig.publish(topic, numbers(5))
        await rig.gateway.deprovision(goes)
        await rig.read_all(topic, 5)
