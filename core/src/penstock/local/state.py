"""Where a running `penstock run` leaves word of itself, for other commands.

The folder holds `run.json`, always whole because it is replaced and never rewritten, and
`run.lock`, which is locked for as long as the run lives, however it ends: a `run.json` beside an
unlocked `run.lock` is what a killed run left, and counts for nothing.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from penstock.plugin import UsageError

CLAIM_TRIES = 10
CLAIM_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class RunningStream:
    """A stream of the run, and where it is reached.

    Attributes:
        namespace, name: The stream.
        gateway: `host:port` that speaks the gateway protocol.
        topic: The stream's topic there.
        content_type: What was declared for its messages.
    """

    namespace: str
    name: str
    gateway: str
    topic: str
    content_type: str


@dataclass(frozen=True, slots=True)
class RunningProcessor:
    """A processor of the run, as far as another sidecar of it would have to know it.

    Attributes:
        namespace, name: The processor.
        inputs: The alias of each input, in their order, and the stream that it reads.
        environment: What its sidecar is told; no secrets are in it.
    """

    namespace: str
    name: str
    inputs: tuple[tuple[str, str], ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Run:
    """A run that goes on.

    Attributes:
        pid: The runtime's process id.
        ready: Whether every processor was ready.
        streams: Those that are provisioned.
        processors: Those whose sidecars were started.
        control: The socket on which the runtime takes requests; empty: there is none.
    """

    pid: int
    ready: bool = False
    streams: tuple[RunningStream, ...] = ()
    processors: tuple[RunningProcessor, ...] = ()
    control: str = ""

    def stream(self, namespace: str, name: str) -> RunningStream | None:
        """The stream of that name, if the run has it."""
        return next((s for s in self.streams if (s.namespace, s.name) == (namespace, name)), None)

    def processor(self, namespace: str, name: str) -> RunningProcessor | None:
        """The processor of that name, if the run has it."""
        return next(
            (one for one in self.processors if (one.namespace, one.name) == (namespace, name)), None
        )


def state_folder() -> Path:
    """The folder: `PENSTOCK_STATE_DIR`, or `penstock` where the system keeps state of a user."""
    if chosen := os.environ.get("PENSTOCK_STATE_DIR"):
        return Path(chosen)
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "penstock"


def work_folder(folder: Path) -> Path:
    """The folder for files of the run; it is emptied when the run ends."""
    return folder / "run"


def find_run(folder: Path) -> Run | None:
    """The run that lives now, as it last described itself; ``None``: there is none.

    Raises:
        UsageError: The folder cannot be read.
    """
    try:
        with (folder / "run.lock").open() as lock:
            return _read(folder) if _is_locked(lock) else None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(
            f"the state folder {folder} cannot be read: {error.strerror}; set PENSTOCK_STATE_DIR "
            "to the folder of the run"
        ) from error


class RunState:
    """The folder as its one run sees it; made by `claim`.

    Attributes:
        work: A folder for files of the run, readable for its user alone.
    """

    def __init__(self, folder: Path) -> None:
        self.work = work_folder(folder)
        self._file = folder / "run.json"

    @classmethod
    @contextmanager
    def claim(cls, folder: Path) -> Iterator["RunState"]:
        """Hold the folder for a run, and leave it empty at the end.

        Raises:
            UsageError: Another run holds it, or it cannot be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = (folder / "run.lock").open("w")
        except OSError as error:
            raise UsageError(
                f"the state folder {folder} cannot be written: {error.strerror}; "
                "set PENSTOCK_STATE_DIR to a folder that can"
            ) from error
        with lock:
            if not _take(lock):
                raise _taken(folder)
            state = cls(folder)
            state._clear()
            try:
                state.work.mkdir(mode=0o700)
                state.describe(Run(os.getpid()))
                yield state
            finally:
                state._clear()

    def describe(self, run: Run) -> None:
        """Tell the others how the run is now."""
        new = self.work / "run.json"
        new.write_text(json.dumps(_to_json(run), indent=2) + "\n")
        new.replace(self._file)

    def _clear(self) -> None:
        """Also of what a killed run left."""
        self._file.unlink(missing_ok=True)
        shutil.rmtree(self.work, ignore_errors=True)


def _take(lock: TextIO) -> bool:
    """Lock for good; tried again, for who only looks (`_is_locked`) locks for a moment too."""
    for _ in range(CLAIM_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(CLAIM_PAUSE)
        else:
            return True
    return False


def _is_locked(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _taken(folder: Path) -> UsageError:
    run = find_run(folder)
    who = f"pid {run.pid}" if run else "its pid is not written down yet"
    return UsageError(
        f"another penstock run is going on ({who}): stop it, or set PENSTOCK_STATE_DIR to another "
        f"folder than {folder} for this one and for the commands that shall find it"
    )


def _read(folder: Path) -> Run | None:
    try:
        content = json.loads((folder / "run.json").read_text())
    except FileNotFoundError:
        return None
    return Run(
        content["pid"],
        content["ready"],
        tuple(map(_stream, content["streams"])),
        tuple(map(_processor, content["processors"])),
        content["control"],
    )


def _stream(content: dict[str, Any]) -> RunningStream:
    content["content_type"] = content.pop("contentType")
    return RunningStream(**content)


def _processor(content: dict[str, Any]) -> RunningProcessor:
    content["inputs"] = tuple((alias, stream) for alias, stream in content["inputs"])
    return RunningProcessor(**content)


def _to_json(run: Run) -> dict[str, Any]:
    content = asdict(run)
    for stream in content["streams"]:
        stream["contentType"] = stream.pop("content_type")
    return content
