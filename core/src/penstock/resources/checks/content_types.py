"""What functions are asked for: the content types of the streams that they write."""

from collections.abc import Iterator, Sequence

from penstock.media_type import MediaType
from penstock.resources.models import Processor, Stream
from penstock.resources.problem import Problem


def content_type_problems(
    processors: Sequence[Processor], streams: Sequence[Stream]
) -> Iterator[Problem]:
    """Outputs to streams of a media range: whoever publishes picks a type, a function cannot."""
    declared = {(one.metadata.namespace, one.metadata.name): one for one in streams}
    for processor in processors:
        for index, output in enumerate(processor.spec.outputs):
            stream = declared.get((processor.metadata.namespace, output.stream))
            if stream is None:
                continue
            content_type = stream.spec.content_type
            media_type = MediaType.parse(content_type)
            if not media_type.is_concrete:
                example = "text/plain" if media_type.type == "text" else "application/json"
                message = (
                    f"the content type of {stream.title} is the range {content_type}: an output "
                    f"needs one type, as {example}"
                )
                yield Problem.about(processor, ("spec", "outputs", index, "stream"), message)
