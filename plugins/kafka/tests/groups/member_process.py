"""A member in a process of its own, to be killed and frozen: says on stdout what happens to it.

Lines of JSON: `{"assigned": [0, 1]}`, `{"revoked": [0], "grace": 30.0}`, `{"read": 0, "offset": 7}`
(up to there), `{"acked": {"0": 7}}`, `{"lost": "why"}`. On stdin it is told what to ack, as JSON.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping

from penstock.plugin import Assigned, Edge, Group, Revoked, Subscription, TemporaryError
from penstock_kafka import KafkaGatewaySpec, KafkaPubSub


def say(**line: object) -> None:
    """Say what happened."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def read(subscription: Subscription, partition: int) -> None:
    """Read a partition until it is revoked."""
    while records := await subscription.read(partition, 500):
        say(read=partition, offset=records[-1].offset)


async def listen(subscription: Subscription) -> None:
    """Ack what stdin says."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        positions: Mapping[str, int] = json.loads(line)
        try:
            await subscription.ack({int(at): offset for at, offset in positions.items()})
        except TemporaryError as error:
            say(refused=str(error))
        else:
            say(acked=positions)


async def main(servers: str, topic: str, group: str, member: str) -> None:
    """Be a member until it is lost."""
    async with KafkaPubSub(KafkaGatewaySpec(bootstrap_servers=servers)) as gateway:
        subscription = await gateway.subscribe(topic, Group(group), Edge.EARLIEST, member)
        listening = asyncio.create_task(listen(subscription))
        reads: list[asyncio.Task[None]] = []
        with contextlib.suppress(TemporaryError):
            while True:
                match await subscription.next_event():
                    case Assigned(partitions):
                        say(assigned=sorted(partitions))
                        reads += [
                            asyncio.create_task(read(subscription, partition))
                            for partition in partitions
                        ]
                    case Revoked(partitions, grace):
                        say(revoked=sorted(partitions), grace=grace)
                        await subscription.release(partitions)
        say(lost="the membership")
        listening.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
