"""Messages that are larger than the broker takes."""

import asyncio
from pathlib import Path

from tests.command_line import Penstock
from tests.kafka.administrator import Administrator
from tests.kafka.processes import Gateway
from tests.servers.kafka import KafkaServer


async def test_only_the_large_line_is_refused(broker: KafkaServer, tmp_path: Path) -> None:
    administrator, topic = Administrator(broker.bootstrap_servers), tmp_path.name
    await administrator.create(topic, 1, {"max.message.bytes": "2000"})
    penstock = Penstock(tmp_path)
    lines = [b"%d" % number for number in range(200)]
    lines[120] = b"x" * 3000
    with Gateway(broker.bootstrap_servers) as gateway:
        await asyncio.to_thread(gateway.begin)
        done = await asyncio.to_thread(
            penstock,
            *("publish", "--gateway", gateway.address, "--topic", topic),
            *("--lines", "--content-type", "text/plain"),
            stdin=b"\n".join(lines),
            code=1,
        )
    (refused,) = (line for line in done.stderr.splitlines() if line.startswith("line "))
    assert refused.startswith("line 121: ")
    assert "max.message.bytes is 2000; raise it" in refused
    assert "199 messages" in done.stderr
    assert await administrator.ends(topic) == {0: 199}
