"""A processor's sidecar is kept from running for as long as somebody wants it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from penstock.local.control import paused, serve_control
from penstock.plugin import NotReady, TemporaryError

PATIENCE = 10.0


class Paused:
    """What is paused now."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.went_on = asyncio.Event()

    @asynccontextmanager
    async def pause(self, namespace: str, name: str) -> AsyncIterator[None]:
        if name == "unknown":
            raise NotReady("no sidecar of it runs")
        self.names.add(f"{namespace}/{name}")
        try:
            yield
        finally:
            self.names.clear()
            self.went_on.set()


async def test_it_goes_on_when_the_connection_ends(tmp_path: Path) -> None:
    held = Paused()
    async with serve_control(tmp_path, held.pause) as control:
        async with paused(control, "default", "upper"):
            assert held.names == {"default/upper"}
        async with asyncio.timeout(PATIENCE):
            await held.went_on.wait()
        assert not held.names


async def test_a_refusal_is_told_in_its_words(tmp_path: Path) -> None:
    async with serve_control(tmp_path, Paused().pause) as control:
        with pytest.raises(TemporaryError, match="no sidecar of it runs"):
            async with paused(control, "default", "unknown"):
                pass


async def test_a_request_that_is_none_harms_nobody(tmp_path: Path) -> None:
    held = Paused()
    async with serve_control(tmp_path, held.pause) as control:
        for text in (b"", b"{}\n", b"[]\n", b"nonsense\n", b'{"pause": 1}\n'):
            reader, writer = await asyncio.open_unix_connection(control)
            writer.write(text)
            writer.write_eof()
            async with asyncio.timeout(PATIENCE):
                assert await reader.read() == b""
            writer.close()
        async with paused(control, "default", "upper"):
            assert held.names


async def test_it_goes_on_when_the_runtime_stops(tmp_path: Path) -> None:
    held = Paused()
    async with serve_control(tmp_path, held.pause) as control:
        waiting = paused(control, "default", "upper")
        await waiting.__aenter__()
    assert not held.names
    await waiting.__aexit__(None, None, None)
    with pytest.raises(NotReady, match="penstock run is stopping"):
        async with paused(control, "default", "upper"):
            pass


async def test_only_its_user_may_ask_and_a_long_path_is_no_failure(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    async with serve_control(folder, Paused().pause) as control:
        assert control == ""
    assert not list(folder.iterdir())
