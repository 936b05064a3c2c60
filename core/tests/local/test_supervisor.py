"""A process is started again when it ends, after growing pauses, until it is stopped."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from io import StringIO
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from penstock.local.output import Output
from penstock.local.process import Command
from penstock.local.reaper import Reaper
from penstock.local.supervisor import Service, StartFailed, Supervisor

PythonCommand = Callable[..., Command]

COUNTING = """
    import os, sys, time
    open("lives", "a").write(f"{os.getpid()}\\n")
    print("life", os.getpid())
    if sys.argv[1] == "live":
        time.sleep(60)
    print("dying")
    sys.exit(3)
"""


class Shown(StringIO):
    """What was shown, to be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = asyncio.Event()

    def write(self, text: str) -> int:
        self._changed.set()
        return super().write(text)

    async def matches(self, pattern: str, count: int = 1) -> list[str]:
        """Wait until a pattern was shown so many times."""
        async with asyncio.timeout(10):
            while len(found := re.findall(pattern, self.getvalue())) < count:
                self._changed.clear()
                await self._changed.wait()
        return list(found)


async def always() -> bool:
    return True


async def never() -> bool:
    return False


def service(command: Command, is_ready: Callable[[], Awaitable[bool]]) -> Service:
    return Service('function "f"', "f", command, is_ready, "has not opened port 7")


@asynccontextmanager
async def running(supervisor: Supervisor, reaper: Reaper) -> AsyncIterator[None]:
    task = asyncio.create_task(supervisor.run(reaper))
    yield
    await supervisor.stop(10)
    async with asyncio.timeout(10):
        await task


async def test_a_process_that_dies_is_started_again_after_growing_pauses(
    reaper: Reaper, python: PythonCommand
) -> None:
    shown = Shown()
    supervisor = Supervisor(
        service(python(COUNTING, "die"), always), Output(["f"], shown), must_start=False
    )
    async with running(supervisor, reaper):
        pauses = await shown.matches(
            r'function "f" exited with code 3; it starts again in (\S+) s', 3
        )
    assert [float(pause) for pause in pauses[:3]] == [0.2, 0.4, 0.8]
    lives = re.findall(r"f        \| life (\d+)", shown.getvalue())
    assert len(set(lives)) >= 3
    assert all(earlier != later for earlier, later in pairwise(lives))


async def test_a_stopped_process_is_not_started_again(
    reaper: Reaper, python: PythonCommand, tmp_path: Path
) -> None:
    shown = Shown()
    supervisor = Supervisor(
        service(python(COUNTING, "live"), always), Output([], shown), must_start=True
    )
    async with running(supervisor, reaper):
        async with asyncio.timeout(10):
            await supervisor.ready.wait()
        await shown.matches("life")
    assert not supervisor.ready.is_set()
    assert len((tmp_path / "lives").read_text().split()) == 1
    assert 'function "f" is ready' in shown.getvalue()
    assert "again" not in shown.getvalue()


async def test_an_exit_code_that_no_start_mends_ends_it(
    reaper: Reaper, python: PythonCommand
) -> None:
    shown = Shown()
    hopeless = replace(service(python("raise SystemExit(2)"), never), hopeless_exit=2)
    supervisor = Supervisor(hopeless, Output([], shown), must_start=False)
    with pytest.raises(StartFailed, match="exited with code 2"):
        async with asyncio.timeout(10):
            await supervisor.run(reaper)
    assert "again" not in shown.getvalue()


async def test_after_a_steady_run_pauses_begin_anew(
    reaper: Reaper, python: PythonCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.local.supervisor.STEADY", 0.0)
    shown = Shown()
    supervisor = Supervisor(
        service(python(COUNTING, "die"), never), Output([], shown), must_start=False
    )
    async with running(supervisor, reaper):
        await shown.matches("again in 0.2 s", 3)
    assert "again in 0.4 s" not in shown.getvalue()


async def test_stopping_ends_a_pause(
    reaper: Reaper, python: PythonCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.local.supervisor.FIRST_PAUSE", 60.0)
    shown = Shown()
    supervisor = Supervisor(
        service(python(COUNTING, "die"), never), Output([], shown), must_start=False
    )
    async with running(supervisor, reaper):
        await shown.matches("again in 60 s")


async def test_a_restart_takes_place_at_once(reaper: Reaper, python: PythonCommand) -> None:
    shown = Shown()
    supervisor = Supervisor(
        service(python(COUNTING, "live"), always), Output([], shown), must_start=True
    )
    async with running(supervisor, reaper):
        await shown.matches("life")
        await supervisor.restart(10)
        first, second = await shown.matches(r"life (\d+)", 2)
    assert first != second
    assert "again" not in shown.getvalue()


async def test_a_restart_ends_a_pause(
    reaper: Reaper, python: PythonCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.local.supervisor.FIRST_PAUSE", 60.0)
    shown = Shown()
    supervisor = Supervisor(
        service(python(COUNTING, "die"), never), Output([], shown), must_start=False
    )
    async with running(supervisor, reaper):
        await shown.matches("again in 60 s")
        await supervisor.restart(10)
        await shown.matches("life", 2)


async def test_who_is_told_to_hurry_ends_a_pause_and_stops_nothing(
    reaper: Reaper, python: PythonCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.local.supervisor.FIRST_PAUSE", 60.0)
    shown = Shown()
    supervisor = Supervisor(
        service(python(COUNTING, "die"), never), Output([], shown), must_start=False
    )
    async with running(supervisor, reaper):
        supervisor.hurry()
        await shown.matches("again in 60 s")
        supervisor.hurry()
        await shown.matches("again in 60 s", 2)


async def test_a_process_that_must_start_and_does_not_ends_it_with_its_last_lines(
    reaper: Reaper, python: PythonCommand
) -> None:
    supervisor = Supervisor(
        service(python(COUNTING, "die"), never), Output([], Shown()), must_start=True
    )
    with pytest.raises(StartFailed) as failure:
        await supervisor.run(reaper)
    assert re.fullmatch(
        'function "f" exited with code 3 and has not opened port 7; its last lines:\n'
        r"  life \d+\n  dying",
        str(failure.value),
    )


async def test_what_cannot_be_started_says_so(reaper: Reaper, tmp_path: Path) -> None:
    missing = service(Command(["./missing"], {}, tmp_path), never)
    supervisor = Supervisor(missing, Output([], Shown()), must_start=True)
    with pytest.raises(StartFailed, match=r'function "f" cannot be started: .*\./missing'):
        await supervisor.run(reaper)


async def test_a_process_that_is_not_ready_for_long_is_named_and_awaited(
    reaper: Reaper, python: PythonCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.local.supervisor.PATIENCE", 0.05)
    shown = Shown()
    is_open = asyncio.Event()

    async def ready() -> bool:
        return is_open.is_set()

    supervisor = Supervisor(
        service(python(COUNTING, "live"), ready), Output([], shown), must_start=True
    )
    async with running(supervisor, reaper):
        await shown.matches('function "f" has not opened port 7 in 0.05 s; still waiting for it')
        is_open.set()
        async with asyncio.timeout(10):
            await supervisor.ready.wait()


async def test_killing_does_not_wait(reaper: Reaper, python: PythonCommand) -> None:
    stubborn = python(
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"
    )
    shown = Shown()
    supervisor = Supervisor(service(stubborn, always), Output([], shown), must_start=True)
    async with running(supervisor, reaper):
        await shown.matches("up")
        stopping = asyncio.create_task(supervisor.stop(60))
        supervisor.kill()
        async with asyncio.timeout(10):
            await stopping


async def test_a_cancelled_supervisor_leaves_no_process(
    reaper: Reaper, python: PythonCommand
) -> None:
    shown = Shown()
    supervisor = Supervisor(
        service(python(COUNTING, "live"), always), Output([], shown), must_start=True
    )
    task = asyncio.create_task(supervisor.run(reaper))
    (pid,) = await shown.matches(r"life (\d+)")
    task.cancel()
    await asyncio.wait({task})
    assert not psutil.pid_exists(int(pid))


async def test_a_paused_process_ends_and_is_started_anew_behind_the_pause(
    reaper: Reaper, python: PythonCommand, tmp_path: Path
) -> None:
    shown = Shown()
    supervisor = Supervisor(
        service(python(COUNTING, "live"), always), Output([], shown), must_start=False
    )
    async with running(supervisor, reaper):
        await shown.matches("life")
        first = int((tmp_path / "lives").read_text())
        async with supervisor.paused(10):
            assert not psutil.pid_exists(first)
            # What would start it anew otherwise does not.
            supervisor.hurry()
            await asyncio.sleep(0)
            assert len((tmp_path / "lives").read_text().split()) == 1
        await shown.matches("life", 2)
    assert "again" not in shown.getvalue()


async def test_a_paused_process_can_be_stopped(reaper: Reaper, python: PythonCommand) -> None:
    shown = Shown()
    supervisor = Supervisor(
        service(python(COUNTING, "live"), always), Output([], shown), must_start=False
    )
    task = asyncio.create_task(supervisor.run(reaper))
    await shown.matches("life")
    async with supervisor.paused(10):
        await supervisor.stop(10)
        async with asyncio.timeout(10):
            await task
    assert len(re.findall("life", shown.getvalue())) == 1
