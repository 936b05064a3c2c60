"""One connection to one broker, for as long as a question takes."""

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaError

from penstock_kafka.broker_address import BrokerAddress

HANG_UP_SECONDS = 1.0
"""How long the other side may take to agree that it is over."""

FAILURES = (
    *(KafkaError, OSError, EOFError),
    # What aiokafka makes of answers that it does not expect.
    *(AssertionError, LookupError, NotImplementedError, ValueError, struct.error),
)
"""What a connection may raise, whatever is at its other end."""

_SETTINGS = (
    *("client_id", "request_timeout_ms", "security_protocol", "ssl_context", "sasl_mechanism"),
    *("sasl_plain_username", "sasl_plain_password", "sasl_oauth_token_provider"),
)


@asynccontextmanager
async def connected(
    address: BrokerAddress, settings: Mapping[str, Any]
) -> AsyncIterator[AIOKafkaConnection]:
    """A connection that is logged in.

    Args:
        address: Where to.
        settings: Those of a client.
    """
    known = {name: settings[name] for name in _SETTINGS if name in settings}
    ended = asyncio.Event()
    connection = AIOKafkaConnection(
        address.host, address.port, on_close=lambda *_: ended.set(), **known
    )
    try:
        await connection.connect()
        yield connection
    finally:
        is_closed = connection.close()
        # Not so if there never was one: that is never closed either.
        if ended.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(HANG_UP_SECONDS):
                    await is_closed
