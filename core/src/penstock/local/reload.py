"""Notices that the files of a folder changed, by looking at them again and again."""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

INTERVAL = 0.3
"""Seconds between two looks."""
IGNORED = frozenset({"__pycache__", "node_modules"})
"""Folders that hold what tools make; those that begin with a dot are left out as well."""

Snapshot = Mapping[str, tuple[int, int]]
"""Time of the last change, in nanoseconds, and size, by path below the folder."""


def take_snapshot(folder: Path) -> Snapshot:
    """Look at every file below a folder."""
    found: dict[str, tuple[int, int]] = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name[0] != "." and name not in IGNORED]
        for name in names:
            path = Path(parent, name)
            try:
                status = path.stat()
            except OSError:
                # It went while we looked: the next look will miss it.
                continue
            found[str(path.relative_to(folder))] = (status.st_mtime_ns, status.st_size)
    return found


def differences(old: Snapshot, new: Snapshot) -> list[str]:
    """The paths that were added, changed or removed."""
    return sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))


async def changes(folder: Path, seen: Snapshot) -> AsyncGenerator[list[str], None]:
    """Paths that changed, each time some did; an editor's burst of writes may come as several.

    Args:
        folder: The folder.
        seen: How it was before.
    """
    while True:
        await asyncio.sleep(INTERVAL)
        found = await asyncio.to_thread(take_snapshot, folder)
        if changed := differences(seen, found):
            yield changed
        seen = found
