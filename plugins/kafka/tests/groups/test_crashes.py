"""Members that are killed, or stand still for longer than their session."""

from penstock_kafka.groups.membership import SESSION_SECONDS
from plugins.kafka.tests.groups.broker import Broker
from plugins.kafka.tests.groups.conftest import Join, OpenGroups, StartMember
from plugins.kafka.tests.groups.waiting import until

IDS = {at: range(10) for at in range(4)}


async def test_what_a_killed_member_had_goes_to_the_others_behind_its_acks(
    broker: Broker, topic: str, join: Join, start_member: StartMember
) -> None:
    await broker.publish(topic, IDS)
    process = await start_member()
    await process.until_holding(4)
    for at in range(4):
        await process.until_read(at, 9)
    process.ack(dict.fromkeys(range(4), 5))
    await process.until_said(lambda line: "acked" in line, "it acks")
    await process.kill()
    member = await join()
    await member.until_holding(4, patience=SESSION_SECONDS + 15)
    await until(lambda: len(member.ids) == 16, "what was not acked is read again")
    assert member.of(0) == [6, 7, 8, 9]


async def test_a_zombie_does_not_move_positions_and_recovers_by_itself(
    broker: Broker,
    topic: str,
    open_groups: OpenGroups,
    join: Join,
    start_member: StartMember,
) -> None:
    await broker.publish(topic, IDS)
    process = await start_member()
    await process.until_holding(4)
    for at in range(4):
        await process.until_read(at, 9)
    groups = open_groups()
    process.freeze()
    process.ack(dict.fromkeys(range(4), 3))
    member = await join(acks=True)
    await member.until_holding(4, patience=SESSION_SECONDS + 15)
    await until(lambda: len(member.ids) == 40, "all is read again")

    async def all_is_acked() -> bool:
        return (await groups.positions(topic, process.group)).get(0) == dict.fromkeys(range(4), 9)

    await until(all_is_acked, "all is acked")
    process.thaw()
    # What it had is lost, at once and without a grace; then it is a member like others.
    await process.until_said(lambda line: line.get("grace") == 0, "it has lost all")
    await process.until_said(lambda line: "acked" in line, "its late ack is dropped")
    assert await all_is_acked()
    await process.until_holding(2)
    await member.until_holding(2)
    assert {"revoked": [0, 1, 2, 3], "grace": 0} in process.said
    await broker.publish(topic, {at: [10] for at in range(4)})
    for at in process.partitions:
        await process.until_read(at, 10)
    await member.until_read([10])
