"""A child process: its output, its end, and the end of all that it started."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from penstock.local.process import READ_BYTES, Command, Process, describe_exit
from penstock.local.reaper import Reaper

PythonCommand = Callable[..., Command]
AwaitEnd = Callable[..., None]

STUBBORN = """
    import signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("up")
    time.sleep(60)
"""
WITH_CHILD = """
    import os, subprocess, sys, time
    child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"])
    print(child.pid)
    if "exit" in sys.argv: os._exit(0)
    time.sleep(60)
"""


class Lines(list[str]):
    """Lines of output, to be waited for."""

    def __init__(self) -> None:
        self._came = asyncio.Event()

    def add(self, line: str) -> None:
        self.append(line)
        self._came.set()

    async def first(self) -> str:
        async with asyncio.timeout(10):
            await self._came.wait()
        return self[0]


async def run(command: Command, reaper: Reaper) -> tuple[int, Lines]:
    """The exit code and the output of a command."""
    lines = Lines()
    process = await Process.start(command, reaper, lines.add)
    async with asyncio.timeout(10):
        return await process.wait(), lines


async def test_output_and_errors_come_line_by_line(reaper: Reaper, python: PythonCommand) -> None:
    code = r"""
        import sys
        sys.stdout.buffer.write(b"one\ntwo\r\n\xff\n")
        sys.stderr.write("three")
    """
    code_, lines = await run(python(code), reaper)
    assert (code_, lines) == (0, ["one", "two", "�", "three"])


async def test_a_line_without_an_end_is_cut(reaper: Reaper, python: PythonCommand) -> None:
    _, lines = await run(python(f"print('x' * {3 * READ_BYTES})"), reaper)
    assert "".join(lines) == "x" * (3 * READ_BYTES)
    assert max(map(len, lines)) <= 2 * READ_BYTES


async def test_the_environment_and_the_folder_are_those_of_the_command(
    reaper: Reaper, python: PythonCommand, tmp_path: Path
) -> None:
    code = "import os; print(os.environ['A'], os.getcwd(), os.read(0, 1))"
    _, lines = await run(python(code, A="b"), reaper)
    assert lines == [f"b {tmp_path} b''"]


async def test_what_cannot_be_executed_is_an_error(reaper: Reaper, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        await Process.start(Command(["./missing"], {}, tmp_path), reaper, print)


async def test_a_process_is_asked_to_end(reaper: Reaper, python: PythonCommand) -> None:
    lines = Lines()
    process = await Process.start(python("print('up'); input()"), reaper, lines.add)
    sleeping = await Process.start(python("import time; time.sleep(60)"), reaper, lines.add)
    assert await sleeping.stop(10) == -signal.SIGTERM
    async with asyncio.timeout(10):
        assert await process.wait() == 1


async def test_a_process_that_does_not_end_is_killed(reaper: Reaper, python: PythonCommand) -> None:
    lines = Lines()
    process = await Process.start(python(STUBBORN), reaper, lines.add)
    await lines.first()
    async with asyncio.timeout(10):
        assert await process.stop(0.05) == -signal.SIGKILL


@pytest.mark.parametrize("ending", ["stop", "kill", "exit"])
async def test_what_a_process_started_ends_with_it(
    reaper: Reaper, python: PythonCommand, await_end: AwaitEnd, ending: str
) -> None:
    lines = Lines()
    process = await Process.start(python(WITH_CHILD, ending), reaper, lines.add)
    child = int(await lines.first())
    if ending == "stop":
        await process.stop(10)
    elif ending == "kill":
        process.kill()
    async with asyncio.timeout(10):
        await process.wait()
    await asyncio.to_thread(await_end, child)


def test_processes_of_a_killed_runtime_are_killed(tmp_path: Path, await_end: AwaitEnd) -> None:
    code = f"""
        import asyncio, os, sys
        from pathlib import Path
        from penstock.local.process import Command, Process
        from penstock.local.reaper import Reaper

        async def main():
            with Reaper() as reaper:
                arguments = [sys.executable, "-I", "-S", "-u", "-c", {dedent(WITH_CHILD)!r}]
                process = await Process.start(
                    Command(arguments, os.environ, Path(".")),
                    reaper,
                    lambda line: print(process.pid, line, flush=True),
                )
                await process.wait()

        asyncio.run(main())
    """
    runtime = subprocess.Popen(
        [sys.executable, "-c", dedent(code)], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert runtime.stdout is not None
    with runtime:
        child, grandchild = map(int, runtime.stdout.readline().split())
        (watcher,) = {p.pid for p in psutil.Process(runtime.pid).children()} - {child}
        runtime.kill()
    await_end(child, grandchild, watcher)


def test_exits_are_described() -> None:
    assert describe_exit(3) == "exited with code 3"
    assert describe_exit(-9) == "was killed by SIGKILL"
    assert describe_exit(-200) == "was killed by signal 200"


async def test_the_reaper_forgets_who_has_ended(python: PythonCommand) -> None:
    """It must not kill a stranger that was given the number later."""
    told: list[tuple[str, int]] = []

    class Listening(Reaper):
        def watch(self, group: int) -> None:
            told.append(("watch", group))
            super().watch(group)

        def forget(self, group: int) -> None:
            told.append(("forget", group))
            super().forget(group)

    with Listening() as reaper:
        process = await Process.start(python("pass"), reaper, print)
        await process.wait()
    assert told == [("watch", process.pid), ("forget", process.pid)]
