"""Offsets that have no record: of transactions, of compaction, and of what was aborted."""

from penstock.plugin import Edge
from plugins.kafka.tests.groups.broker import Broker, store
from plugins.kafka.tests.groups.conftest import Join, OpenGroups
from plugins.kafka.tests.groups.waiting import until
from tests.servers.fixtures import OwnKafka


async def test_aborted_transactions_are_not_delivered(
    broker: Broker, topic: str, join: Join
) -> None:
    async with broker.producer(transactional_id=f"{topic}-1") as producer:
        for number in range(0, 40, 10):
            await producer.begin_transaction()
            await store(producer, topic, 0, range(number, number + 10))
            if number % 20:
                await producer.abort_transaction()
            else:
                await producer.commit_transaction()
    await broker.publish(topic, {0: [99]})
    member = await join()
    await member.until_read([99])
    assert member.of(0) == [*range(10), *range(20, 30), 99]


async def test_transactions_that_are_mixed_are_told_apart(
    broker: Broker, topic: str, join: Join
) -> None:
    async with (
        broker.producer(transactional_id=f"{topic}-1") as aborted,
        broker.producer(transactional_id=f"{topic}-2") as committed,
        broker.producer() as plain,
    ):
        await aborted.begin_transaction()
        await committed.begin_transaction()
        for number in range(5):
            await store(aborted, topic, 0, [number])
            await store(committed, topic, 0, [10 + number])
            await store(plain, topic, 0, [20 + number])
        member = await join()
        await aborted.abort_transaction()
        await committed.commit_transaction()
        await aborted.begin_transaction()
        await store(aborted, topic, 0, [30])
        await aborted.commit_transaction()
    await member.until_read([30])
    assert sorted(member.of(0)) == [*range(10, 15), *range(20, 25), 30]


async def test_a_transaction_that_is_open_is_not_delivered_until_it_is_committed(
    broker: Broker, topic: str, join: Join
) -> None:
    async with broker.producer(transactional_id=f"{topic}-1") as producer:
        await producer.begin_transaction()
        await store(producer, topic, 0, range(5))
        await broker.publish(topic, {0: range(10, 15), 1: [1]})
        # Where nothing is committed, the end is before the transaction.
        member = await join(Edge.LATEST)
        await broker.publish(topic, {1: [2]})
        await member.until_read([2])
        assert 0 not in member.records
        await producer.commit_transaction()
    await member.until_read([*range(5), *range(10, 15)])
    assert member.of(1) == [2]


async def test_a_position_behind_a_marker_is_at_the_end(
    broker: Broker, topic: str, join: Join
) -> None:
    async with broker.producer(transactional_id=f"{topic}-1") as producer:
        await producer.begin_transaction()
        await store(producer, topic, 0, range(5))
        await producer.commit_transaction()
        first = await join()
        await first.until_read(range(5))
        await first.ack_all()
        await first.close()
        second = await join()
        await producer.begin_transaction()
        await store(producer, topic, 0, [5])
        await producer.commit_transaction()
        await second.until_read([5])
    assert second.of(0) == [5]


async def test_what_compaction_has_removed_is_passed_over(
    own_kafka: OwnKafka, open_groups: OpenGroups, join: Join
) -> None:
    server = own_kafka({"log.cleaner.backoff.ms": "50", "log.retention.check.interval.ms": "100"})
    broker = Broker(server.bootstrap_servers)
    topic = "compacted"
    await broker.make(
        topic,
        1,
        cleanup_policy="compact",
        segment_ms=100,
        min_cleanable_dirty_ratio="0.01",
        max_compaction_lag_ms=100,
        delete_retention_ms=0,
    )
    async with broker.producer() as producer:
        for number in range(200):
            await producer.send(topic, b"%d" % number, key=b"%d" % (number % 7))
        await producer.flush()

        async def is_compacted() -> bool:
            # A segment is closed with the first record after its time.
            await producer.send_and_wait(topic, b"1000", key=b"last")
            return len(await broker.offsets(topic)) < 100

        groups = open_groups(server.bootstrap_servers)
        await until(is_compacted, "it is compacted")
    member = await join(groups=groups, topic=topic)
    await member.until_read([*range(193, 200), 1000])
    offsets = [record.offset for record in member.records[0]]
    assert offsets == sorted(set(offsets))
    assert len(offsets) < offsets[-1]
