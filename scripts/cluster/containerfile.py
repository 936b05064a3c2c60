"""Reads a Containerfile, of which it knows the instructions that this project uses."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_KNOWN = ("CMD", "COPY", "ENTRYPOINT", "ENV", "FROM", "RUN", "USER", "WORKDIR")
_FROM = re.compile(r"(?P<base>\S+)(?:\s+AS\s+(?P<name>\S+))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, and the rest of its line."""

    word: str
    text: str

    def words(self) -> list[str]:
        """Its arguments, however they are written: as JSON, or as a shell's."""
        return list(json.loads(self.text)) if self.text.startswith("[") else shlex.split(self.text)


@dataclass(frozen=True, slots=True)
class Stage:
    """What begins with a FROM.

    Attributes:
        base: A stage before it, or an image.
        name: How it is called.
        instructions: What follows.
    """

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)


def read_stages(file: Path) -> dict[str, Stage]:
    """The stages of a Containerfile by name, in their order; the last may have none.

    Raises:
        ValueError: An instruction is not known here.
    """
    stages: dict[str, Stage] = {}
    for instruction in _instructions(file.read_text()):
        if instruction.word not in _KNOWN:
            raise ValueError(f"{file}: {instruction.word} is not known to {Path(__file__).name}")
        if instruction.word == "FROM":
            found = _FROM.fullmatch(instruction.text)
            if not found:
                raise ValueError(f"{file}: FROM {instruction.text}")
            current = Stage(found["base"], found["name"] or "")
            stages[current.name] = current
        else:
            current.instructions.append(instruction)
    return stages


def sources_and_target(copy: Instruction) -> tuple[str, Sequence[str], str]:
    """The stage that a COPY copies from, which may be empty; what it copies, and where to."""
    words = copy.words()
    stage = words.pop(0).partition("=")[2] if words[0].startswith("--from=") else ""
    return stage, words[:-1], words[-1]


def _instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield Instruction(word.upper(), rest.strip())
