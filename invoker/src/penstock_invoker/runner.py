"""Runs a function over the inputs of one call; what the ways to do it have in common."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from penstock_invoker.arguments import Argument
from penstock_invoker.inbox import Inbox
from penstock_invoker.outbox import Outbox
from penstock_invoker.signature import Function


class Runner(ABC):
    """Takes from the inbox, calls the function, puts into the outbox.

    Args:
        function: The function.
        arguments: What reads each input of the call, in the order of the inputs.
        inbox: Its inputs.
        outbox: Where its outputs go.
    """

    def __init__(
        self, function: Function, arguments: Sequence[Argument], inbox: Inbox, outbox: Outbox
    ) -> None:
        self._function = function
        self._arguments = arguments
        self._inbox = inbox
        self._outbox = outbox

    @abstractmethod
    def start(self) -> None:
        """Begin; called once, on the event loop."""

    @abstractmethod
    def cancel(self) -> None:
        """Stop what still runs; the inbox and the outbox are closed next."""

    @abstractmethod
    async def ended(self) -> None:
        """Wait until nothing runs any more, where that can be promised."""

    @property
    def flush_seconds(self) -> float | None:
        """How long outputs may lie in the outbox unannounced; ``None``: they are announced."""
        return None

    @property
    def _current_input(self) -> int | None:
        """The input that a function of one value is at: one after the other is done."""
        return None if self._function.takes_streams else self._outbox.inputs_done

    def _in_order(self) -> list[tuple[int, Argument]]:
        """For each parameter of the function in order, the index of its input and its reader."""
        by_name = {
            argument.parameter.name: (index, argument)
            for index, argument in enumerate(self._arguments)
        }
        return [by_name[parameter.name] for parameter in self._function.parameters]
