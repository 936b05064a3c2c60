"""What can be watched of a processor's data path, by whoever has reason to."""

from collections.abc import Sequence
from typing import NamedTuple

from penstock.plugin import Group, PubSub, Start
from penstock_sidecar.function import FunctionCall
from penstock_sidecar.pump import Pump, Sink, Source


class Membership(NamedTuple):
    """What an input's subscription was asked for, and of whom."""

    pubsub: PubSub
    topic: str
    group: Group
    start: Start


class Observer:
    """Is shown everything that carries messages, and may stand in front of it; this one does not.

    Inputs and outputs are named by their numbers, in the order of the processor.
    """

    async def source(self, number: int, source: Source, membership: Membership) -> Source:  # noqa: ARG002
        """An input that is about to be read."""
        return source

    def sink(self, number: int, sink: Sink) -> Sink:  # noqa: ARG002
        """An output that is about to be published to."""
        return sink

    def call(self, call: FunctionCall) -> FunctionCall:
        """A call of the function that is about to be made."""
        return call

    def started(self, pump: Pump) -> None:
        """A pump runs now."""

    def ended(self, pump: Pump) -> None:
        """It does not any more."""

    def restarting(self) -> None:
        """Something was lost, and everything begins anew."""


class Observers(Observer):
    """Several at once.

    Args:
        observers: Of these, the last stands in front.
    """

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    async def source(self, number: int, source: Source, membership: Membership) -> Source:
        """Show it to all."""
        for one in self._observers:
            source = await one.source(number, source, membership)
        return source

    def sink(self, number: int, sink: Sink) -> Sink:
        """Show it to all."""
        for one in self._observers:
            sink = one.sink(number, sink)
        return sink

    def call(self, call: FunctionCall) -> FunctionCall:
        """Show it to all."""
        for one in self._observers:
            call = one.call(call)
        return call

    def started(self, pump: Pump) -> None:
        """Tell all."""
        for one in self._observers:
            one.started(pump)

    def ended(self, pump: Pump) -> None:
        """Tell all."""
        for one in self._observers:
            one.ended(pump)

    def restarting(self) -> None:
        """Tell all."""
        for one in self._observers:
            one.restarting()
