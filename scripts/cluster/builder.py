"""Builds images as a Containerfile says, without a daemon and without a network.

Needs root, and a mount namespace that may be thrown away.
"""

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.cluster.containerfile import Instruction, Stage, read_stages, sources_and_target
from scripts.cluster.store import Store

Layers = list[dict[str, Any]]

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_WHEELS = "mnt"
"""Where a RUN finds wheels; a folder that is there, and empty, in every system."""
_PIP = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"/{_WHEELS}", "PIP_ROOT_USER_ACTION": "ignore"}


@dataclass(frozen=True, slots=True)
class Built:
    """What a stage has come to: layers, and a configuration."""

    layers: Layers
    configuration: dict[str, Any]


class Builder:
    """Builds stages, each once for the same content.

    Args:
        store: Where images are kept, and those that others begin with.
        folder: For layers as folders, and for stages that were built before.
        wheels: What pip may install in a RUN.
        aliases: Images of the store that stand for others of registries.
    """

    def __init__(
        self, store: Store, folder: Path, wheels: Path, aliases: Mapping[str, str]
    ) -> None:
        self._store = store
        self._folder = folder
        self._wheels = wheels
        self._aliases = aliases
        (folder / "stages").mkdir(parents=True, exist_ok=True)
        (folder / "layers").mkdir(exist_ok=True)

    def build(self, file: Path, name: str, target: str = "") -> None:
        """Build a stage of a Containerfile, and keep it as an image.

        Args:
            file: The Containerfile; what it copies is beside it.
            name: `name:tag` of the image.
            target: The stage; by default the last.
        """
        stages = read_stages(file)
        built = self._stage(stages, target or list(stages)[-1], file.parent)
        self._store.put_image(name, built.configuration, built.layers)

    def _stage(self, stages: Mapping[str, Stage], name: str, context: Path) -> Built:
        if name not in stages:
            image = self._aliases.get(name, name)
            found: dict[str, Any] = self._store.configuration(image)["config"]
            return Built(self._store.layers(image), found)
        stage = stages[name]
        base = self._stage(stages, stage.base, context)
        sources = {
            one: self._stage(stages, one, context)
            for copy in stage.instructions
            if copy.word == "COPY" and (one := sources_and_target(copy)[0])
        }
        kept = self._folder / "stages" / _key(stage, base, sources, context)
        if not kept.exists():
            built = self._run(stage, base, sources, context)
            kept.write_text(json.dumps([built.layers, built.configuration]))
        return Built(*json.loads(kept.read_text()))

    def _run(self, stage: Stage, base: Built, sources: Mapping[str, Built], context: Path) -> Built:
        configuration = dict(base.configuration)
        with tempfile.TemporaryDirectory(dir=self._folder) as work:
            changed = Path(work) / "changed"
            with self._mounted(base.layers, Path(work), changed) as root:
                for instruction in stage.instructions:
                    match instruction.word:
                        case "COPY":
                            folder = root / configuration.get("WorkingDir", "/").lstrip("/")
                            self._copy(instruction, root, folder, sources, context)
                        case "RUN":
                            self._execute(instruction.text, root, configuration)
                        case _:
                            _configure(configuration, instruction, root)
            layer = [self._store.put_layer(changed)] if any(changed.iterdir()) else []
        return Built([*base.layers, *layer], configuration)

    def _copy(
        self,
        copy: Instruction,
        root: Path,
        folder: Path,
        sources: Mapping[str, Built],
        context: Path,
    ) -> None:
        name, paths, written = sources_and_target(copy)
        target = root / written.lstrip("/") if written.startswith("/") else folder / written
        within = written.endswith("/")
        if not name:
            _copy(context, paths, target, within=within)
            return
        with (
            tempfile.TemporaryDirectory(dir=self._folder) as work,
            self._mounted(sources[name].layers, Path(work), Path(work) / "changed") as other,
        ):
            _copy(other, paths, target, within=within)

    def _execute(self, command: str, root: Path, configuration: Mapping[str, Any]) -> None:
        environment = dict(one.split("=", 1) for one in configuration.get("Env", ()))
        folder = configuration.get("WorkingDir", "/")
        with _bound(self._wheels, root / _WHEELS), _bound(Path("/dev"), root / "dev"):
            subprocess.run(
                ["chroot", str(root), "/bin/sh", "-ec", f"cd {folder}; {command}"],
                env={"PATH": _PATH, "HOME": "/root", **environment, **_PIP},
                check=True,
            )

    @contextmanager
    def _mounted(self, layers: Layers, work: Path, changed: Path) -> Iterator[Path]:
        """The root file system of layers; what is changed in it goes to a folder."""
        root, scratch = work / "root", work / "scratch"
        for folder in (root, scratch, changed):
            folder.mkdir()
        # The uppermost is said first.
        below = ":".join(str(self._unpacked(layer["digest"])) for layer in reversed(layers))
        options = f"lowerdir={below},upperdir={changed},workdir={scratch}"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", root], check=True)
        try:
            yield root
        finally:
            subprocess.run(["umount", root], check=True)

    def _unpacked(self, digest: str) -> Path:
        folder = self._folder / "layers" / digest.removeprefix("sha256:")
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=self._folder) as work:
                content = Path(work) / "content"
                with tarfile.open(self._store.blob(digest)) as archive:
                    # A system has links and modes that are refused elsewhere; it was made here.
                    archive.extractall(content, filter="fully_trusted")  # noqa: S202
                content.rename(folder)
        return folder


@contextmanager
def _bound(source: Path, target: Path) -> Iterator[None]:
    target.mkdir(exist_ok=True)
    subprocess.run(["mount", "--bind", source, target], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", target], check=True)


def _copy(root: Path, paths: Sequence[str], target: Path, *, within: bool) -> None:
    for path in paths:
        source = root / path.lstrip("/")
        if source.is_dir():
            shutil.copytree(
                source, target, symlinks=True, dirs_exist_ok=True, ignore=_ignored(root)
            )
        else:
            place = target / source.name if within else target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)


def _ignored(root: Path) -> Any:
    file = root / ".containerignore"
    lines = file.read_text().splitlines() if file.exists() else []
    return shutil.ignore_patterns(*(line.removeprefix("**/") for line in lines if line))


def _configure(configuration: dict[str, Any], instruction: Instruction, root: Path) -> None:
    match instruction.word:
        case "ENV":
            variables = dict(one.split("=", 1) for one in configuration.get("Env", ()))
            variables |= dict(one.split("=", 1) for one in instruction.words())
            configuration["Env"] = [f"{name}={value}" for name, value in variables.items()]
        case "USER":
            configuration["User"] = instruction.text
        case "WORKDIR":
            configuration["WorkingDir"] = instruction.text
            (root / instruction.text.lstrip("/")).mkdir(parents=True, exist_ok=True)
        case "ENTRYPOINT":
            configuration["Entrypoint"] = instruction.words()
            configuration.pop("Cmd", None)
        case "CMD":
            configuration["Cmd"] = instruction.words()


def _key(stage: Stage, base: Built, sources: Mapping[str, Built], context: Path) -> str:
    """What a stage depends on, as a digest."""
    digest = hashlib.sha256(repr((stage, base, sources)).encode())
    for instruction in stage.instructions:
        if instruction.word == "COPY" and not sources_and_target(instruction)[0]:
            for path in sources_and_target(instruction)[1]:
                for file in _files(context, context / path):
                    digest.update(str(file.relative_to(context)).encode())
                    digest.update(file.read_bytes())
    return digest.hexdigest()


def _files(context: Path, path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    names = sorted(one.name for one in path.iterdir())
    left_out = _ignored(context)(str(path), names)
    for name in names:
        if name not in left_out:
            yield from _files(context, path / name)
