"""A member of a group in a process of its own, which is killed: `python -m …doomed_member`.

It reads one line of JSON: `topic` and `group`; `address` and `batches` of a gateway server, or
`plugin` and `spec`. It acks nothing, and writes how many records it has read, a line for each time.
"""

import asyncio
import json
import sys
from typing import Any

from penstock.plugin import Assigned, Edge, Group, PubSub, Subscription, load_plugins
from penstock.wire.remote import RemotePubSub


def pubsub_of(order: dict[str, Any]) -> PubSub:
    """What the member subscribes with."""
    if "address" in order:
        return RemotePubSub(order["address"], batches=order["batches"])
    for plugin in load_plugins().by_kind.values():
        if plugin.name == order["plugin"] and plugin.pubsub:
            return plugin.pubsub(plugin.kind.spec.model_validate(order["spec"]))
    raise SystemExit(f"plugin {order['plugin']} reaches nothing from a process of its own")


async def read(subscription: Subscription, partition: int, offsets: set[tuple[int, int]]) -> None:
    """Read a partition until it is revoked."""
    while records := await subscription.read(partition, 1000):
        offsets |= {(partition, record.offset) for record in records}
        sys.stdout.write(f"{len(offsets)}\n")
        sys.stdout.flush()


async def main() -> None:
    """Be a member for as long as it lives."""
    order = json.loads(sys.stdin.readline())
    offsets: set[tuple[int, int]] = set()
    readers: set[asyncio.Task[None]] = set()
    async with (
        pubsub_of(order) as pubsub,
        await pubsub.subscribe(order["topic"], Group(order["group"]), Edge.EARLIEST) as member,
    ):
        while True:
            event = await member.next_event()
            if isinstance(event, Assigned):
                readers |= {
                    asyncio.create_task(read(member, partition, offsets))
                    for partition in event.partitions
                }
            else:
                await member.release(event.partitions)


if __name__ == "__main__":
    asyncio.run(main())
