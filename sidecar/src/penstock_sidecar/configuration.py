"""What the sidecar is told by its environment: riff's variables, and those of penstock."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from penstock.camel_model import StrictModel
from penstock.delivery import Delivery, has_place_for_late
from penstock.plugin import Edge, Group, UsageError
from penstock.window import Window
from penstock_sidecar.buffer import Buffer, read_buffer
from penstock_sidecar.rerun import Bounds, read_bounds, read_reading_group

DEFAULT_GRACE_SECONDS: Final = 30.0

Settings = TypeVar("Settings", bound=StrictModel)

_ADDRESS: Final = re.compile(r"(?P<host>\[[^\[\]]+\]|[^:\s]+):(?P<port>[0-9]{1,5})")


class MissingVariable(UsageError):
    """A variable that every sidecar needs is not there."""


@dataclass(frozen=True, slots=True)
class Input:
    """An input: its alias, and where a group without a position begins to read it."""

    name: str
    start: Edge


@dataclass(frozen=True, slots=True)
class MetricsAddress:
    """Where metrics are served: an address of this machine, and a port; 0: any that is free."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Configuration:
    """A processor, as far as the environment says.

    Attributes:
        function: `host:port` of the function's host.
        group: The consumer group of every input.
        source: What outputs are said to come from: the group as it is named, whatever version of
            it reads.
        inputs: The inputs, in their order: at least one.
        outputs: Aliases of the outputs, in their order; none is fine.
        bindings: The folder with a folder for each input and output.
        window: When a call of the function begins and ends.
        delivery: How messages are handed to the function, and what follows when it fails.
        grace: Seconds that the process may take to stop.
        ready_file: What is there for as long as messages can flow.
        member: What the sidecar is called in its groups, also after it started again; or empty.
        batches: Whether to try penstock's protocols; else riff's are spoken from the start.
        namespace: The processor's, for whoever reads its metrics; empty: not known.
        metrics: The address of metrics and probes; ``None``: there are none.
        bounds: Where the sidecar ends by itself; ``None``: nowhere.
        buffer: How much it keeps in memory.
    """

    function: str
    group: Group
    source: str
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    bindings: Path
    window: Window
    delivery: Delivery
    grace: float
    ready_file: Path | None
    member: str
    batches: bool
    namespace: str = ""
    metrics: MetricsAddress | None = None
    bounds: Bounds | None = None
    buffer: Buffer = field(default_factory=Buffer)


def read_configuration(environment: Mapping[str, str]) -> Configuration:
    """Read the environment.

    Raises:
        MissingVariable: A variable is not there, or empty where it must not be.
        UsageError: Two lists differ in length, a value is not allowed, or two contradict.
    """
    function = _required(environment, "FUNCTION")
    group = Group.parse(_required(environment, "GROUP"))
    names = _names("INPUT_NAMES", _required(environment, "INPUT_NAMES"))
    outputs = _names("OUTPUT_NAMES", _required(environment, "OUTPUT_NAMES", empty=True))
    starts = _required(environment, "INPUT_START_OFFSETS").split(",")
    bindings = _required(environment, "CNB_BINDINGS")
    if len(names) != len(starts):
        raise UsageError(
            f"INPUT_NAMES has {len(names)} entries, INPUT_START_OFFSETS has {len(starts)}: "
            "expected a start offset for each input"
        )
    window = _settings(Window, "PENSTOCK_WINDOW", environment, '{"type": "Count", "count": 1000}')
    delivery = _settings(Delivery, "PENSTOCK_DELIVERY", environment, '{"maxDeliveries": 5}')
    if not has_place_for_late(window, delivery):
        raise UsageError(
            f"PENSTOCK_WINDOW={environment['PENSTOCK_WINDOW']!r}: latePolicy: DeadLetter needs "
            'deadLetter in PENSTOCK_DELIVERY: expected {"deadLetter": {"stream": "oops"}}'
        )
    ready_file = environment.get("PENSTOCK_READY_FILE")
    return Configuration(
        function=check_address("FUNCTION", function),
        group=read_reading_group(environment, group),
        source=str(group),
        inputs=tuple(map(Input, names, map(_start, starts))),
        outputs=tuple(outputs),
        bindings=Path(bindings),
        window=window,
        delivery=delivery,
        grace=_grace(environment.get("PENSTOCK_GRACE_SECONDS", "")),
        ready_file=Path(ready_file) if ready_file else None,
        member=environment.get("PENSTOCK_MEMBER", ""),
        batches=_batches(environment.get("PENSTOCK_PROTOCOL", "")),
        namespace=environment.get("PENSTOCK_NAMESPACE", ""),
        metrics=_metrics(
            environment.get("PENSTOCK_HOST", ""), environment.get("PENSTOCK_METRICS_PORT", "")
        ),
        bounds=read_bounds(environment, names),
        buffer=read_buffer(environment),
    )


def check_address(where: str, text: str) -> str:
    """An address as it is, if it is one.

    Args:
        where: The variable or file that holds it, for the text of the error.
        text: The address.

    Raises:
        UsageError: It is not `host:port`.
    """
    address = _ADDRESS.fullmatch(text)
    if address is None or not 0 < int(address["port"]) < 65536:
        raise UsageError(f"{where}: {text!r} is not an address: expected host:port")
    return text


def _required(environment: Mapping[str, str], name: str, *, empty: bool = False) -> str:
    value = environment.get(name)
    if value is None or not (value or empty):
        raise MissingVariable(
            f"{name} is not set: expected FUNCTION, GROUP, INPUT_NAMES, OUTPUT_NAMES (which may "
            "be empty), INPUT_START_OFFSETS and CNB_BINDINGS in the environment"
        )
    return value


def _names(variable: str, text: str) -> Sequence[str]:
    names = text.split(",") if text else []
    if "" in names:
        raise MissingVariable(f"{variable}={text!r}: name {names.index('') + 1} is empty")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"{variable}={text!r}: {twice!r} is there twice: expected other names")
    return names


def _start(text: str) -> Edge:
    try:
        # An empty start is the default, as in a manifest.
        return Edge(text or Edge.LATEST.value)
    except ValueError as error:
        raise UsageError(
            f"INPUT_START_OFFSETS: {text!r} is not a start offset: expected earliest or latest"
        ) from error


def _settings(
    model: type[Settings], variable: str, environment: Mapping[str, str], example: str
) -> Settings:
    text = environment.get(variable, "") or "{}"
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        faults = "; ".join(_fault(one, model) for one in error.errors(include_url=False))
        raise UsageError(
            f"{variable}={text!r}: {faults}; expected JSON by a manifest's names, as {example}"
        ) from error


def _fault(error: ErrorDetails, model: type[StrictModel]) -> str:
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "there is no such field"
        if len(error["loc"]) == 1:
            there = ", ".join(str(one.alias) for one in model.model_fields.values())
            message += f" (there are: {there})"
    field = ".".join(map(str, error["loc"]))
    return f"{field}: {message}" if field else message


def _metrics(host: str, port: str) -> MetricsAddress | None:
    if not port:
        return None
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise UsageError(f"PENSTOCK_METRICS_PORT={port!r}: expected a port, 0 to 65535")
    # In a pod whoever scrapes comes from outside.
    return MetricsAddress(host or "0.0.0.0", int(port))


def _batches(text: str) -> bool:
    if text not in ("", "batch", "riff"):
        raise UsageError(f"PENSTOCK_PROTOCOL={text!r}: expected batch or riff")
    return text != "riff"


def _grace(text: str) -> float:
    if not text:
        return DEFAULT_GRACE_SECONDS
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not (isfinite(seconds) and seconds >= 0):
        raise UsageError(
            f"PENSTOCK_GRACE_SECONDS={text!r}: expected a number of seconds, 0 or more"
        )
    return seconds
