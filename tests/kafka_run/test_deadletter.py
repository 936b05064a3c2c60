"""Dead letters in a stream of Kafka's."""

import asyncio
import json

from penstock.dead_letter import Origin
from penstock.plugin import Message
from penstock.wire.remote import RemotePubSub
from tests.command_line import Penstock
from tests.kafka_run.server import SERVERS_PREFIX, Server


async def publish(server: Server, topic: str, *messages: Message) -> None:
    async with RemotePubSub(server.address) as gateway:
        await gateway.publish(topic, messages)


def test_they_are_listed_replayed_and_dropped(
    penstock: Penstock, server: Server, words: str
) -> None:
    """In topics with a prefix, of several partitions, with types that the broker does not know."""
    oops = f"{words}-oops"
    for name in (words, oops):
        server.provision(name, {"contentType": "text/plain", "partitions": 2})
    letters = [
        Origin("upper", words, 0, number, "", "ValueError: no", 5, "2026").mark(
            Message(b"%d" % number, "text/plain", key, id=str(number))
        )
        for number, key in enumerate([b"a", b"b", b"c", b"d"])
    ]
    topic = f"{SERVERS_PREFIX}default_{oops}"
    at = ("--gateway", server.address, "--topic", topic)
    empty = penstock("deadletter", "list", *at)
    assert "holds no open dead letters" in empty.stdout
    asyncio.run(publish(server, topic, *letters))

    def places() -> list[str]:
        listed = penstock("deadletter", "list", *at, "--output", "json")
        return [one["place"] for one in json.loads(listed.stdout)]

    one, *others = places()
    assert len(others) == 3
    penstock("deadletter", "drop", one, *at, "--yes")
    assert places() == others
    to = f"{SERVERS_PREFIX}default_{words}"
    penstock("deadletter", "replay", "--all", *at, "--to", to, "--yes")
    assert places() == []
    origin = ("--gateway", server.address, "-n", "default")
    found = penstock(
        *("subscribe", *origin, "--topic", to, "--from-beginning", "--count", "3", "--deduplicate")
    )
    assert len({json.loads(line)["payload"] for line in found.stdout.splitlines()}) == 3
