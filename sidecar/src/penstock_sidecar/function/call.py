"""A call of the function, whatever protocol it is made over."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from penstock.plugin import Message
from penstock_sidecar.engine.commands import Part


@dataclass(frozen=True, slots=True)
class Start:
    """What every call begins with.

    Attributes:
        expected_content_types: For each output, the type that its messages must have.
        input_names, output_names: Aliases, in the order of the processor's streams.
    """

    expected_content_types: Sequence[str]
    input_names: Sequence[str]
    output_names: Sequence[str]


class Outputs(NamedTuple):
    """What a call gave since it was last asked; the fields are those of `OutputsReceived`."""

    messages: Sequence[Message]
    results: Sequence[int] = (0,)
    inputs: Sequence[int] = ()
    inputs_done: int = 0


class FunctionCall(ABC):
    """One call. At most one write and one read are under way at a time."""

    @property
    @abstractmethod
    def reports(self) -> bool | None:
        """Whether the host reports which inputs are done; ``None``: it has not said yet."""

    @abstractmethod
    async def write(self, parts: Sequence[Part]) -> bool:
        """Hand messages over, and wait until the host has room for more.

        Returns:
            Whether they went out; if not, `read` says why.
        """

    @abstractmethod
    async def finish(self) -> None:
        """Say that there are no more inputs."""

    @abstractmethod
    async def read(self) -> Outputs | None:
        """Wait for what comes next; ``None``: the call ended well.

        Raises:
            FunctionFailed: The function failed, or its host broke the protocol.
            NotReady: The host is gone.
        """

    @abstractmethod
    def cancel(self) -> None:
        """End the call at once; what is under way is given up."""
