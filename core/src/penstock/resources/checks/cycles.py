"""Processors that feed themselves."""

from collections import deque
from collections.abc import Iterator, Sequence

from penstock.resources.models import Processor
from penstock.resources.problem import Problem

_Step = tuple[str, Processor]
"""A stream, and a processor that reads it."""


def cycle_problems(processors: Sequence[Processor]) -> Iterator[Problem]:
    """A warning for each cycle: it may be meant, and then the function must end it.

    Of cycles through one processor the shortest is told.
    """
    readers: dict[tuple[str, str], list[Processor]] = {}
    for processor in processors:
        for stream in {one.stream for one in processor.spec.inputs}:
            readers.setdefault((processor.metadata.namespace, stream), []).append(processor)
    told: set[int] = set()
    for processor in processors:
        cycle = _shortest_cycle(processor, readers) if id(processor) not in told else []
        if cycle:
            told.update(id(one) for _, one in cycle)
            names = [name for stream, one in cycle for name in (stream, one.metadata.name)]
            way = " -> ".join([processor.metadata.name, *names])
            message = f"what it writes comes back to it: {way}; make sure that this ends"
            yield Problem.about(processor, ("spec", "outputs"), message, "warning")


def _shortest_cycle(
    start: Processor, readers: dict[tuple[str, str], list[Processor]]
) -> list[_Step]:
    """The steps from a processor back to itself; none when there is no way back."""
    namespace = start.metadata.namespace
    came_by: dict[int, tuple[Processor, str]] = {}
    queue = deque([start])
    while queue:
        writer = queue.popleft()
        for output in writer.spec.outputs:
            for reader in readers.get((namespace, output.stream), ()):
                if id(reader) not in came_by:
                    came_by[id(reader)] = (writer, output.stream)
                    queue.append(reader)
        if id(start) in came_by:
            return _steps(start, came_by)
    return []


def _steps(start: Processor, came_by: dict[int, tuple[Processor, str]]) -> list[_Step]:
    steps: list[_Step] = []
    reader = start
    while True:
        writer, stream = came_by[id(reader)]
        steps.append((stream, reader))
        if writer is start:
            return steps[::-1]
        reader = writer
