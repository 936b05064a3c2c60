"""Writes the protobuf stubs from their .proto files, or checks that they are up to date."""

import argparse
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "core" / "src"
PROTOCOL = Path("penstock/wire/protocol")
GENERATED = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


def main() -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when stale")
    check: bool = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        fresh = generate(Path(folder))
        stale = [name for name, text in fresh.items() if read(SOURCES / PROTOCOL / name) != text]
        known = {path.name for path in (SOURCES / PROTOCOL).iterdir()}
        left_over = sorted(n for n in known if n.endswith(GENERATED) and n not in fresh)
    if check:
        for name in stale + left_over:
            sys.stderr.write(f"{PROTOCOL / name} is not what its .proto says: run make generate\n")
        return 1 if stale or left_over else 0
    for name in stale:
        (SOURCES / PROTOCOL / name).write_text(fresh[name])
    for name in left_over:
        (SOURCES / PROTOCOL / name).unlink()
    return 0


def generate(folder: Path) -> dict[str, str]:
    """The text of each stub by its file's name, made by way of an empty folder."""
    sources = sorted((SOURCES / PROTOCOL).glob("*.proto"))
    outputs = [f"--{kind}_out={folder}" for kind in ("python", "mypy", "grpc_python", "mypy_grpc")]
    plugins = [
        f"--plugin=protoc-gen-{name}={Path(sys.executable).parent / f'protoc-gen-{name}'}"
        for name in ("mypy", "mypy_grpc")
    ]
    names = [str(source.relative_to(SOURCES)) for source in sources]
    well_known = Path(protoc.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{SOURCES}", f"-I{well_known}", *plugins, *outputs, *names]
    if protoc.main(arguments) != 0:
        raise SystemExit("protoc failed: its message is above")
    services = {source.stem for source in sources if "\nservice " in source.read_text()}
    return {
        path.name: path.read_text()
        for path in (folder / PROTOCOL).iterdir()
        if "_grpc" not in path.name or path.name.partition("_pb2_grpc")[0] in services
    }


def read(path: Path) -> str:
    """The text of a file; empty where there is none."""
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    raise SystemExit(main())
