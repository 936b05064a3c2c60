"""Which broker answers, and if none does, why not."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka.protocol.metadata import MetadataRequest

from penstock_kafka.broker_address import BrokerAddress
from penstock_kafka.connection import FAILURES, connected
from penstock_kafka.diagnosis import diagnosis

ANSWER_SECONDS = 10.0
"""How long a broker may take to answer: a name, a handshake, a login, a question."""
NEXT_SECONDS = 0.25
"""How long after one broker the next is asked, while nobody has answered."""


class Unreached(Exception):
    """No broker answers, or not the one that was asked; the text says why."""


class Answer(NamedTuple):
    """What the first broker that answers says.

    Attributes:
        address: Where it was asked.
        brokers: Where the brokers of the cluster are, as they tell it to clients.
    """

    address: BrokerAddress
    brokers: tuple[BrokerAddress, ...]


async def first_answer(addresses: Sequence[BrokerAddress], settings: Mapping[str, Any]) -> Answer:
    """Ask one broker after the other, without waiting long for those that are slow.

    Args:
        addresses: Whom to ask; in any order, so that not all clients ask the same one.
        settings: Those of a client.

    Raises:
        Unreached: None answers.
    """
    waiting = random.sample(addresses, len(addresses))
    asked: dict[asyncio.Task[Answer], BrokerAddress] = {}
    faults: dict[BrokerAddress, str] = {}
    try:
        while waiting or asked:
            if waiting:
                address = waiting.pop()
                asked[asyncio.create_task(ask(address, settings))] = address
            patience = NEXT_SECONDS if waiting else None
            done, _ = await asyncio.wait(
                asked, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                address = asked.pop(task)
                try:
                    return task.result()
                except Unreached as unreached:
                    faults[address] = str(unreached)
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    each = "; ".join(f"{address}: {faults[address]}" for address in dict.fromkeys(addresses))
    raise Unreached(f"cannot connect to Kafka: {each}")


async def ask(address: BrokerAddress, settings: Mapping[str, Any]) -> Answer:
    """Ask one broker who is in its cluster.

    Raises:
        Unreached: It does not answer.
    """
    try:
        async with (
            asyncio.timeout(ANSWER_SECONDS),
            connected(address, settings) as connection,
        ):
            metadata = await connection.send(MetadataRequest([]))
    except FAILURES as error:
        reason = await diagnosis(error, address, settings)
        raise Unreached(reason) from error
    if not metadata.brokers:
        raise Unreached(_no_brokers(settings))
    return Answer(
        address, tuple(BrokerAddress(host, port) for _, host, port, *_ in metadata.brokers)
    )


def _no_brokers(settings: Mapping[str, Any]) -> str:
    if tokens := settings.get("sasl_oauth_token_provider"):
        # aiokafka takes the refusal of a token for a login; what follows is not answered.
        tokens.forget()
        return "it refuses the access token: see auth"
    return "it knows of no broker as yet"
