"""Kafka's classes in the form in which Java loads them quickest: a start takes half the time."""

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ClassArchive:
    """Java's own archive of classes: written by a broker that stops, used by all later ones.

    Java passes over an archive that fits neither it nor the jar files.

    Attributes:
        file: Where it is kept; nowhere, when Kafka's folder is not ours to write in.
    """

    file: Path | None

    def options(self, folder: Path) -> tuple[str, ...]:
        """What tells Java to use the archive, or to write it, to the server's own folder."""
        if self.file is None:
            return ()
        if self.file.exists():
            return (f"-XX:SharedArchiveFile={self.file}",)
        return (f"-XX:ArchiveClassesAtExit={folder / self.file.name}",)

    def keep(self, folder: Path) -> None:
        """Keep for others what a server has written to its folder when it stopped, if it has."""
        if self.file is not None and (written := folder / self.file.name).exists():
            # Moved beside its place and renamed: whoever finds the file finds all of it.
            beside = self.file.with_name(f"{folder.name}.jsa")
            shutil.move(written, beside)
            beside.replace(self.file)
