"""Processors that feed themselves."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from penstock.resources.models import Processor
from penstock.resources.problem import Problem

Written = Callable[[Processor], Iterable[str]]
"""The streams that a processor writes, as far as they are of interest."""


class Step(NamedTuple):
    """From one processor to the next."""

    writer: Processor
    stream: str
    reader: Processor

    @property
    def is_of_dead_letters(self) -> bool:
        """Whether the writer puts nothing but its dead letters there."""
        return self.stream not in outputs(self.writer)


def outputs(processor: Processor) -> Sequence[str]:
    """The streams that a processor's function writes."""
    return [one.stream for one in processor.spec.outputs]


def dead_letters(processor: Processor) -> Sequence[str]:
    """The stream that a processor writes where its function fails, if any."""
    stream = processor.spec.delivery.dead_letter_stream
    return [stream] if stream else []


def cycle_problems(processors: Sequence[Processor]) -> Iterator[Problem]:
    """A warning for each cycle: it may be meant, and then a function must end it.

    What goes round without any function's doing is an error, and told with the dead letters.
    """
    for cycle in cycles(processors, lambda one: [*outputs(one), *dead_letters(one)]):
        if not all(step.is_of_dead_letters for step in cycle):
            field = "delivery" if cycle[0].is_of_dead_letters else "outputs"
            message = f"what it writes comes back to it: {way(cycle)}; make sure that this ends"
            yield Problem.about(cycle[0].writer, ("spec", field), message, "warning")


def cycles(processors: Sequence[Processor], written: Written) -> Iterator[Sequence[Step]]:
    """Each cycle; of those through one processor the shortest."""
    readers: dict[tuple[str, str], list[Processor]] = {}
    for processor in processors:
        for stream in {one.stream for one in processor.spec.inputs}:
            readers.setdefault((processor.metadata.namespace, stream), []).append(processor)
    told: set[int] = set()
    for processor in processors:
        cycle = _shortest_cycle(processor, readers, written) if id(processor) not in told else []
        if cycle:
            told.update(id(step.reader) for step in cycle)
            yield cycle


def way(cycle: Sequence[Step]) -> str:
    """A cycle as it is shown."""
    names = [name for step in cycle for name in (step.stream, step.reader.metadata.name)]
    return " -> ".join([cycle[0].writer.metadata.name, *names])


def _shortest_cycle(
    start: Processor, readers: dict[tuple[str, str], list[Processor]], written: Written
) -> Sequence[Step]:
    """The steps from a processor back to itself; none when there is no way back."""
    namespace = start.metadata.namespace
    came_by: dict[int, Step] = {}
    queue = deque([start])
    while queue:
        writer = queue.popleft()
        for stream in written(writer):
            for reader in readers.get((namespace, stream), ()):
                if id(reader) not in came_by:
                    came_by[id(reader)] = Step(writer, stream, reader)
                    queue.append(reader)
        if id(start) in came_by:
            return _steps(start, came_by)
    return []


def _steps(start: Processor, came_by: dict[int, Step]) -> Sequence[Step]:
    steps = [came_by[id(start)]]
    while steps[-1].writer is not start:
        steps.append(came_by[id(steps[-1].writer)])
    return steps[::-1]
