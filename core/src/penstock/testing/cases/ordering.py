"""Order by key."""

from penstock.plugin import Capability, Message
from penstock.testing.expectation import expect
from penstock.testing.promise import Chapter, promise
from penstock.testing.rig import Rig

KEYS = 7


class Ordering(Chapter):
    """`Capability.ORDERED`."""

    title = "ordered by key"
    needs = frozenset({Capability.ORDERED})

    @promise(
        Capability.ORDERED,
        "Records of one key are delivered in the order in which they were published.",
    )
    async def test_records_of_one_key_are_delivered_in_their_order(self, rig: Rig) -> None:
        topic = await rig.topic(partitions=4)
        member = await rig.join(topic)
        for start in range(0, 300, 100):
            batch = [
                Message(b"%d" % number, key=b"%d" % (number % KEYS))
                for number in range(start, start + 100)
            ]
            await rig.publish(topic, batch)
        records = await member.until_read(300)
        for key in range(KEYS):
            of_key = [int(one.message.payload) for one in records if one.message.key == b"%d" % key]
            expect(f"messages of key {key}, as read", of_key, list(range(key, 300, KEYS)))

    @promise(
        Capability.ORDERED,
        "Records of one key are delivered in the order in which they were published.",
    )
    async def test_records_of_one_key_are_in_their_order_for_who_reads_them_later(
        self, rig: Rig
    ) -> None:
        topic = await rig.topic(partitions=4)
        for number in range(50):
            await rig.publish(topic, [Message(b"%d" % number, key=b"one")])
        member = await rig.read_all(topic, 50)
        expect("payloads as read", member.payloads, [b"%d" % number for number in range(50)])
