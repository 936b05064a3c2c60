"""What labels say of a processor."""

from collections.abc import Sequence
from typing import NamedTuple


class Names(NamedTuple):
    """What a processor and its streams are called.

    Attributes:
        processor, namespace, group: The processor's; the namespace may be empty.
        inputs, outputs: For each its alias and its stream; behind the outputs the dead letters,
            which have no alias but their stream, if there are any.
    """

    processor: str
    namespace: str
    group: str
    inputs: Sequence[tuple[str, str]]
    outputs: Sequence[tuple[str, str]]
