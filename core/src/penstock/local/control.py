"""How another command has a running `penstock run` do something: a socket in its state folder.

A request is a line of JSON, `{"pause": {"namespace": …, "name": …}}`, and so is the answer, `{}` or
`{"error": …}`. A processor's sidecar that is paused is started again when the connection ends,
however it ends: a command that is killed leaves nothing behind.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from penstock.plugin import NotReady, PenstockError, TemporaryError

Pause = Callable[[str, str], AbstractAsyncContextManager[None]]
"""Keeps the sidecar of a processor, by namespace and name, from running for a while.

Raises:
    PenstockError: There is none.
"""

_LONGEST_PATH = 100
"""Bytes of a path that every system takes for a socket."""


@asynccontextmanager
async def serve_control(folder: Path, pause: Pause) -> AsyncIterator[str]:
    """Take requests; gives the socket, or an empty text where the folder's path is too long.

    Args:
        folder: Where the socket is made; for its user alone.
        pause: What is asked for.
    """
    path = str(folder / "control")
    if len(os.fsencode(path)) > _LONGEST_PATH:
        yield ""
        return
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_answer(reader, writer, pause))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_unix_server(connected, path)
    try:
        yield path
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pause: Pause) -> None:
    try:
        wanted = json.loads(await reader.readline())["pause"]
        async with pause(wanted["namespace"], wanted["name"]):
            await _write(writer, {})
            # Nothing more is said: this is the end of the connection.
            await reader.read()
    except PenstockError as error:
        await _write(writer, {"error": str(error)})
    except (OSError, ValueError, KeyError, TypeError):
        # Who asked is gone, or is none of ours.
        return
    finally:
        writer.close()


async def _write(writer: asyncio.StreamWriter, content: dict[str, Any]) -> None:
    writer.write(json.dumps(content).encode() + b"\n")
    await writer.drain()


@asynccontextmanager
async def paused(control: str, namespace: str, name: str) -> AsyncIterator[None]:
    """Keep the sidecar of a processor from running, as the running runtime does it for us.

    Args:
        control: The runtime's socket.
        namespace: The processor's.
        name: The processor.

    Raises:
        NotReady: The runtime does not answer.
        TemporaryError: It does not do it; the text says why.
    """
    gone = "penstock run is stopping: what is running has ended"
    try:
        reader, writer = await asyncio.open_unix_connection(control)
    except OSError as error:
        raise NotReady(f"{gone} ({error.strerror})") from error
    try:
        await _write(writer, {"pause": {"namespace": namespace, "name": name}})
        line = await reader.readline()
        if not line:
            raise NotReady(gone)
        if refusal := json.loads(line).get("error"):
            raise TemporaryError(refusal)
        yield
    except ConnectionError as error:
        raise NotReady(gone) from error
    finally:
        writer.close()
