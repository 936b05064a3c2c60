"""A file that is there for as long as messages can flow, for whoever looks after the process."""

from pathlib import Path


class ReadyFile:
    """Makes and removes the file; without a path it only remembers.

    Args:
        path: Where it is; its folder exists.

    Attributes:
        is_there: Whether it is, or would be if it had a path.
    """

    def __init__(self, path: Path | None) -> None:
        self.is_there = False
        self._path = path
        # One that was left behind by a process that was killed says nothing about this one.
        self.disappear()

    def appear(self) -> None:
        """Messages can flow from now on."""
        self.is_there = True
        if self._path:
            self._path.touch()

    def disappear(self) -> None:
        """They cannot any more."""
        self.is_there = False
        if self._path:
            self._path.unlink(missing_ok=True)
