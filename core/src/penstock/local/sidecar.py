"""The process of a sidecar: a folder of bindings, an environment, and the program."""

import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

from penstock.local.logged_error import logged_error
from penstock.local.ports import HOST
from penstock.local.process import Command
from penstock.local.supervisor import Service
from penstock.observability.log import FORMAT_VARIABLE, LogFormat
from penstock.plugin import UsageError
from penstock.resources.models import Processor
from penstock.workload import StreamBinding, binding_files, sidecar_environment

MODULE = "penstock_sidecar"
BINDINGS = "bindings"
"""Where they are in a sidecar's folder."""
MISUSED = 2
"""The exit code of a sidecar that is told something wrong."""
GRACE_SECONDS = 5.0
"""How long a sidecar may take to settle what it holds."""


def check_sidecar_installed() -> None:
    """Make sure that sidecars can be started.

    Raises:
        UsageError: Their program is not installed here.
    """
    if find_spec(MODULE) is None:
        raise UsageError(
            "processors need the sidecar, which is not installed: pip install penstock-sidecar"
        )


def sidecar_variables(processor: Processor, function_port: int, folder: Path) -> Mapping[str, str]:
    """What a sidecar is told of its processor: where the function listens, and the bindings are.

    Args:
        processor: The processor.
        function_port: Where its function listens.
        folder: The folder of its sidecar.
    """
    return sidecar_environment(
        processor, function=f"{HOST}:{function_port}", bindings=str(folder / BINDINGS)
    )


def sidecar_log_name(name: str) -> str:
    """The name in front of a sidecar's logs, by that of its processor."""
    return f"{name} (sidecar)"


def sidecar_service(
    processor: Processor,
    name: str,
    streams: Mapping[str, StreamBinding],
    function_port: int,
    folder: Path,
    *,
    metrics_port: int | None = None,
) -> Service:
    """How a processor's sidecar is run; writes its bindings.

    Args:
        processor: The processor.
        name: What its output and its events are shown under.
        streams: Those of the processor's namespace, by name.
        function_port: Where its function listens.
        folder: A folder for this sidecar alone; made here.
        metrics_port: A free port for its metrics; ``None``: it shows none.
    """
    bindings = folder / BINDINGS
    for path, content in binding_files(processor, streams).items():
        file = bindings / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    ready = folder / "ready"
    environment = {
        # Its log is shown to a person, though it goes through a pipe.
        FORMAT_VARIABLE: LogFormat.TEXT.value,
        **os.environ,
        **sidecar_variables(processor, function_port, folder),
        "PENSTOCK_GRACE_SECONDS": f"{GRACE_SECONDS:g}",
        "PENSTOCK_READY_FILE": str(ready),
        "PENSTOCK_HOST": HOST,
        "PENSTOCK_METRICS_PORT": "" if metrics_port is None else str(metrics_port),
        # Others may run the same processor elsewhere: the name is that of this run's alone.
        "PENSTOCK_MEMBER": f"{processor.metadata.name}-{uuid4().hex[:12]}",
    }

    async def is_ready() -> bool:
        return ready.exists()

    def warning(line: str) -> str | None:
        error = logged_error(line)
        return error and f'processor "{name}": {error}'

    return Service(
        name=f'sidecar of "{name}"',
        log_name=sidecar_log_name(name),
        # -P: a module of the function's folder must not stand in for one of the sidecar's.
        command=Command([sys.executable, "-P", "-m", MODULE], environment, folder),
        is_ready=is_ready,
        not_ready="has not subscribed to its inputs",
        before_start=lambda: ready.unlink(missing_ok=True),
        hopeless_exit=MISUSED,
        warning=warning,
    )
