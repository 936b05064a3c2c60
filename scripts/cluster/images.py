"""Builds the images that the cluster's registry serves: of the project, of its examples, of pods.

python -m scripts.cluster.images CACHE COREDNS, as root, in a mount namespace of its own: CACHE is
the folder of the cluster in the cache, COREDNS the program.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.cluster.builder import Builder
from scripts.cluster.store import Store

ROOT = Path(__file__).parents[2]
VERSION = "0.1.0"
TARGETS = ("operator", "gateway", "sidecar", "invoker")
PYTHON = {"python:3.11-slim": "python:base"}
"""What stands in for an image of Python that would have to be pulled."""


def main(cache: Path, coredns: Path) -> None:
    """Build what is not there, or not as it should be."""
    store = Store(cache / "images")
    _put_program(store, "pause:1", _pause(cache))
    _put_program(store, "coredns:1", coredns)
    _put_base(store, cache / "base.tar")
    builder = Builder(store, cache / "build", cache / "wheels", PYTHON)
    for target in TARGETS:
        builder.build(ROOT / "Containerfile", f"penstock-{target}:{VERSION}", target)
    for file in sorted(ROOT.glob("examples/*/Containerfile")):
        builder.build(file, f"{file.parent.name}:latest")


def _pause(cache: Path) -> Path:
    program = cache / "pause"
    source = Path(__file__).with_name("pause.c")
    subprocess.run(["gcc", "-Os", "-static", "-s", "-o", program, source], check=True)
    return program


def _put_program(store: Store, name: str, program: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(program, Path(folder) / program.name)
        configuration = {"Entrypoint": [f"/{program.name}"], "User": "65532:65532"}
        store.put_image(name, configuration, [store.put_layer(Path(folder))])


def _put_base(store: Store, archive: Path) -> None:
    if archive.exists():
        layer = store.put_archive(archive)
        store.put_image("python:base", {"Cmd": ["python3"]}, [layer])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
