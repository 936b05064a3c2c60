"""Where processors put messages that cannot be processed."""

from collections.abc import Iterator, Sequence

from penstock.media_type import OCTET_STREAM, takes_all_of
from penstock.resources.checks.cycles import cycles, dead_letters, way
from penstock.resources.models import Processor, Stream
from penstock.resources.problem import Problem
from penstock.resources.source import FieldPath

STREAM: FieldPath = ("spec", "delivery", "deadLetter", "stream")

_Key = tuple[str, str]


def dead_letter_problems(
    processors: Sequence[Processor], streams: Sequence[Stream]
) -> Iterator[Problem]:
    """Dead letters that would be read as something else, go in circles, or not be taken."""
    declared = {(one.metadata.namespace, one.metadata.name): one for one in streams}
    with_stream = [one for one in processors if one.spec.delivery.dead_letter_stream]
    for processor in with_stream:
        name = processor.spec.delivery.dead_letter_stream
        if message := _taken(processor, name):
            message += "; name a stream that is for dead letters alone"
            yield Problem.about(processor, STREAM, message)
        elif stream := declared.get((processor.metadata.namespace, name)):
            yield from _not_taken(processor, stream, declared)
    yield from _circles(with_stream)


def _taken(processor: Processor, name: str) -> str:
    """What else the stream is to the processor; empty: nothing."""
    spec = processor.spec
    for index, one in enumerate(spec.inputs):
        if one.stream == name:
            return f'"{name}" is inputs[{index}]: what failed would come back at once'
    for index, other in enumerate(spec.outputs):
        if other.stream == name:
            return f'"{name}" is outputs[{index}]: who reads it would take dead letters for results'
    return ""


def _not_taken(
    processor: Processor, stream: Stream, declared: dict[_Key, Stream]
) -> Iterator[Problem]:
    """Inputs of types that the stream refuses; the first is told."""
    for one in processor.spec.inputs:
        source = declared.get((processor.metadata.namespace, one.stream))
        if source and not takes_all_of(stream.spec.content_type, source.spec.content_type):
            message = (
                f"{stream.title} takes {stream.spec.content_type} alone, and {source.title} has "
                f"{source.spec.content_type}: leave out its contentType, or set one that takes "
                f"both, as {OCTET_STREAM}"
            )
            yield Problem.about(processor, STREAM, message)
            return


def _circles(processors: Sequence[Processor]) -> Iterator[Problem]:
    """Processors that pass a message that none of them can process round for ever."""
    for cycle in cycles(processors, dead_letters):
        if len(cycle) > 1:  # else it reads its own dead letters, which is told above
            message = (
                f"dead letters come back to it: {way(cycle)}; a message that none of them can "
                "process would go round for ever"
            )
            yield Problem.about(cycle[0].writer, STREAM, message)
