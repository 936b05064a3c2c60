"""Requests to a server of the test, just as they are given."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import pytest


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str


Ask = Callable[..., Awaitable[Answer]]


async def ask(port: int, request: str) -> Answer:
    """Send a request, whatever it is, and read the answer to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.encode())
    async with asyncio.timeout(10):
        answer = (await reader.read()).decode()
    writer.close()
    head, _, text = answer.partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    fields = (line.partition(": ") for line in lines)
    return Answer(int(status.split()[1]), {name.lower(): value for name, _, value in fields}, text)


@pytest.fixture(name="ask")
def ask_fixture() -> Ask:
    return ask
