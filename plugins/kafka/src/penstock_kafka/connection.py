"""One connection to one broker, for as long as a question takes."""

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka.conn import AIOKafkaConnection, create_conn
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
    connection = await create_conn(address.host, address.port, **known)
    try:
        yield connection
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(HANG_UP_SECONDS):
                await connection.close()
