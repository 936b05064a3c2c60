"""Notices that a program's files in a folder changed, by looking at them again and again."""

import asyncio
import os
import stat
from collections.abc import AsyncGenerator, Collection, Mapping
from pathlib import Path

INTERVAL = 0.3
"""Seconds between two looks."""
IGNORED = frozenset({"__pycache__", "node_modules"})
"""Folders that hold what tools make; those that begin with a dot are left out as well."""

WATCHED = (
    *(".py", ".pyi", ".so", ".js", ".mjs", ".cjs", ".ts", ".java", ".kt", ".class", ".jar"),
    *(".go", ".rb", ".rs", ".php", ".lua", ".sh"),
    *(".toml", ".cfg", ".ini", ".env", ".properties"),
)
"""How the names of source, libraries and configuration end.

Not those of data, which a function may itself write there: it would be started anew for ever.
JSON is left out for that.
"""

Snapshot = Mapping[str, tuple[int, int]]
"""Time of the last change, in nanoseconds, and size, by path below the folder."""


class WatchedFolder:
    """A folder, watched from now on.

    What counts is a program's: names that end as one of `WATCHED`, and executables whose names
    have no suffix.

    Args:
        folder: The folder, as a resolved path.
        without: Files and folders in it to leave out, as resolved paths.
    """

    def __init__(self, folder: Path, without: Collection[Path] = ()) -> None:
        self._folder = folder
        self._without = without
        self._seen = self.look()

    async def changes(self) -> AsyncGenerator[list[str], None]:
        """Paths that changed, each time some did; an editor's burst of writes may be several."""
        while True:
            await asyncio.sleep(INTERVAL)
            found = await asyncio.to_thread(self.look)
            if changed := differences(self._seen, found):
                yield changed
            self._seen = found

    def look(self) -> Snapshot:
        """How every file of a program is now."""
        found: dict[str, tuple[int, int]] = {}
        for parent, folders, names in os.walk(self._folder):
            folders[:] = [name for name in folders if self._is_watched(parent, name)]
            for name in names:
                path = Path(parent, name)
                if path in self._without:
                    continue
                try:
                    status = path.stat()
                except OSError:
                    # It went while we looked: the next look will miss it.
                    continue
                if is_programs(name, status.st_mode):
                    key = str(path.relative_to(self._folder))
                    found[key] = (status.st_mtime_ns, status.st_size)
        return found

    def _is_watched(self, parent: str, name: str) -> bool:
        hidden = name.startswith(".") or name in IGNORED
        return not hidden and Path(parent, name) not in self._without


def is_programs(name: str, mode: int) -> bool:
    """Whether a file of this name and `st_mode` belongs to a program, and is not its data."""
    executable = stat.S_ISREG(mode) and mode & stat.S_IXUSR
    return name.endswith(WATCHED) or bool(executable and not Path(name).suffix)


def differences(old: Snapshot, new: Snapshot) -> list[str]:
    """The paths that were added, changed or removed."""
    return sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
