"""What a container says becomes a process, or a refusal with its place."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import pytest

from penstock.local.function import function_service
from penstock.plugin import UsageError, load_plugins
from penstock.resources.manifest import load
from penstock.resources.models import Processor

MakeProcessor = Callable[[str], Processor]

MANIFEST = """\
apiVersion: streaming.projectriff.io/v1alpha1
kind: Processor
metadata:
  name: up
spec:
  inputs:
    - stream: in
  template:
    spec:
      containers:
        - name: helper
        - name: function
"""


@pytest.fixture
def processor(tmp_path: Path) -> MakeProcessor:
    """The processor of a file, with the given YAML in its function's container."""

    def make(container: str) -> Processor:
        file = tmp_path / "app.yaml"
        file.write_text(MANIFEST + indent(container, " " * 10))
        return load([file], load_plugins()).processors[0]

    return make


def test_a_command_is_looked_up_beside_penstock_first(processor: MakeProcessor) -> None:
    service = function_service(processor("command: [python, -c, pass]\nargs: [a]"), "up", 4321)
    python, *arguments = service.command.arguments
    assert Path(python).parent == Path(sys.executable).parent
    assert arguments == ["-c", "pass", "a"]


def test_it_inherits_the_environment_and_is_told_its_port(
    processor: MakeProcessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROM_THE_SHELL", "yes")
    service = function_service(
        processor("command: [python]\nenv: [{name: COLOUR, value: blue}]"), "up", 4321
    )
    environment = service.command.environment
    assert environment["GRPC_PORT"] == "4321"
    assert environment["COLOUR"] == "blue"
    assert environment["FROM_THE_SHELL"] == "yes"
    # Python keeps what is printed to a pipe back, and a person waits for it.
    assert environment["PYTHONUNBUFFERED"] == "1"
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)


def test_it_starts_in_the_folder_of_its_file(processor: MakeProcessor, tmp_path: Path) -> None:
    assert function_service(processor("command: [python]"), "up", 1).command.folder == tmp_path


def test_a_relative_working_directory_and_program_begin_there(
    processor: MakeProcessor, tmp_path: Path
) -> None:
    program = tmp_path / "code" / "run.sh"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    service = function_service(processor("command: [./run.sh]\nworkingDir: code"), "up", 1)
    assert service.command.folder == tmp_path / "code"
    assert Path(service.command.arguments[0]).resolve() == program


@pytest.mark.parametrize(
    ("container", "line", "refusal"),
    [
        (
            "command:\n  - no-such-program",
            14,
            "command[0]: no-such-program is not a program on this machine (looked for in the PATH)",
        ),
        (
            "command: [./missing.sh]",
            13,
            "command[0]: ./missing.sh is not a program on this machine (",
        ),
        (
            "command: [python]\nworkingDir: nowhere",
            14,
            "workingDir: nowhere is not a folder on this machine (",
        ),
        (
            "command: [python]\nenv:\n  - name: TOKEN\n    valueFrom: {secretKeyRef: {name: s}}",
            16,
            "env[0].valueFrom: TOKEN refers to a cluster, and there is none here: give it a value",
        ),
    ],
)
def test_what_cannot_be_done_here_is_refused_with_its_place(
    processor: MakeProcessor, tmp_path: Path, container: str, line: int, refusal: str
) -> None:
    with pytest.raises(UsageError) as error:
        function_service(processor(container), "up", 1)
    place = f'{tmp_path / "app.yaml"}:{line}: Processor "up": spec.template.spec.containers[1].'
    assert str(error.value).startswith(place + refusal)
