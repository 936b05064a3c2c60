"""A process that provisions a stream many times at once, when it is told to."""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from typing import Any

from penstock.plugin import StreamSettings
from penstock_kafka import KafkaGatewaySpec
from penstock_kafka.cluster import Cluster
from penstock_kafka.topics import Topics


async def main(told: dict[str, Any]) -> None:
    """Say that all is ready, wait for the word, and print what all have answered."""
    spec = KafkaGatewaySpec.model_validate(told["spec"])
    async with AsyncExitStack() as stack:
        gateways = []
        for _ in range(told["at_a_time"]):
            cluster = Cluster(spec)
            stack.push_async_callback(cluster.close)
            await cluster.admin()
            gateways.append(Topics(cluster, spec))
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        if topic := told.get("ensure"):
            answers: list[Any] = await asyncio.gather(*(one.ensure(topic) for one in gateways))
        else:
            stream = StreamSettings("space", "stream", **told["provision"])
            addresses = await asyncio.gather(*(one.provision(stream) for one in gateways))
            answers = [[address.topic, address.drift] for address in addresses]
        print(json.dumps(answers))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
