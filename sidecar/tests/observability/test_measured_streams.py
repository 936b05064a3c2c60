"""An input that is counted: what it notes of partitions that go and come back."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from penstock.observability.group_progress import GroupProgress
from penstock.observability.traffic import ReadMeter
from penstock.plugin import Edge, Group, Message, StreamSettings
from penstock_inmemory import InMemoryGateway
from penstock_sidecar.observability.batch_latency import BatchLatency
from penstock_sidecar.observability.measured_streams import MeasuredInput


def meter() -> ReadMeter:
    def counter(name: str) -> Counter:
        return Counter(name, name, registry=CollectorRegistry())

    return ReadMeter(
        messages=counter("messages"),
        bytes=counter("bytes"),
        batches=Histogram("batches", "batches", registry=CollectorRegistry()),
        expired=counter("expired"),
        acks=counter("acks"),
        assigned=counter("assigned"),
        revoked=counter("revoked"),
        retried=lambda _: None,
    )


async def test_a_partition_that_comes_back_has_none_of_its_batches_of_before() -> None:
    times = iter(range(1, 100))
    async with InMemoryGateway(clock=lambda: next(times)) as store:
        topic = (await store.provision(StreamSettings("n", "in", partitions=2))).topic
        await store.publish(topic, [Message(b"x")] * 2)
        latency, group = BatchLatency(), Group("g")
        inner = await store.subscribe(topic, group, Edge.EARLIEST)
        progress = GroupProgress()
        progress.begin(Edge.EARLIEST, None)
        async with MeasuredInput(inner, meter(), progress, latency) as member:
            await member.next_event()
            for partition in (0, 1):
                await member.read(partition, 1)
            async with await store.subscribe(topic, group, Edge.EARLIEST):
                [gone] = (await member.next_event()).partitions
                await member.release([gone])
            assert (await member.next_event()).partitions == {gone}
            [record] = await member.read(gone, 1)
            [took] = latency.done({gone: 0}, now_ms=record.timestamp_ms + 2_000)
            assert took == 2.0
            assert len(latency.done({1 - gone: 0}, now_ms=0)) == 1
