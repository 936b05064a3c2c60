"""The process of a function: what its container says, on this machine."""

import os
import shutil
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from penstock.local.ports import HOST, is_open
from penstock.local.process import Command
from penstock.local.supervisor import Service
from penstock.plugin import UsageError
from penstock.resources.models import Processor
from penstock.resources.problem import Problem
from penstock.resources.source import FieldPath
from penstock.workload import function_arguments, function_environment


def function_service(processor: Processor, name: str, port: int) -> Service:
    """How a processor's function is run; it has to listen on `port`.

    Args:
        processor: The processor; its function's container has a command.
        name: What its output and its events are shown under.
        port: A free port, told to the function as `GRPC_PORT`.

    Raises:
        UsageError: What its container says cannot be done here.
    """
    _refuse_references(processor)
    variables = function_environment(processor, port=port)
    environment = _environment(variables)
    folder = _folder(processor)
    program, *arguments = function_arguments(processor, variables)
    program = _program(processor, program, environment, folder)
    return Service(
        name=f'function "{name}"',
        log_name=name,
        command=Command([program, *arguments], environment, folder),
        is_ready=partial(is_open, port),
        not_ready=f"has not opened port {port} (its GRPC_PORT)",
    )


def _environment(variables: Mapping[str, str]) -> Mapping[str, str]:
    """This process's environment, with a container's variables on top."""
    # What a function prints is shown at once, and it is reached from this machine alone.
    merged = {"PYTHONUNBUFFERED": "1", "PENSTOCK_HOST": HOST, **os.environ, **variables}
    # What is installed beside penstock is found without an activated environment.
    own = str(Path(sys.executable).parent)
    return merged | {"PATH": os.pathsep.join(filter(None, [own, merged.get("PATH")]))}


def _folder(processor: Processor) -> Path:
    container = processor.spec.function_container
    wanted = container.working_dir if container else ""
    folder = (processor.source.file.parent / wanted).resolve()
    if not folder.is_dir():
        raise _refusal(
            processor,
            ("workingDir",),
            f"{wanted} is not a folder on this machine ({folder}); a relative one begins at the "
            "manifest's folder, which is the default",
        )
    return folder


def _program(
    processor: Processor, program: str, environment: Mapping[str, str], folder: Path
) -> str:
    """The program's path; one with a slash in it begins at the working directory."""
    path = str(folder / program) if "/" in program else program
    found = shutil.which(path, path=environment["PATH"])
    if found is None:
        where = path if "/" in program else "looked for in the PATH"
        raise _refusal(
            processor, ("command", 0), f"{program} is not a program on this machine ({where})"
        )
    return found


def _refuse_references(processor: Processor) -> None:
    container = processor.spec.function_container
    for index, variable in enumerate(container.env if container else ()):
        if variable.value_from is not None:
            raise _refusal(
                processor,
                ("env", index, "valueFrom"),
                f"{variable.name} refers to a cluster, and there is none here: give it a value",
            )


def _refusal(processor: Processor, field: FieldPath, message: str) -> UsageError:
    """What is wrong with a field of the function's container, and where it stands."""
    containers = processor.spec.template.spec.containers
    index = next((i for i, one in enumerate(containers) if one.is_function), 0)
    path = ("spec", "template", "spec", "containers", index, *field)
    return UsageError(str(Problem.about(processor, path, message)))
