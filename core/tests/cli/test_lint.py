"""`penstock lint`: all problems of manifests at once. What they are, tests of resources say."""

import os
import pty
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.command_line import Penstock

SOUND = """
apiVersion: streaming.projectriff.io/v1alpha1
kind: InMemoryGateway
metadata: {name: memory}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Stream
metadata: {name: words}
spec: {gateway: {name: memory}}
"""
PROCESSOR = """
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Processor
metadata: {name: up}
spec:
  inputs: [{stream: words}]
  template: {spec: {containers: [{image: up}]}}
"""
BROKEN = """\
apiVersion: streaming.projectriff.io/v1alpha1
kind: Stream
metadata: {name: words}
spec:
  gatway: {name: memry}
  contentType: text
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.yaml"


def test_sound_manifests_are_counted(penstock: Penstock, file: Path) -> None:
    file.write_text(SOUND)
    done = penstock("lint", str(file))
    assert done.stdout == ""
    assert done.stderr == "1 gateway, 1 stream, 0 processors: 0 errors, 0 warnings\n"


def test_folders_several_files_and_standard_input_are_read(
    penstock: Penstock, tmp_path: Path
) -> None:
    gateway, stream = SOUND.split("---")
    (tmp_path / "gateways").mkdir()
    (tmp_path / "gateways" / "memory.yaml").write_text(gateway)
    done = penstock("lint", str(tmp_path / "gateways"), "-", stdin=stream)
    assert "1 gateway, 1 stream" in done.stderr


def test_every_error_is_a_line_with_its_place(penstock: Penstock, file: Path) -> None:
    file.write_text(BROKEN)
    done = penstock("lint", str(file), code=2)
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f'{file}:5: Stream "words": spec.gatway: ')
    assert 'did you mean "gateway"?' in lines[0]
    assert any(line.startswith(f'{file}:6: Stream "words": spec.contentType: ') for line in lines)
    assert done.stderr.endswith(f"{len(lines)} errors, 0 warnings\n")


def test_a_kind_without_a_plugin_says_what_to_install(penstock: Penstock, file: Path) -> None:
    file.write_text(SOUND.replace("InMemoryGateway", "PulsarGateway"))
    assert "pip install penstock-pulsar" in penstock("lint", str(file), code=2).stdout


def test_what_is_no_yaml_or_not_there_is_said(penstock: Penstock, file: Path) -> None:
    file.write_text("a: [")
    done = penstock("lint", str(file), f"{file}.missing", code=2)
    assert f"{file}:1: this is not YAML" in done.stdout
    assert f"{file}.missing: cannot be read: No such file or directory" in done.stdout


def test_a_cluster_needs_an_image_where_this_machine_needs_a_command(
    penstock: Penstock, file: Path
) -> None:
    file.write_text(SOUND + PROCESSOR)
    assert "command: is missing" in penstock("lint", str(file), code=2).stdout
    assert penstock("lint", "--cluster", str(file)).stdout == ""
    file.write_text(SOUND + PROCESSOR.replace("image: up", "command: [up]"))
    assert "image: is missing" in penstock("lint", "--cluster", str(file), code=2).stdout


@pytest.mark.parametrize(
    ("container", "refusal"),
    [
        ("command: [gone]", "command[0]: gone is not a program on this machine"),
        ("command: [python], workingDir: gone", "workingDir: gone is not a folder on this machine"),
        (
            "command: [python], env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: s}}}]",
            "env[0].valueFrom: TOKEN refers to a cluster",
        ),
    ],
)
def test_what_cannot_run_on_this_machine_is_an_error_but_for_a_cluster(
    penstock: Penstock, file: Path, container: str, refusal: str
) -> None:
    file.write_text(SOUND + PROCESSOR.replace("image: up", container))
    done = penstock("lint", str(file), code=2)
    place = f'{file}:17: Processor "up": spec.template.spec.containers[0].'
    assert done.stdout.startswith(place + refusal)
    assert done.stderr.endswith("1 error, 0 warnings\n")
    file.write_text(SOUND + PROCESSOR.replace("image: up", f"image: up, {container}"))
    assert penstock("lint", "--cluster", str(file)).stdout == ""


def test_warnings_alone_are_no_failure(penstock: Penstock, file: Path) -> None:
    cycle = dedent(PROCESSOR).replace("template", "outputs: [{stream: words}]\n  template")
    file.write_text(SOUND + cycle.replace("image: up", "command: [python]"))
    done = penstock("lint", str(file))
    assert ": warning: " in done.stdout
    assert done.stderr.endswith("0 errors, 1 warning\n")


def test_problems_are_coloured_on_a_terminal_only(penstock: Penstock, file: Path) -> None:
    file.write_text(BROKEN)
    assert "\x1b" not in penstock("lint", str(file), code=2).stdout
    assert "\x1b[31m" in on_a_terminal(str(file))
    assert "\x1b" not in on_a_terminal(str(file), NO_COLOR="1")


def on_a_terminal(file: str, **environment: str) -> str:
    """What a person sees."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "penstock.cli", "lint", file]
    with os.fdopen(ours, "rb") as seen:
        with os.fdopen(theirs, "wb") as terminal:
            subprocess.run(
                command,
                stdout=terminal,
                stderr=subprocess.DEVNULL,
                env=os.environ | environment,
                check=False,
            )
        return os.read(seen.fileno(), 10_000).decode()
