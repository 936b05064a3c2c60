"""What `penstock run` says once everything is up."""

from collections.abc import Sequence

from penstock.duration import format_duration
from penstock.local.state import RunningStream
from penstock.resources.models import DEFAULT_NAMESPACE, ObjectMeta, Processor
from penstock.table import format_table
from penstock.window import WindowType


def display_name(metadata: ObjectMeta) -> str:
    """A resource's name, with its namespace where that is not the default one."""
    return _name(metadata.namespace, metadata.name)


def _name(namespace: str, name: str) -> str:
    return name if namespace == DEFAULT_NAMESPACE else f"{namespace}/{name}"


def summarize(streams: Sequence[RunningStream], processors: Sequence[Processor]) -> str:
    """Tables of the streams and the processors."""
    tables = []
    if streams:
        rows = [(_name(s.namespace, s.name), s.content_type, s.gateway, s.topic) for s in streams]
        tables.append(format_table(("stream", "content type", "gateway", "topic"), rows))
    if processors:
        tables.append(
            format_table(
                ("processor", "inputs", "outputs", "window"), [_row(one) for one in processors]
            )
        )
    return "\n".join(tables)


def _row(processor: Processor) -> Sequence[str]:
    spec = processor.spec
    return (
        display_name(processor.metadata),
        ", ".join(one.stream for one in spec.inputs),
        ", ".join(one.stream for one in spec.outputs),
        _window(processor),
    )


def _window(processor: Processor) -> str:
    window = processor.spec.window
    size = format_duration(window.size_seconds)
    match window.type:
        case WindowType.TUMBLING:
            text = size
        case WindowType.SLIDING:
            text = f"{size} every {format_duration(window.every or 0.0)}"
        case WindowType.SESSION:
            text = f"session, gap {format_duration(window.gap or 0.0)}"
        case WindowType.COUNT:
            text = f"{window.count} messages"
        case WindowType.GLOBAL:
            text = "global"
    return f"{text} per key" if window.per_key else text
