"""A client of aiokafka, with connections of its own, for requests in the protocol's terms."""

import asyncio
from contextlib import suppress

from aiokafka.client import AIOKafkaClient

from penstock.plugin import NotReady
from penstock_kafka.cluster import Cluster
from penstock_kafka.connection import HANG_UP_SECONDS
from penstock_kafka.errors import CLIENT_ERRORS, translated
from penstock_kafka.groups.opening import open_wholly

# A client looks at some topics from time to time: at all that there are, unless it is told which.
# One that it is told of is made by the brokers if it is not there; this one is there anyway.
_ALWAYS_THERE = "__consumer_offsets"


async def open_client(cluster: Cluster, doing: str) -> AIOKafkaClient:
    """A client that knows the brokers.

    Args:
        cluster: Whose brokers.
        doing: What it is for, with the name of the thing, for the text of an error.

    Raises:
        NotReady: No broker answers; the text says why.
        TemporaryError: It could not connect.
    """
    await cluster.admin()  # knows best why nobody answers
    return await open_wholly(_open(cluster, doing), hang_up)


async def hang_up(client: AIOKafkaClient) -> None:
    """Close a client's connections; a broker that does not answer is not waited for."""
    with suppress(*CLIENT_ERRORS):
        async with asyncio.timeout(HANG_UP_SECONDS):
            await client.close()


async def _open(cluster: Cluster, doing: str) -> AIOKafkaClient:
    client = AIOKafkaClient(**cluster.client_settings())
    client.set_topics([_ALWAYS_THERE])
    try:
        await client.bootstrap()
        if not client.cluster.brokers():
            raise NotReady(f"{doing}: the broker that answers knows of none as yet")
    except CLIENT_ERRORS as error:
        await hang_up(client)
        raise translated(error, doing) from error
    except BaseException:
        await hang_up(client)
        raise
    return client
