"""Where Apache Kafka is on this machine; `scripts/kafka.sh` fetches it."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.servers.requirement import Unavailable

POM = Path(__file__).parents[2] / "scripts" / "kafka" / "pom.xml"


@dataclass(frozen=True)
class Installation:
    """Kafka's classes, and the Java that runs them.

    Attributes:
        java: The program.
        libraries: The folder of the jar files.
        archive: Where Java's archive of the classes is kept, when the folder is ours.
    """

    java: str
    libraries: Path
    archive: Path | None

    @classmethod
    def find(cls) -> Self:
        """What KAFKA_HOME names, otherwise what was fetched.

        Raises:
            Unavailable: There is no Java or no Kafka.
        """
        home = os.environ.get("JAVA_HOME")
        java = shutil.which(f"{home}/bin/java" if home else "java")
        if java is None:
            raise Unavailable("there is no java: install a Java runtime, version 17 or newer")
        if named := os.environ.get("KAFKA_HOME"):
            libraries, archive = Path(named) / "libs", None
        else:
            kept = cache_folder() / f"kafka-{version()}"
            libraries, archive = kept / "libs", kept / "classes.jsa"
        if not any(libraries.glob("kafka_2.1*.jar")):
            raise Unavailable(
                f"there is no Apache Kafka in {libraries}: fetch it with scripts/kafka.sh, "
                "or name an installation by KAFKA_HOME"
            )
        return cls(java, libraries, archive)

    def command(self, class_name: str, *arguments: str, options: tuple[str, ...] = ()) -> list[str]:
        """The command that runs a class."""
        return [self.java, *options, "-cp", f"{self.libraries}/*", class_name, *arguments]


def cache_folder() -> Path:
    """The user's cache of penstock."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penstock"


def version() -> str:
    """The version of Kafka that is fetched."""
    found = re.search(r"<kafka\.version>(.*)</kafka\.version>", POM.read_text())
    assert found is not None
    return found[1]
